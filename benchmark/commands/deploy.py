"""`autophagy deploy`: the leaderboard as a Space, and the dataset that it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from benchmark.basics.errors import InputError
from benchmark.commands.terminal import Terminal

if TYPE_CHECKING:
    from benchmark.hub.commits import Stored


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
    from benchmark.commands.submit import parts_table
    from benchmark.hub.connection import check_target
    from benchmark.hub.parts import Part

    try:
        from leaderboard.publishing import dataset as results
        from leaderboard.publishing import deploy as page
    except ModuleNotFoundError as error:
        raise InputError(
            f"the leaderboard needs {error.name}: pip install 'autophagy-bench[board]'"
        ) from error
    console = Terminal()
    if not dry_run:
        for stored in page.deploy(space, dataset, endpoint, say=console.print):
            console.print(escape(_said(stored)), soft_wrap=True)
        return
    check_target(page.purpose_of(space), endpoint)
    parts = [Part(path, content) for path, content in page.assemble(dataset).items()]
    console.print(parts_table(parts, space))
    if dataset is not None:
        check_target(results.purpose_of(dataset), endpoint)
        console.print(parts_table(results.own_parts(), dataset))
        console.print("Beside these, README.md and table/SUITE.parquet of all results in it.")
    console.print("Nothing was sent (--dry-run).")


def _said(stored: Stored) -> str:
    if not stored.written and not stored.deleted:
        return f"Nothing has changed: {stored.url}"
    return f"Wrote {stored.written} files, deleted {stored.deleted}: {stored.url}"
