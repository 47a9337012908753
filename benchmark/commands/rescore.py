"""`autophagy rescore`: a claimed profile, recomputed from what was uploaded."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from benchmark.commands.terminal import Terminal

if TYPE_CHECKING:
    from benchmark.submission.rescore import Row


def rescore(
    result: Annotated[Path, typer.Argument(help="The claim: results/SUITE/NAME.json.")],
    samples: Annotated[Path, typer.Option(help="What was uploaded: samples/SUITE/NAME.")],
    reject: Annotated[
        bool, typer.Option("--reject", help="If it does not agree, reject the entry for good.")
    ] = False,
) -> None:
    """Recompute the profile of every lineage's last generation and compare it with the claim.

    If all of it agrees, the entry's state becomes `re-scored`; otherwise the status is 1.
    """
    os.environ["OMP_NUM_THREADS"] = "1"  # before torch is loaded
    from benchmark.submission.claim import read_result
    from benchmark.submission.record import record_state
    from benchmark.submission.rescore import rescore as recompute

    rows = recompute(read_result(result), samples)
    console = Terminal()
    console.print(rescore_table(rows))
    problems = [f"{row.task}, seed {row.seed}: {row.problem}" for row in rows if row.problem]
    for problem in problems:
        console.print(escape(problem), soft_wrap=True)
    if rows and all(row.agrees for row in rows):
        record_state(result, "re-scored", f"the last generation of {len(rows)} lineages agrees")
        console.print("It agrees: the entry is re-scored.")
        return
    lost = [f"{row.task}, seed {row.seed}" for row in rows if not row.agrees]
    if reject:
        record_state(result, "rejected", f"its samples do not give its numbers: {'; '.join(lost)}")
    console.print(
        escape(f"It does not agree: {'; '.join(lost) or 'nothing was published'}."), soft_wrap=True
    )
    raise typer.Exit(1)


def rescore_table(rows: Sequence[Row]) -> Table:
    """Claimed and recomputed primary metric of every lineage, and the metric that differs most."""
    sheet = Table(
        caption="Primary metric of the last generation. Off by: the largest difference of any "
        "metric in the profile, in multiples of the tolerance (0.001 + 0.001 times its value); "
        "above 1 it does not agree.",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    sheet.add_column("lineage", no_wrap=True)
    for heading in ("claimed", "recomputed", "difference", "off by"):
        sheet.add_column(heading, justify="right", no_wrap=True)
    sheet.add_column("at", overflow="fold")
    sheet.add_column("agrees", no_wrap=True)
    for row in rows:
        found = (f"{row.recomputed:.5f}", f"{row.recomputed - row.claimed:+.5f}")
        sheet.add_row(
            f"{row.task}\nseed {row.seed}",
            f"{row.claimed:.5f}",
            *(("-", "-", "-") if row.problem else (*found, f"{row.excess:.2g}")),
            row.worst if row.excess > 0 else "-",
            "[green]yes[/]" if row.agrees else "[red]no[/]",
        )
    return sheet
