"""`autophagy rescore`: a claimed profile, recomputed from what was uploaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from benchmark.commands.tables import number, open_console, say, sheet, word
from benchmark.submission.claim import read_claim
from benchmark.submission.record import check_open, record_state
from benchmark.submission.rescore import RescoredLineage, describe_agreement, rescore_claim

CAPTION = (
    "Primary metric of the last generation, or of the first that does not agree. Off by: the "
    "largest difference of any metric in its profile, in multiples of the tolerance (0.001 + "
    "0.001 times its value); above 1 it does not agree."
)
Findings = Annotated[
    Path | None,
    typer.Option(help="The maintainers' folder for findings; default: beside the result."),
]
By = Annotated[str | None, typer.Option(help="Who checks. Default: git's user.name.")]


def rescore(
    result: Annotated[Path, typer.Argument(help="The claim: results/SUITE/NAME.json.")],
    samples: Annotated[Path, typer.Option(help="What was uploaded: samples/SUITE/NAME.")],
    reject: Annotated[
        bool, typer.Option("--reject", help="If it does not agree, reject the entry for good.")
    ] = False,
    findings: Findings = None,
    by: By = None,
) -> None:
    """Recompute the profile of every generation from what was sent and compare it with the claim.

    If all of it agrees, the entry's state becomes `re-scored`: the numbers follow from what was
    sent, whoever made that. Otherwise the status is 1.
    """
    claim = read_claim(result)
    check_open(result, findings)
    rows = rescore_claim(claim, samples, open_console(stderr=True).tell)
    agrees = bool(rows) and all(row.agrees for row in rows)
    lost = [f"{row.task}, seed {row.seed}" for row in rows if not row.agrees]
    # Kept before a word is printed, which may fail.
    if agrees:
        said = describe_agreement(claim, result, rows)
        record_state(result, "re-scored", said, findings, by)
        verdict = f"It agrees: the entry is re-scored, for {said}."
    else:
        if reject:
            said = f"its samples do not give its numbers: {'; '.join(lost)}"
            record_state(result, "rejected", said, findings, by)
        verdict = f"It does not agree: {'; '.join(lost) or 'nothing was published'}."
    console = open_console()
    console.print(rescore_table(rows))
    for row in rows:
        if row.problem:
            say(console, f"{row.task}, seed {row.seed}: {row.problem}")
    say(console, verdict)
    if not agrees:
        raise typer.Exit(1)


def rescore_table(rows: Sequence[RescoredLineage]) -> Table:
    """Claimed and recomputed primary metric of every lineage, and the metric that differs most."""
    numbers = map(number, ("claimed", "recomputed", "difference", "off by"))
    return sheet([word("lineage"), *numbers, "at", word("agrees")], map(_cells, rows), "", CAPTION)


def _cells(row: RescoredLineage) -> Sequence[str | Text]:
    found = (f"{row.recomputed:.5f}", f"{row.recomputed - row.claimed:+.5f}", f"{row.excess:.2g}")
    return (
        f"{row.task}\nseed {row.seed}",
        f"{row.claimed:.5f}",
        *(("-", "-", "-") if row.problem else found),
        row.worst if row.excess > 0 else "-",
        Text("yes", "green") if row.agrees else Text("no", "red"),
    )
