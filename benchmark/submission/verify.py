"""Runs a submission again, in the sandbox, on seeds that nobody could prepare for, and compares."""

from __future__ import annotations

import datetime
import hashlib
import secrets
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from benchmark import __version__
from benchmark.basics.errors import InputError
from benchmark.basics.files import alone_in, cannot_use, read_record, write_record
from benchmark.interface.find import find_method
from benchmark.interface.names import REFERENCES, find_baselines
from benchmark.results.costs import sum_both
from benchmark.results.references import find_references
from benchmark.results.schema import MOST_SEED, Result
from benchmark.results.standings import score_result
from benchmark.runs import grid
from benchmark.runs.jobs import Job
from benchmark.submission.checks import read_submission
from benchmark.submission.claim import check_belongs, read_claim
from benchmark.submission.compare import (
    NOT_COMPARED,
    Comparison,
    compare_scores,
    compare_seconds,
    find_understated,
)
from benchmark.submission.record import (
    check_open,
    find_checker,
    record_state,
    write_verification,
)
from benchmark.submission.trust import Rerun, load_reruns

DRAWN = 3  # seeds, unless they are given
GUESSED = 2**32  # below it a method may try all seeds until one explains what it is handed


@dataclass(frozen=True)
class Submitted:
    """What is run again: a file, its source, and what card and claim say that it sees."""

    method: Path
    source: str
    access: tuple[str, ...]


@dataclass(frozen=True)
class Verification:
    """What came of running a submission again; `record` is where it is kept.

    Attributes:
        problem: why it does not agree, whatever the scores; "" if they decide.
        times: how many times the processor time of `nothing` the method took, see
            `compare_seconds`.
        drawn: the file that keeps the drawn seeds until all that was found is written down; None
            where they were given.
    """

    comparison: Comparison
    seeds: tuple[int, ...]
    record: Path
    problem: str = ""
    times: float | None = None
    drawn: Path | None = None

    @property
    def agrees(self) -> bool:
        return self.comparison.agrees and not self.problem

    @property
    def sentence(self) -> str:
        """Claim, re-run, and their difference with its interval."""
        found = self.comparison
        said = (
            f"claimed {found.claimed:.3f}, re-run {found.rerun:.3f}, difference "
            f"{found.difference:+.3f} [{found.low:+.3f}, {found.high:+.3f}], "
            f"{len(self.seeds)} other seeds"
        )
        if self.times is not None:
            said += f", {self.times:.1f} times the processor time of nothing"
        return f"{said}; {self.problem}" if self.problem else said

    def forget_seeds(self) -> None:
        """Have the next re-run draw its own seeds; until then the same command repeats this one."""
        if self.drawn is not None:
            self.drawn.unlink(missing_ok=True)


def verify_claim(
    folder: Path,
    result: Path,
    out: Path,
    seeds: Sequence[int] | None = None,
    workers: int | None = None,
    watch: Callable[[list[Job]], AbstractContextManager[object]] = lambda jobs: nullcontext(),
    findings: Path | None = None,
    by: str | None = None,
) -> Verification:
    """Run the submission in `folder` on other seeds than its claim `result`, and compare.

    What was found is written into verified/ beside the claim, whatever it is.

    Args:
        folder: of the submission; or the name of a baseline, whose own entry is checked alike.
        out: for the runs; what is finished there is not run again.
        seeds: two or more that nobody could guess, such as those of an earlier record; without
            it some are drawn, and kept in `out` until `Verification.forget_seeds`: a re-run that
            was stopped goes on.
        findings: the maintainers' folder, see `benchmark.submission.trust.trust_file`.
        by: who checks; without it whoever runs this.

    Raises:
        InputError: the claim is not of this submission, was rejected or cannot be scored, or it
            cannot be run.
        CorruptFile: a file is damaged.
    """
    claim = read_claim(result)
    check_open(result, findings)
    digest = hashlib.sha256(result.read_bytes()).hexdigest()
    claimed = score_result(claim, *find_references(claim, result).values()).recoveries
    given = read_submitted(folder, claim, result)
    kept = out / "seeds" / f"{digest}.json"
    chosen = tuple(sorted(set(seeds))) if seeds else recall_seeds(kept)
    if len(chosen) < 2:
        raise InputError("a re-run of one seed says nothing of chance: give at least two --seeds")
    own, references = rerun_submission(given, claim.suite, chosen, out, workers, watch)
    scored = score_result(own, *(references[name] for name in REFERENCES))
    problem = _find_problem(given, claim, own, claimed, scored.recoveries)
    shared = [task for task in claimed if claimed[task] and scored.recoveries[task]]
    if shared:
        found = compare_scores(
            [claimed[task] for task in shared], [scored.recoveries[task] for task in shared]
        )
    elif problem:
        found = NOT_COMPARED
    else:
        raise InputError(f"{result} suits none of the tasks, nor does the re-run: nothing to check")
    checker, times = find_checker(by), compare_seconds(own, references["nothing"])
    took = sum_both(own, references["nothing"])
    record = Rerun(
        benchmark_version=__version__,
        suite=claim.suite,
        method=claim.method.name,
        source=given.source,
        result_sha256=digest,
        seeds=tuple(str(seed) for seed in chosen),
        seeds_drawn=seeds is None,
        access=tuple(own.method.access),
        recoveries={task: tuple(of) for task, of in scored.recoveries.items()},
        failed=scored.failed,
        costs=took[0],
        nothing=took[1],
        times=None if times is None else round(times, 3),
        comparison=asdict(found),
        agrees=found.agrees and not problem,
        problem=problem,
        failures=tuple(sentence[:500] for sentence in own.failures),
        date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        **checker._asdict(),
    )
    written = write_verification(result, record, findings)
    return Verification(found, chosen, written, problem, times, None if seeds else kept)


def recall_disagreement(result: Path, findings: Path | None = None) -> Verification | None:
    """What the last re-run of that result found, if it did not agree: a rejection, for which
    objections are awaited, follows from that, not from further seeds.

    Raises:
        InputError: the result cannot be read.
        CorruptFile: a record is damaged.
    """
    records = load_reruns(result, findings)
    if not records:
        return None
    # The time of the file tells those of one second apart.
    last, found = max(records.items(), key=lambda of: (of[1].date, of[0].stat().st_mtime_ns))
    if found.agrees:
        return None
    comparison = Comparison(**{f.name: found.comparison[f.name] for f in fields(Comparison)})
    seeds = tuple(map(int, found.seeds))
    doubted = Verification(comparison, seeds, last, found.problem, found.times)
    return None if doubted.agrees else doubted


def record_verification(
    result: Path, found: Verification, reject: bool, findings: Path | None, by: str | None
) -> None:
    """Raise the entry's state by what was found; reject it only if that is asked for.

    Raises:
        InputError: it was rejected before, or a file cannot be read or written.
        CorruptFile: the stored state is damaged.
    """
    if found.agrees:
        record_state(result, "re-run", found.sentence, findings, by, found.record)
    elif reject:
        record_state(result, "rejected", found.sentence, findings, by, found.record)


def read_submitted(folder: Path, claim: Result, result: Path) -> Submitted:
    """The submission in `folder`, or the baseline of that name, whose claim is `result`.

    Raises:
        InputError: the claim is not of it.
    """
    name = str(folder)
    if name in REFERENCES:
        raise InputError(f"{name} is a reference, which others are compared with: verify a method")
    if name in find_baselines():
        method = find_method(name)
        if (claim.method.name, claim.method.source) != (name, method.source):
            raise InputError(f"{result} is not of the baseline {name} as it is now: run it again")
        access = tuple(a.name for a in method.access)
        return Submitted(find_baselines()[name], method.source, access)
    submission, card, written = read_submission(folder)
    check_belongs(claim, result, submission, card, written.summary)
    return Submitted(submission.method, submission.source, tuple(card.access))


def _find_problem(
    given: Submitted,
    claim: Result,
    own: Result,
    claimed: dict[str, list[float]],
    again: dict[str, list[float]],
) -> str:
    """What no score makes good: access that differs from what is said, tasks left out, or costs
    that are claimed too low."""
    granted = sorted(own.method.access)
    for said, names in (("the card", given.access), ("the claim", claim.method.access)):
        if granted != sorted(names):
            return (
                f"the re-run was granted [{', '.join(granted)}], {said} says "
                f"[{', '.join(sorted(names))}]"
            )
    for task in claimed:
        if bool(claimed[task]) != bool(again[task]):
            return f"only one of claim and re-run is applicable to {task}"
    return find_understated(claim, own)


def draw_seeds(count: int = DRAWN) -> tuple[int, ...]:
    """`count` seeds below 2^63 from the system's own randomness, all of them such as `GUESSED`
    lets pass: nobody could have tried them all beforehand."""
    drawn: set[int] = set()
    while len(drawn) < count:
        drawn.add(GUESSED + secrets.randbelow(MOST_SEED + 1 - GUESSED))
    return tuple(sorted(drawn))


def recall_seeds(file: Path) -> tuple[int, ...]:
    """The seeds in `file`, of a re-run that was stopped; without it some are drawn and kept there,
    for the eyes of whoever runs this.

    Raises:
        InputError: the folder cannot be written.
        CorruptFile: the file is damaged.
    """
    with alone_in(file.parent):
        if not file.exists():
            write_record(file, {"seeds": draw_seeds()}, mode=0o600)
        seeds = read_record(file).get("seeds")
        if not isinstance(seeds, list) or not all(type(seed) is int for seed in seeds):
            raise cannot_use(file, "it holds no seeds")
        return tuple(seeds)


def rerun_submission(
    given: Submitted,
    suite: str,
    seeds: Sequence[int],
    out: Path,
    workers: int | None = None,
    watch: Callable[[list[Job]], AbstractContextManager[object]] = lambda jobs: nullcontext(),
) -> tuple[Result, dict[str, Result]]:
    """The method's result and those of both references, all of them run here.

    What is finished under `out` is not run again.

    Raises:
        InputError: a seed can be guessed, there is no sandbox, or the folder cannot be written.
        CorruptFile: a file of an earlier run is damaged.
    """
    if min(seeds) < GUESSED:
        raise InputError(
            f"the seed {min(seeds)} can be guessed by a method, as any below {GUESSED:,}: leave "
            f"--seeds out, and three are drawn, or give those of an earlier record"
        )
    results = grid.run(
        given.method,
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
    if own.method.source != given.source:
        raise InputError(f"{given.method} changed during the run: run the same command again")
    return own, references
