"""The table at the end of a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

from rich.table import Table

from benchmark.results import Result
from benchmark.score import recovery

METRICS = {"log_frechet": "log Frechet distance", "heldout_loss": "held-out loss (nats/token)"}


@dataclass(frozen=True)
class Row:
    """One method on one task, averaged over seeds; None where a lineage failed."""

    method: str
    task: str
    metric: str
    final: float | None
    nothing: float
    oracle: float
    recoveries: list[float]
    cpu_seconds: float
    failed: int


def rows(method: Result, nothing: Result, oracle: Result) -> Iterable[Row]:
    """One row a task."""
    for name, task in method.tasks.items():
        lower = {x.seed: x.curve(task.primary) for x in nothing.tasks[name].lineages}
        upper = {x.seed: x.curve(task.primary) for x in oracle.tasks[name].lineages}
        curves = {x.seed: x.curve(task.primary) for x in task.lineages}
        complete = [c for c in curves.values() if len(c) == task.generations + 1]
        seconds = [sum(g.seconds.values()) for x in task.lineages for g in x.generations]
        yield Row(
            method=method.method.name,
            task=name,
            metric=task.primary,
            final=fmean(c[-1] for c in complete) if len(complete) == len(curves) else None,
            nothing=fmean(c[-1] for c in lower.values()),
            oracle=fmean(c[-1] for c in upper.values()),
            recoveries=[recovery(curves[s], lower[s], upper[s]) for s in curves],
            cpu_seconds=sum(seconds),
            failed=len(curves) - len(complete),
        )


def table(results: dict[str, Result]) -> Table:
    """Final primary metric of each method beside both references, recovery and cost."""
    some = next(iter(results.values()))
    seeds = len(next(iter(some.tasks.values())).lineages)
    caption = (
        f"Suite {some.suite}, {seeds} seed{'s' if seeds > 1 else ''}. Final: last generation, "
        "mean over seeds, lower is better. Recovery: 1 = as good as real data only, 0 = no "
        "mitigation; [least, most] over seeds."
    )
    sheet = Table(caption=caption, caption_justify="left")
    for heading in ("method", "task"):
        sheet.add_column(heading, no_wrap=True)
    for heading in ("final", "nothing", "oracle", "recovery", "CPU min"):
        sheet.add_column(heading, justify="right", no_wrap=True)
    for result in results.values():
        for row in rows(result, results["nothing"], results["oracle"]):
            spread = ""
            if len(row.recoveries) > 1:
                spread = f" \\[{min(row.recoveries):.2f}, {max(row.recoveries):.2f}]"
            sheet.add_row(
                row.method,
                row.task,
                f"failed {row.failed}/{seeds}" if row.final is None else f"{row.final:.3f}",
                f"{row.nothing:.3f}",
                f"{row.oracle:.3f}",
                f"{fmean(row.recoveries):.2f}{spread}",
                f"{row.cpu_seconds / 60:.1f}",
            )
        sheet.add_section()
    return sheet
