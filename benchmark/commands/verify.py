"""`autophagy verify`: a submission run again, by somebody else, on other seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmark.commands.progress import Watcher
from benchmark.commands.rescore import By, Findings
from benchmark.commands.run import parse_seeds
from benchmark.commands.tables import open_console, say
from benchmark.submission.record import record_state
from benchmark.submission.verify import verify_claim


def verify(
    folder: Annotated[
        Path, typer.Argument(help="The submission, such as submissions/NAME, or a baseline's name.")
    ],
    result: Annotated[Path, typer.Option(help="The claim: results/SUITE/NAME.json.")],
    seeds: Annotated[
        str | None, typer.Option(help="Such as 71,72. Default: three drawn now, and recorded.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the runs.")] = Path("verify-runs"),
    workers: Annotated[
        int | None, typer.Option(help="Processes at a time. Default: one a core.", min=1)
    ] = None,
    reject: Annotated[
        bool, typer.Option("--reject", help="If it does not agree, reject the entry for good.")
    ] = False,
    findings: Findings = None,
    by: By = None,
) -> None:
    """Run a submission again in the sandbox on seeds that are not public, and compare.

    Writes verified/NAME.json beside the result. If the recoveries agree within the 95% interval of
    their difference, by 0.15 at most, and the access granted is what card and claim say, the
    entry's state becomes `re-run` and the board shows the re-run's score; else the status is 1.
    """
    console = open_console()
    found = verify_claim(
        folder, result, out, parse_seeds(seeds), workers, lambda jobs: Watcher(jobs, console),
        findings, by,
    )  # fmt: skip
    say(console, f"Suite score {found.sentence}")
    say(console, f"Record: {found.record}")
    if found.agrees:
        record_state(result, "re-run", found.sentence, findings, by)
        console.print("It agrees: the entry is re-run.")
        return
    if reject:
        record_state(result, "rejected", found.sentence, findings, by)
    console.print("It does not agree.")
    raise typer.Exit(1)
