"""Recoveries from lineages, as a table and as a figure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

Lineages = dict[tuple[float, str, int], np.ndarray]  # (speed, method, seed) -> (T+1,) distances


def read_lineages(path: Path) -> Lineages:
    """All lineages of a file of JSON lines; none without it."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    found = map(json.loads, lines)
    return {(x["speed"], x["method"], x["seed"]): np.array(x["log_frechet"]) for x in found}


def recoveries(lineages: Lineages, speed: float, method: str) -> list[float]:
    """Of every seed whose references are there: 1 - sum of gaps / sum of gaps of the newest crawl,
    over t >= 1."""
    found = []
    for seed in sorted({seed for s, m, seed in lineages if (s, m) == (speed, method)}):
        low, high = ((speed, name, seed) for name in ("newest crawl", "clean"))
        if low in lineages and high in lineages:
            clean = lineages[high][1:]
            gap = (lineages[speed, method, seed][1:] - clean).sum()
            found.append(float(1 - gap / (lineages[low][1:] - clean).sum()))
    return found


def print_table(lineages: Lineages, methods: Sequence[str]) -> None:
    """Rows are methods, columns speeds; recoveries of the seeds."""
    speeds = sorted({speed for speed, _, _ in lineages})
    print("| recovery at degrees a generation |", " | ".join(f"{s:g}" for s in speeds), "|")
    print("|---|" + "---|" * len(speeds))
    for method in methods:
        cells = [
            " ".join(f"{r:.2f}" for r in recoveries(lineages, speed, method)) for speed in speeds
        ]
        print(f"| {method} |", " | ".join(cells), "|")
