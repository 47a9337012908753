"""The table at the end of a run."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from rich.table import Table
from rich.text import Text

from benchmark.commands.tables import number, sheet, word
from benchmark.metrics.meanings import find_title
from benchmark.results.schema import Result
from benchmark.results.standings import count_failed, score_task, sum_costs


@dataclass(frozen=True)
class TaskRow:
    """One method on one task, averaged over seeds; None where a lineage failed."""

    method: str
    final: float | None
    recoveries: list[float]
    cpu_seconds: float
    failed: int


def row_of(method: Result, name: str, nothing: Result, clean: Result) -> TaskRow:
    """The row of `method` on the task called `name`."""
    task = method.tasks[name]
    lost = count_failed(method, name)
    return TaskRow(
        method=method.method.name,
        final=None if lost else fmean(x.curve(task.primary)[-1] for x in task.lineages),
        recoveries=score_task(method, name, nothing, clean),
        cpu_seconds=sum_costs(task.lineages).cpu_seconds,
        failed=lost,
    )


def run_table(results: dict[str, Result]) -> Table:
    """For each task, every method's final primary metric, recovery and cost.

    The references are rows like any other: `nothing` recovers 0 and `clean` 1 by definition.
    """
    some = next(iter(results.values()))
    seeds = len(next(iter(some.tasks.values())).lineages)
    metrics = dict.fromkeys(find_title(task.primary) for task in some.tasks.values())
    caption = (
        f"Suite {some.suite}, {seeds} seed{'s' if seeds > 1 else ''}. "
        f"Final: {' or '.join(metrics)} of the last generation, mean over seeds, lower is better. "
        "Recovery: 1 = as good as real data only, 0 = no mitigation"
        + (", its mean, least and most over seeds. " if seeds > 1 else ". ")
        + "CPU: minutes of one core, all seeds. "
        + _references(results)
    )
    spread = ("least", "most") if seeds > 1 else ()
    headings = map(number, ("final", "recovery", *spread, "CPU min"))
    table = sheet([word("task / method"), *headings], caption=caption)
    for name in some.tasks:
        table.add_row(Text(name, "bold"))
        for result in results.values():
            row = row_of(result, name, results["nothing"], results["clean"])
            table.add_row(
                Text(f"  {row.method}"),
                f"failed {row.failed}/{seeds}" if row.final is None else f"{row.final:.3f}",
                f"{fmean(row.recoveries):.2f}",
                *(f"{bound(row.recoveries):.2f}" for bound in (min, max)[: len(spread)]),
                f"{row.cpu_seconds / 60:.1f}",
            )
        table.add_section()
    return table


def _references(results: dict[str, Result]) -> str:
    origins = {name: result.references.get(name) for name, result in results.items()}
    old = [name for name, origin in origins.items() if origin == "frozen"]
    if not old:
        return "References: run here."
    version = results[old[0]].benchmark_version
    return (
        f"References: {' and '.join(old)} as frozen with version {version}; --own-references runs "
        "them here."
    )
