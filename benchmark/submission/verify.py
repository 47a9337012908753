"""Runs a submission again, in the sandbox, on seeds that nobody could prepare for, and compares."""

from __future__ import annotations

import datetime
import hashlib
import secrets
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmark import __version__
from benchmark.basics.errors import InputError
from benchmark.interface.names import REFERENCES
from benchmark.results.references import find_references
from benchmark.results.schema import Result
from benchmark.results.standings import score_result
from benchmark.runs import grid
from benchmark.runs.jobs import Job
from benchmark.submission.checks import read_submission
from benchmark.submission.claim import check_belongs, read_claim
from benchmark.submission.compare import Comparison, compare_scores
from benchmark.submission.folder import Folder
from benchmark.submission.record import write_verification
from benchmark.tasks.suites import load_suite

DRAWN = 3  # seeds, unless they are given


@dataclass(frozen=True)
class Verification:
    """What came of running a submission again; `record` is where it is kept."""

    comparison: Comparison
    seeds: tuple[int, ...]
    record: Path

    @property
    def sentence(self) -> str:
        """Claim, re-run, and their difference with its interval."""
        found = self.comparison
        return (
            f"claimed {found.claimed:.3f}, re-run {found.rerun:.3f}, difference "
            f"{found.difference:+.3f} [{found.low:+.3f}, {found.high:+.3f}], "
            f"{len(self.seeds)} other seeds"
        )


def verify_claim(
    folder: Path,
    result: Path,
    out: Path,
    seeds: Sequence[int] | None = None,
    workers: int | None = None,
    watch: Callable[[list[Job]], AbstractContextManager[object]] = lambda jobs: nullcontext(),
) -> Verification:
    """Run the submission in `folder` on other seeds than its claim `result`, and compare.

    What was found is written to verified/NAME.json beside the claim, whatever it is.

    Args:
        out: for the runs; what is finished there is not run again.
        seeds: none of them public; without it some are drawn.

    Raises:
        InputError: the claim is not of this submission or cannot be scored, or it cannot be run.
        CorruptFile: a file is damaged.
    """
    claim = read_claim(result)
    claimed = _recoveries(claim, *find_references(claim, result).values())
    submission, card, written = read_submission(folder)
    check_belongs(claim, result, submission, card, written.summary)
    public = load_suite(claim.suite).seeds
    chosen = tuple(sorted(set(seeds))) if seeds else draw_seeds(public)
    own, references = rerun_submission(submission, claim.suite, chosen, out, workers, watch)
    if sorted(own.method.access) != sorted(card.access):
        raise InputError(
            f"{submission.method} declares another access in the re-run than on card.yaml: write "
            f"access as a constant"
        )
    found = compare_scores(claimed, _recoveries(own, *(references[name] for name in REFERENCES)))
    record = {
        "benchmark_version": __version__,
        "suite": claim.suite,
        "method": card.name,
        "source": submission.source,
        "result_sha256": hashlib.sha256(result.read_bytes()).hexdigest(),
        "seeds": list(chosen),
        "seeds_drawn": seeds is None,
        "agrees": found.agrees,
        "comparison": asdict(found),
        "failures": own.failures,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    return Verification(found, chosen, write_verification(result, record))


def _recoveries(result: Result, nothing: Result, oracle: Result) -> list[list[float]]:
    """(tasks, seeds), the tasks in the suite's order."""
    of = score_result(result, nothing, oracle).recoveries
    return [of[task.name] for task in load_suite(result.suite).tasks]


def draw_seeds(public: Sequence[int], count: int = DRAWN) -> tuple[int, ...]:
    """`count` seeds from the system's own randomness, none of them public."""
    drawn: set[int] = set()
    while len(drawn) < count:
        drawn |= {secrets.randbelow(2**31)} - set(public)
    return tuple(sorted(drawn))


def rerun_submission(
    folder: Folder,
    suite: str,
    seeds: Sequence[int],
    out: Path,
    workers: int | None = None,
    watch: Callable[[list[Job]], AbstractContextManager[object]] = lambda jobs: nullcontext(),
) -> tuple[Result, dict[str, Result]]:
    """The method's result and those of both references, all of them run here.

    What is finished under `out` is not run again.

    Raises:
        InputError: a seed is public, there is no sandbox, or the folder cannot be written.
        CorruptFile: a file of an earlier run is damaged.
    """
    public = load_suite(suite).seeds
    if set(seeds) & set(public):
        raise InputError(f"the seeds {', '.join(map(str, public))} are public: give others")
    results = grid.run(
        folder.method,
        suite=suite,
        seeds=seeds,
        workers=workers,
        out=out,
        own_references=True,
        isolated=True,
        watch=watch,
    )
    references = {name: results.pop(name) for name in REFERENCES}
    (own,) = results.values()
    if own.method.source != folder.source:
        raise InputError(f"{folder.method} changed during the run: run the same command again")
    return own, references
