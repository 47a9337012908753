"""Does bf16 change a conclusion? Runs methods again in float32 and compares their recoveries.

    python -m benchmark.precision leaderboard/results/small/anchor.json

Tasks and seeds are those of the results, which were computed in bf16; the references `nothing` and
`oracle` are run in float32, too. Nothing that is computed here counts as a result: lineages and
cache lie in a folder of their own, and the same command goes on with them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from benchmark import backends, lineage, score
from benchmark.collect import collect
from benchmark.comparison import read
from benchmark.errors import AutophagyError, InputError
from benchmark.files import alone_in
from benchmark.grid import execute
from benchmark.jobs import Job, Outcome, plan
from benchmark.methods import REFERENCES, find_method
from benchmark.progress import Watcher
from benchmark.results import Origin, Result
from benchmark.standings import Standing, seeds_of, standings
from benchmark.tasks import load_suite

CAPTION = (
    "Recoveries, mean over seeds. Difference: float32 minus bf16, seed by seed, with its 95% "
    "interval."
)


def work(job: Job) -> Outcome:
    """A lineage whose models compute in float32."""
    import torch

    from benchmark.generators import training

    usual, training.ARITHMETIC = training.ARITHMETIC, torch.float32
    try:
        return lineage.work(job)
    finally:
        training.ARITHMETIC = usual


def again(results: Mapping[str, Result], out: Path, workers: int) -> dict[str, Result]:
    """The same methods on the same tasks and seeds, in float32.

    Raises:
        InputError: a method or a task has changed since its result.
    """
    some = next(iter(results.values()))
    tasks = [task for task in load_suite(some.suite).tasks if task.name in some.tasks]
    methods = {name: find_method(name) for name in results}
    hashes = {task.name: task.hash for task in tasks}
    for name, result in results.items():
        if hashes != {task: entry.hash for task, entry in result.tasks.items()}:
            raise InputError(
                f"the result of {name!r} is of other versions of its tasks: run it again first"
            )
        if methods[name].source != result.method.source and name not in REFERENCES:
            raise InputError(f"{name!r} has changed since its result: run it again first")
    seeds = seeds_of(some, tasks[0].name)
    jobs = plan(methods.values(), some.suite, tasks, seeds, out)
    with alone_in(out), Watcher(jobs, Console(stderr=True)):
        outcomes = execute(jobs, partial(backends.local, workers=workers), work)
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
    own: dict[str, Origin] = dict.fromkeys(REFERENCES, "own")
    done = {n: [o for o in outcomes if o.job.method.name == n] for n in methods}
    return {n: collect(method, some.suite, done[n], own) for n, method in methods.items()}


def table(usual: list[Standing], exact: list[Standing]) -> Table:
    """One row for each method and task, and one for each method's score."""
    sheet = Table(caption=CAPTION, caption_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    sheet.add_column("method, task", no_wrap=True)
    for heading in ("bf16", "float32", "difference", "95% interval"):
        sheet.add_column(heading, justify="right", no_wrap=True)
    of = {standing.method: standing for standing in exact}
    for standing in usual:
        if standing.reference:
            continue
        names = list(standing.recoveries)
        both = np.array([list(s.recoveries.values()) for s in (standing, of[standing.method])])
        parts = [(standing.method, both)]
        parts += [(f"  {name}", both[:, [i]]) for i, name in enumerate(names)]
        for name, part in parts:
            low, high = score.intervals(part[1] - part[0])
            before, after = score.suite_score(part)
            sheet.add_row(
                name,
                f"{before:z.3f}",
                f"{after:z.3f}",
                f"{after - before:z.3f}",
                f"{low:z.3f} to {high:z.3f}",
            )
    return sheet


def main() -> None:
    """Run what is not finished, and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, nargs="+", help="result files of one suite")
    parser.add_argument("--out", type=Path, default=Path("runs/float32"))
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    try:
        usual = {result.method.name: result for result in read(options.results).values()}
        exact = again(usual, options.out, options.workers)
        Console().print(table(standings(usual), standings(exact)))
    except AutophagyError as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
