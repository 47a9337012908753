"""`autophagy submit`: a pull request on the results dataset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from benchmark.basics.errors import InputError
from benchmark.commands.tables import number, open_console, say, sheet
from benchmark.commands.validate import checks_table
from benchmark.hub.connection import check_target
from benchmark.hub.parts import Part
from benchmark.hub.pull_requests import send_parts
from benchmark.hub.trouble import Purpose
from benchmark.submission.checks import read_submission, validate_submission
from benchmark.submission.claim import check_belongs, read_claim
from benchmark.submission.template import refuse_template
from benchmark.submission.upload import list_parts, name_gallery

SAID = {
    "opened": "Opened a pull request",
    "open": "A pull request with the same content is open already",
    "merged": "All of it is in the dataset already",
}


def submit(
    folder: Annotated[Path, typer.Argument(help="The submission, such as submissions/NAME.")],
    result: Annotated[Path, typer.Option(help="Its result: RUNS/SUITE/NAME.json.")],
    repo: Annotated[str, typer.Option(help="The results dataset: ORG/RESULTS.")],
    endpoint: Annotated[
        str | None, typer.Option(help="Of the Hub. Default: HF_ENDPOINT or huggingface.co.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be sent; send nothing.")
    ] = False,
) -> None:
    """Validate a submission and open a pull request with it, its result and its samples.

    With --dry-run it is read, not run, and every file that would be sent is listed. The token is
    HF_TOKEN or that of `hf auth login`. It is safe to run the same command again.
    """
    check_target(Purpose(repo), endpoint)
    claimed, console = read_claim(result), open_console()
    submission, card, written = read_submission(folder)
    refuse_template(card.name)
    check_belongs(claimed, result, submission, card, written.summary)
    if not dry_run:
        found = validate_submission(folder)
        if not found.passed:
            console.print(checks_table(found, str(folder)))
            raise InputError("the submission is not valid: mend it, run it again, then submit it")
    parts = list_parts(submission, claimed, result, check=not dry_run)
    console.print(parts_table(parts, repo))
    for failure in claimed.failures:
        say(console, f"Shown as failed: {failure}")
    if dry_run:
        say(console, f"Beside these {name_gallery(claimed)}, which is drawn when it is sent.")
        say(console, "Nothing was sent and nothing run (--dry-run); autophagy validate runs it.")
        return
    title = f"Submit {card.name} on {claimed.suite}"
    sent = send_parts(parts, title, repo, endpoint, say=console.print)
    say(console, f"{SAID[sent.state]}: {sent.url}")
    for url in sent.older:
        say(console, f"It supersedes {url}, which can be closed")


def parts_table(parts: Sequence[Part], repo: str) -> Table:
    """Path and size of every file, and their sum."""
    rows = [(part.path, f"{part.size / 1e3:,.1f}") for part in parts]
    table = sheet(["file", number("kB")], rows, f"For {repo}")
    table.add_section()
    table.add_row(f"{len(parts)} files", f"{sum(part.size for part in parts) / 1e3:,.1f}")
    return table
