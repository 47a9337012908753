"""The stored baseline and the table that `make bench` prints."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

BASELINE = Path(__file__).parent / "baseline.json"


@dataclass
class Row:
    """One case: processor seconds, and those of a 1024^3 float32 product beside it.

    `shares`: of the rate of a large product and of one of the model's own shape.
    `speedup`: the peer's seconds over ours.
    """

    name: str
    seconds: float
    gemm: float
    shares: tuple[float, float] | None = None
    speedup: float | None = None


def save(rows: list[Row]) -> None:
    """Make `rows` the baseline: of every case its seconds and those of the product beside it."""
    capability = torch.backends.cpu.get_cpu_capability()
    machine = f"{platform.system()} {platform.machine()}, {capability}, {os.cpu_count()} cores"
    cases = {r.name: {"seconds": round(r.seconds, 6), "gemm": round(r.gemm, 6)} for r in rows}
    BASELINE.write_text(json.dumps({"machine": machine, "cases": cases}, indent=1) + "\n")


def ratio(row: Row, stored: dict[str, dict[str, float]]) -> float | None:
    """Time over the baseline's, each in units of its own session's product; 1 = as fast."""
    if row.name not in stored:
        return None
    before = stored[row.name]
    return (row.seconds / row.gemm) / (before["seconds"] / before["gemm"])


def show(rows: list[Row]) -> None:
    """Print a line for each case."""
    document = json.loads(BASELINE.read_text()) if BASELINE.exists() else {"cases": {}}
    table = Table(
        title="Processor time on one thread",
        caption=f"baseline: {document.get('machine', 'none stored')}; "
        "ratios are in units of a matrix product timed beside each case",
    )
    table.add_column("case")
    for name in ("ms", "of GEMM 1024", "of own GEMM", "time / baseline", "times the peer's speed"):
        table.add_column(name, justify="right")
    for row in rows:
        large, own = row.shares or (None, None)
        last = (ratio(row, document["cases"]), row.speedup)
        table.add_row(
            row.name,
            f"{1e3 * row.seconds:.2f}",
            *("" if share is None else f"{share:.0%}" for share in (large, own)),
            *("" if x is None else f"{x:.2f}" for x in last),
        )
    Console(width=110).print(table)


def show_generations(seconds: dict[str, dict[str, float]]) -> None:
    """Print what one generation of each task costs, by stage."""
    stages = list(dict.fromkeys(stage for laps in seconds.values() for stage in laps))
    table = Table(title="One generation, processor seconds of one thread")
    table.add_column("task")
    for name in (*stages, "all", "share of evaluate"):
        table.add_column(name, justify="right")
    for task, laps in seconds.items():
        total = sum(laps.values())
        numbers = [f"{laps.get(stage, 0.0):.2f}" for stage in stages]
        table.add_row(task, *numbers, f"{total:.2f}", f"{laps['evaluate'] / total:.1%}")
    Console(width=110).print(table)
