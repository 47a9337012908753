"""Measures what a run costs as it grows: `python -m tests.speed.scaling --out docs/scaling.svg`.

Processor time and memory of a lineage against generations and items; time of a grid against
methods and workers.
Every measurement is a process of its own, at toy size: a few minutes altogether.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from tests.speed.scaling_figure import draw

TASKS = ("digits-web", "speeches-web")
GENERATIONS = 12
ITEMS = (250, 1_000, 3_600)  # images; a quarter as many blocks of text
METHODS = (1, 2, 4)
MATRIX = 1_536  # side of the matrices whose products show what a second process can gain at most


@dataclass(frozen=True)
class Point:
    """One measurement: processor time in seconds, resident memory in megabytes (10^6 bytes)."""

    task: str
    generations: int
    items: int
    seconds: float
    memory: float


def scaled(name: str, generations: int, items: int) -> Any:
    """The small suite's task with so many generations and items, and few optimiser steps."""
    from benchmark.tasks.suites import load_task, shorten_task

    task: Any = shorten_task(load_task(name, "small"), generations)
    n = items if task.modality == "image" else items // 4
    foreign = tuple(replace(recipe, steps=8) for recipe in task.foreign)
    generator, data = replace(task.generator, steps=8), replace(task.data, heldout=200)
    return replace(
        task,
        n=n,
        reserve=n // 10,
        data=data,
        generator=generator,
        foreign=foreign,
    )


def lineage(name: str, generations: int, items: int) -> list[tuple[float, float]]:
    """(processor seconds so far, resident megabytes) when each generation is finished."""
    from benchmark.basics.cache import FolderCache
    from benchmark.basics.processor import settle
    from benchmark.interface.mitigation import Mitigation
    from benchmark.lineage.loop import run_lineage
    from benchmark.lineage.store import LineageFolder

    class Watched(LineageFolder):
        def end(self, t: int, record: dict[str, Any]) -> None:
            super().end(t, record)
            found.append((time.process_time() - start, _resident()))

    settle()
    task = scaled(name, generations, items)
    found: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        run_lineage(
            task, Mitigation, 0, Watched(Path(folder) / "a"), FolderCache(Path(folder) / "c")
        )
    return found


def grid(methods: int, workers: int) -> float:
    """Wall seconds of a grid of two lineages a method, the workers having been started."""
    from benchmark.interface.find import find_method
    from benchmark.runs import backends
    from benchmark.runs.grid import execute
    from benchmark.runs.jobs import plan

    names = ("nothing", "clean", "accumulate_subsample", "anchor")[:methods]
    with tempfile.TemporaryDirectory() as folder:

        def run(out: str, count: int, generations: int, items: int) -> float:
            task = scaled("digits-web", generations, items)
            chosen = [find_method(name) for name in names]
            jobs = plan(chosen[:count] or chosen, "quick", [task], range(2), Path(folder) / out)
            (Path(folder) / out).mkdir()
            start = time.perf_counter()
            outcomes = execute(jobs, partial(backends.local, workers=workers))
            assert all(outcome.error is None for outcome in outcomes)
            return time.perf_counter() - start

        run("started", 1, 0, 100)
        return run("timed", methods, 4, 1_000)


def products() -> float:
    """Wall seconds of matrix products on one thread: nothing but arithmetic."""
    import torch

    from benchmark.basics.processor import settle

    settle()
    x = torch.randn(MATRIX, MATRIX)
    start = time.perf_counter()
    for _ in range(40):
        x @ x
    return time.perf_counter() - start


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text("utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def measured(*calls: tuple[Any, ...]) -> list[Any]:
    """What each of `calls` (a function's name and its arguments) returns in a process of its own,
    all of them at the same time."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    command = [sys.executable, "-m", "tests.speed.scaling", "--call"]
    running = [
        subprocess.Popen([*command, json.dumps(c)], stdout=subprocess.PIPE, text=True,
                         env=environment)
        for c in calls
    ]  # fmt: skip
    return [json.loads(process.communicate()[0].splitlines()[-1]) for process in running]


def main() -> None:
    """Measure, print a table, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/scaling.svg"))
    parser.add_argument("--call", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.call:
        name, *arguments = options.call
        print(json.dumps(globals()[name](*arguments)))
        return

    growth, size = [], []
    for task in TASKS:
        for items, generations in [(1_000, GENERATIONS), *((n, 2) for n in ITEMS)]:
            (found,) = measured(("lineage", task, generations, items))
            points = [Point(task, t, items, *point) for t, point in enumerate(found)]
            if generations == GENERATIONS:
                growth += points
            else:
                last = points[-1].seconds - points[-2].seconds
                size.append(replace(points[-1], seconds=last))
            for point in points[:: max(1, generations // 4)]:
                print(f"{task:13} generation {point.generations:2}  {items:5} items  "
                      f"{point.seconds:6.1f} s  {point.memory:6.0f} MB", flush=True)  # fmt: skip
    grids = {}
    for workers in (1, 2):
        for methods in METHODS:
            (grids[methods, workers],) = measured(("grid", methods, workers))
            print(f"{methods} methods  {workers} workers  {grids[methods, workers]:6.1f} s",
                  flush=True)  # fmt: skip
    (alone,), both = measured(("products",)), measured(("products",), ("products",))
    ceiling = 2 * alone / max(both)
    gain = grids[max(METHODS), 1] / grids[max(METHODS), 2]
    print(f"from 1 to 2 workers: {gain:.2f} times the speed; matrix products alone {ceiling:.2f}; "
          f"ratio {gain / ceiling:.2f}")  # fmt: skip
    draw(growth, size, grids, options.out)
    print(f"Figure: {options.out}")


if __name__ == "__main__":
    main()
