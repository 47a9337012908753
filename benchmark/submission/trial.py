"""A short trial of a method in the sandbox: all modalities at a toy size, twice."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from benchmark.basics.cache import Cache, FolderCache
from benchmark.basics.processor import settle
from benchmark.interface.access import Access
from benchmark.interface.generator import Sampling
from benchmark.interface.items import Items, TrainingSet
from benchmark.interface.mitigation import Mitigation
from benchmark.interface.round import Round
from benchmark.lineage.loop import run_lineage
from benchmark.lineage.store import LineageMemory
from benchmark.tasks.suites import load_task, shrink_task

TASKS = ("digits-replace", "speeches-replace", "numerals-replace")
SEED = 0
UNUSABLE = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)


@dataclass
class Trial:
    """What came of one run through these tasks.

    Attributes:
        records: task -> the generations' records, without times.
        samples: task -> digests of what the generations published.
        touched: the accesses that the method made use of.
        access: the accesses that its class declares.
    """

    access: frozenset[Access]
    records: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    samples: dict[str, list[str]] = field(default_factory=dict)
    touched: set[Access] = field(default_factory=set)

    @property
    def failures(self) -> list[str]:
        """Task and message of every lineage that did not reach its end, though it began."""
        last = {task: records[-1] for task, records in self.records.items()}
        fine = ("ok", "inapplicable")
        return [f"{task}: {r['message']}" for task, r in last.items() if r["status"] not in fine]


@contextmanager
def run_trials(file: Path, class_name: str) -> Iterator[Iterator[Trial]]:
    """Two trials, the second with the tasks in reverse order: what a method draws from elsewhere
    than its round then shows. What it can see of its sandbox is as in any run."""
    settle()
    with tempfile.TemporaryDirectory(prefix="autophagy-validate-") as folder:
        cache = FolderCache(Path(folder))
        yield (_trial(file, class_name, tasks, cache) for tasks in (TASKS, TASKS[::-1]))


def _trial(file: Path, class_name: str, tasks: tuple[str, ...], cache: Cache) -> Trial:
    from benchmark.runs.sandbox import Bounds, isolate_method

    with isolate_method(file, class_name, Bounds(seconds=30)) as method:
        trial = Trial(frozenset(method.access))
        watched = _watched(method, trial.touched)
        for name in tasks:
            store = LineageMemory()
            try:
                records = run_lineage(
                    shrink_task(load_task(name, "closed")), watched, SEED, store, cache
                )
            except UNUSABLE as error:  # what a hook hands over may break anything
                said = f"what a hook returned cannot be used ({type(error).__name__}: {error})"
                records = [{"status": "failed", "message": said}]
            trial.records[name] = [_timeless(record) for record in records]
            trial.samples[name] = [store.samples(t).digest() for t in store.published]
    return trial


def _timeless(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "seconds"}


def _watched(method: type[Mitigation], touched: set[Access]) -> type[Mitigation]:
    """`method`, with every access that a round hands out noted in `touched`."""

    class Granted(dict):
        def __getitem__(self, access: Access) -> Any:
            touched.add(access)
            return super().__getitem__(access)

    def watch(round: Round) -> Round:
        if not isinstance(round._granted, Granted):
            round._granted = Granted(round._granted)
        return round

    class Watched(method):  # type: ignore[misc,valid-type]
        def curate(self, crawl: Items, round: Round) -> TrainingSet:
            return super().curate(crawl, watch(round))

        def adjust(self, model: nn.Module, round: Round) -> nn.Module:
            return super().adjust(model, watch(round))

        def sampling(self, round: Round) -> Sampling:
            return super().sampling(watch(round))

    Watched.__name__ = method.__name__
    return Watched
