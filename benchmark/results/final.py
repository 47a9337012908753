"""The profile of the last generation, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmark.metrics.meanings import Metric, list_metrics
from benchmark.results.curves import curves, entries_in
from benchmark.results.schema import Result


@dataclass(frozen=True)
class Number:
    """One entry of one method: mean and spread over the lineages that reached the end."""

    mean: str
    spread: str
    seeds: int


@dataclass(frozen=True)
class Numbers:
    """Entry by entry, the numbers of every method."""

    task: str
    seeds: int
    rows: list[tuple[Metric, list[Number]]]


def numbers(results: Mapping[str, Result], task: str, methods: Sequence[str]) -> Numbers:
    """All profile entries of a task's last generation."""
    names = set().union(*(entries_in(results[m], task) for m in methods))
    rows = [
        (entry, [_number(curves(results[m], task, entry.name)[:, -1]) for m in methods])
        for entry in list_metrics(names)
    ]
    return Numbers(task, len(results[methods[0]].tasks[task].lineages), rows)


def _number(values: np.ndarray) -> Number:
    values = values[~np.isnan(values)]
    if len(values) == 0:
        return Number("-", "", 0)
    spread = f"{figure(values.min())} to {figure(values.max())}" if len(values) > 1 else ""
    return Number(figure(values.mean()), spread, len(values))


def figure(value: float) -> str:
    """Three digits that matter, but all those before the point."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:#.3g}".rstrip(".")
