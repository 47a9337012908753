"""`autophagy submit`: a pull request on the results dataset."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from benchmark.basics.errors import InputError
from benchmark.commands.terminal import Terminal

if TYPE_CHECKING:
    from benchmark.hub.parts import Part

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
    """Validate a submission and open a pull request with it, its result and its last samples.

    The token is HF_TOKEN or that of `hf auth login`. It is safe to run the same command again.
    """
    os.environ["OMP_NUM_THREADS"] = "1"  # before torch is loaded
    from benchmark.commands.validate import checks_table
    from benchmark.hub.connection import check_target
    from benchmark.hub.pull_requests import send
    from benchmark.hub.sentences import Purpose
    from benchmark.submission.checks import validate
    from benchmark.submission.claim import check_belongs, read_result
    from benchmark.submission.entry import parts_of
    from benchmark.submission.template import refuse_template

    check_target(Purpose(repo), endpoint)
    claimed = read_result(result)
    found = validate(folder)
    console = Terminal()
    if not found.passed:
        console.print(checks_table(found, str(folder)))
        raise InputError("the submission is not valid: mend it, run it again, then submit it")
    assert found.folder is not None
    assert found.card is not None
    assert found.written is not None
    refuse_template(found.card.name)
    check_belongs(claimed, result, found.folder, found.card, found.written.summary)
    parts = parts_of(found.folder, claimed, result)
    console.print(parts_table(parts, repo))
    for failure in claimed.failures:
        console.print(escape(f"Shown as failed: {failure}"), soft_wrap=True)
    if dry_run:
        console.print("Nothing was sent (--dry-run).")
        return
    title = f"Submit {found.card.name} on {claimed.suite}"
    sent = send(parts, title, repo, endpoint, say=console.print)
    console.print(escape(f"{SAID[sent.state]}: {sent.url}"), soft_wrap=True)
    for url in sent.older:
        console.print(escape(f"It supersedes {url}, which can be closed"), soft_wrap=True)


def parts_table(parts: Sequence[Part], repo: str) -> Table:
    """Path and size of every file, and their sum."""
    sheet = Table(
        title=escape(f"For {repo}"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
    )
    sheet.add_column("file", overflow="fold")
    sheet.add_column("kB", justify="right", no_wrap=True)
    for part in parts:
        sheet.add_row(escape(part.path), f"{part.size / 1e3:,.1f}")
    sheet.add_section()
    sheet.add_row(f"{len(parts)} files", f"{sum(part.size for part in parts) / 1e3:,.1f}")
    return sheet
