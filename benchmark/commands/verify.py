"""`autophagy verify`: a submission run again, by somebody else, on other seeds."""

from __future__ import annotations

import datetime
import hashlib
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from benchmark.commands.terminal import Terminal


def verify(
    folder: Annotated[Path, typer.Argument(help="The submission, such as submissions/NAME.")],
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
) -> None:
    """Run a submission again in the sandbox on seeds that are not public, and compare.

    Writes verified/NAME.json beside the result. If the recoveries agree within the 95% interval of
    their difference, the entry's state becomes `re-run`; otherwise the status is 1.
    """
    os.environ["OMP_NUM_THREADS"] = "1"  # before torch is loaded
    from benchmark import __version__
    from benchmark.commands.progress import Watcher
    from benchmark.commands.run import parse_seeds
    from benchmark.results.scores import recoveries_of, references_of
    from benchmark.submission.checks import read_submission
    from benchmark.submission.claim import check_belongs, read_result
    from benchmark.submission.compare import compare
    from benchmark.submission.record import record_state, write_verification
    from benchmark.submission.rerun import draw_seeds, rerun
    from benchmark.tasks.suites import load_suite

    console = Terminal()
    claim = read_result(result)
    claimed = recoveries_of(claim, references_of(claim, result))
    submission, card, written = read_submission(folder)
    check_belongs(claim, result, submission, card, written.summary)
    wanted = parse_seeds(seeds)
    chosen = tuple(sorted(set(wanted))) if wanted else draw_seeds(load_suite(claim.suite).seeds)
    own, references = rerun(
        submission, claim.suite, chosen, out, workers, watch=lambda jobs: Watcher(jobs, console)
    )
    comparison = compare(claimed, recoveries_of(own, references))
    record = {
        "benchmark_version": __version__,
        "suite": claim.suite,
        "method": card.name,
        "source": submission.source,
        "result_sha256": hashlib.sha256(result.read_bytes()).hexdigest(),
        "seeds": list(chosen),
        "seeds_drawn": wanted is None,
        "agrees": comparison.agrees,
        "comparison": asdict(comparison),
        "failures": own.failures,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    path = write_verification(result, record)
    said = (
        f"claimed {comparison.claimed:.3f}, re-run {comparison.rerun:.3f}, difference "
        f"{comparison.difference:+.3f} [{comparison.low:+.3f}, {comparison.high:+.3f}], "
        f"{len(chosen)} other seeds"
    )
    console.print(escape(f"Suite score {said}"), soft_wrap=True)
    console.print(escape(f"Record: {path}"), soft_wrap=True)
    if comparison.agrees:
        record_state(result, "re-run", said)
        console.print("It agrees within the interval: the entry is re-run.")
        return
    if reject:
        record_state(result, "rejected", said)
    console.print("It does not agree within the interval.")
    raise typer.Exit(1)
