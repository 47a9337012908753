"""What was measured of a result's generations, as arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmark.results.schema import GenerationResult, LineageResult, Result

Curves = npt.NDArray[np.float64]


def sort_lineages(result: Result, task: str) -> list[LineageResult]:
    """The lineages of a task in order of their seeds."""
    return sorted(result.tasks[task].lineages, key=lambda lineage: lineage.seed)


def gather_measures(generation: GenerationResult) -> dict[str, float | None]:
    """The profile and, where a method decided it, what was trained on by true source."""
    shares: dict[str, float | None] = {}
    if generation.generation == 0:
        return generation.profile
    if generation.trained_on:
        of = generation.trained_on
        shares["trained_on_real"] = of.get("real", 0.0) + of.get("reserve", 0.0)
    for source in ("real", "synthetic"):
        if source in generation.kept:
            shares[f"kept_{source}"] = generation.kept[source]
    return generation.profile | shares


def gather_curves(result: Result, task: str, entry: str) -> Curves:
    """Values of what is called `entry`, (seeds, T + 1); NaN where a generation has none."""
    values = np.full((len(sort_lineages(result, task)), result.tasks[task].generations + 1), np.nan)
    for row, lineage in zip(values, sort_lineages(result, task), strict=True):
        for generation in lineage.generations:
            value = gather_measures(generation).get(entry) if generation.status == "ok" else None
            if value is not None and 0 <= generation.generation < len(row):
                row[generation.generation] = value
    return values


def name_measures(result: Result, task: str) -> set[str]:
    """Names of all that was measured on a task."""
    return {
        name
        for lineage in result.tasks[task].lineages
        for generation in lineage.generations
        for name in gather_measures(generation)
    }
