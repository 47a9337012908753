"""The tabs that are documents: what was found, and what all this is about."""

from __future__ import annotations

from pathlib import Path

from benchmark import __version__
from leaderboard.page.markdown import render_file, render_markdown
from leaderboard.page.widgets import HTML

ABOUT = Path(__file__).parents[1] / "about.md"
FINDINGS = Path(__file__).parents[3] / "docs" / "findings.md"  # in the repository and in a Space


def draw_findings(file: Path = FINDINGS) -> str:
    """What was found, with its figures; says so where the document did not come along."""
    try:
        return render_file(file, file.stat().st_mtime_ns)
    except OSError:
        return HTML.sentence("The findings did not come with this copy: see docs/findings.md.")


def draw_about() -> str:
    """What is measured, how, and how to send a method."""
    words = ABOUT.read_text("utf-8").replace("{version}", __version__)
    return render_markdown(words, ABOUT.parent)
