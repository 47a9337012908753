"""`autophagy deploy`: the leaderboard as a Space, and the dataset that it reads."""

from __future__ import annotations

from typing import Annotated

import typer

from benchmark.commands.submit import parts_table
from benchmark.commands.tables import open_console, say
from benchmark.hub.commits import Stored
from benchmark.hub.connection import check_target
from benchmark.hub.parts import Part
from leaderboard.publishing import dataset as results
from leaderboard.publishing import deploy as page


def deploy(
    space: Annotated[str, typer.Option(help="The Space: ORG/NAME. Created if it is not there.")],
    dataset: Annotated[
        str | None,
        typer.Option(help="The results dataset it reads: ORG/RESULTS. Created or updated."),
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="Of the Hub. Default: HF_ENDPOINT or huggingface.co.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be sent; send nothing.")
    ] = False,
) -> None:
    """Put the leaderboard on a Hub: a Space, and with --dataset the results, their table and card.

    The token is HF_TOKEN or that of `hf auth login`. It is safe to run the same command again:
    what is there already is not sent. Other files in the Space are deleted.
    """
    console = open_console()
    if not dry_run:
        for stored in page.deploy_board(space, dataset, endpoint, say=console.print):
            say(console, _said(stored))
        return
    check_target(page.state_space_purpose(space), endpoint)
    files = page.assemble_space(dataset, space, endpoint)
    parts = [Part(path, content) for path, content in files.items()]
    console.print(parts_table(parts, space))
    if dataset is not None:
        check_target(results.state_dataset_purpose(dataset), endpoint)
        console.print(parts_table(results.list_own_parts(), dataset))
        console.print("Beside these, README.md and table/SUITE.parquet of all results in it.")
    console.print("Nothing was sent (--dry-run).")


def _said(stored: Stored) -> str:
    if not stored.written and not stored.deleted:
        return f"Nothing has changed: {stored.url}"
    return f"Wrote {stored.written} files, deleted {stored.deleted}: {stored.url}"
