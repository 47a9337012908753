"""Runs a submission again: in the sandbox, on seeds that nobody could prepare for."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from benchmark.basics.errors import InputError
from benchmark.interface.names import REFERENCES
from benchmark.results.schema import Result
from benchmark.run import grid
from benchmark.run.jobs import Job
from benchmark.submission.folder import Folder
from benchmark.tasks.suites import load_suite

DRAWN = 3  # seeds, unless they are given


def draw_seeds(public: Sequence[int], count: int = DRAWN) -> tuple[int, ...]:
    """`count` seeds from the system's own randomness, none of them public."""
    drawn: set[int] = set()
    while len(drawn) < count:
        drawn |= {secrets.randbelow(2**31)} - set(public)
    return tuple(sorted(drawn))


def rerun(
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
