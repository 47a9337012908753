"""Profile entries of a result as arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmark.results import LineageResult, Result

Curves = npt.NDArray[np.float64]


def lineages(result: Result, task: str) -> list[LineageResult]:
    """The lineages of a task in order of their seeds."""
    return sorted(result.tasks[task].lineages, key=lambda lineage: lineage.seed)


def curves(result: Result, task: str, entry: str) -> Curves:
    """Values of a profile entry, (seeds, T + 1); NaN where a generation has none."""
    values = np.full((len(lineages(result, task)), result.tasks[task].generations + 1), np.nan)
    for row, lineage in zip(values, lineages(result, task), strict=True):
        for generation in lineage.generations:
            value = generation.profile.get(entry) if generation.status == "ok" else None
            if value is not None and 0 <= generation.generation < len(row):
                row[generation.generation] = value
    return values


def entries_in(result: Result, task: str) -> set[str]:
    """Names of all profile entries of a task."""
    return {
        name
        for lineage in result.tasks[task].lineages
        for generation in lineage.generations
        for name in generation.profile
    }
