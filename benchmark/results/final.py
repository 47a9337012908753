"""The profile of the last generation, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmark.metrics.meanings import Metric, list_metrics
from benchmark.results.curves import gather_curves, name_measures
from benchmark.results.rows import INAPPLICABLE
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


def summarise_profiles(results: Mapping[str, Result], task: str, methods: Sequence[str]) -> Numbers:
    """All profile entries of a task's last generation."""
    names = set().union(*(name_measures(results[m], task) for m in methods))
    rows = [
        (entry, [_number(results[m], task, entry.name) for m in methods])
        for entry in list_metrics(names)
    ]
    return Numbers(task, len(results[methods[0]].tasks[task].lineages), rows)


def _number(result: Result, task: str, entry: str) -> Number:
    values = gather_curves(result, task, entry)[:, -1]
    values = values[~np.isnan(values)]
    if len(values) == 0:
        return Number("-" if result.tasks[task].applicable else INAPPLICABLE, "", 0)
    least, most = format_figure(values.min()), format_figure(values.max())
    spread = f"{least} to {most}" if len(values) > 1 else ""
    return Number(format_figure(values.mean()), spread, len(values))


def format_figure(value: float) -> str:
    """Three digits that matter, but all those before the point."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:#.3g}".rstrip(".")
