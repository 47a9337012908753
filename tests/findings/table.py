"""Recoveries from lineages, as a table and as a figure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.results.statistics import recovery

Lineages = dict[tuple[float, str, int], np.ndarray]  # (speed, method, seed) -> (T+1,) distances


def read_lineages(path: Path) -> Lineages:
    """All lineages of a file of JSON lines; none without it."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    found = map(json.loads, lines)
    return {(x["speed"], x["method"], x["seed"]): np.array(x["log_frechet"]) for x in found}


def add_line(path: Path, found: Mapping[str, Any]) -> None:
    """Keep what was computed as one more line of a file of JSON lines."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(found) + "\n")


def recoveries(lineages: Lineages, speed: float, method: str) -> list[float]:
    """Of every seed whose references are there; 0 is the newest crawl as it is."""
    found = []
    for seed in sorted({seed for s, m, seed in lineages if (s, m) == (speed, method)}):
        low, high = ((speed, name, seed) for name in ("newest crawl", "clean"))
        if low in lineages and high in lineages:
            curves = (lineages[key].tolist() for key in ((speed, method, seed), low, high))
            found.append(recovery(*curves))
    return found


def write_table(lineages: Lineages, methods: Sequence[str]) -> str:
    """Rows are methods, columns speeds; the mean recovery, and those of the seeds."""
    speeds = sorted({speed for speed, _, _ in lineages})
    rows = [
        "| method | " + " | ".join(f"{speed:g}" for speed in speeds) + " |",
        "|---|" + "---|" * len(speeds),
    ]
    for method in methods:
        found = [recoveries(lineages, speed, method) for speed in speeds]
        cells = [
            f"{np.mean(values):.2f} ({' '.join(f'{v:.2f}' for v in values)})" if values else ""
            for values in found
        ]
        rows.append(f"| {method} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def fill_page(page: str, table: str, name: str) -> str:
    """`page` with the table between the marks of the file `name`, which are not those of the
    board's tables in the same page."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, rest = page.split(begin)
    _, after = rest.split(end)
    return f"{before}{begin}\n\n{table}\n\n{end}{after}"


def describe_noise(lineages: Lineages, speed: float) -> dict[str, list[float]]:
    """By seed: the newest crawl's sum of gaps and its gap at T, and the spread of clean over t."""
    found: dict[str, list[float]] = {"sum of gaps": [], "gap at T": [], "sd of clean over t": []}
    for (s, method, seed), low in sorted(lineages.items()):
        if (s, method) == (speed, "newest crawl") and (speed, "clean", seed) in lineages:
            clean = lineages[speed, "clean", seed][1:]
            found["sum of gaps"].append(float((low[1:] - clean).sum()))
            found["gap at T"].append(float(low[-1] - clean[-1]))
            found["sd of clean over t"].append(float(clean.std(ddof=1)))
    return found
