"""The table at the end of a run."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from rich.table import Table
from rich.text import Text

from benchmark.basics.plain import clean_terminal
from benchmark.commands.tables import number, sheet, word
from benchmark.interface.names import REFERENCES
from benchmark.metrics.meanings import find_title
from benchmark.results import captions
from benchmark.results.costs import sum_costs
from benchmark.results.rows import DOUBTED, INAPPLICABLE, format_mean, format_score
from benchmark.results.schema import Result
from benchmark.results.standings import ABOVE, count_failed, score_task


@dataclass(frozen=True)
class TaskRow:
    """One method on one task, averaged over seeds; None where a lineage failed. Without recoveries
    where the method does not apply."""

    method: str
    final: float | None
    recoveries: list[float]
    cpu_seconds: float
    failed: int


def row_of(method: Result, name: str, nothing: Result, clean: Result) -> TaskRow:
    """The row of `method` on the task called `name`."""
    task = method.tasks[name]
    lost = count_failed(method, name)
    none = lost or not task.applicable
    return TaskRow(
        method=method.method.name,
        final=None if none else fmean(x.curve(task.primary)[-1] for x in task.lineages),
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
    bounds, above = (min, max)[: len(spread)], False
    headings = map(number, ("final", "recovery", *spread, "CPU min"))
    table = sheet([word("task / method"), *headings], caption=caption)
    for name in some.tasks:
        table.add_row(Text(name, "bold"))
        for result in results.values():
            row = row_of(result, name, results["nothing"], results["clean"])
            found = row.recoveries
            final = f"failed {row.failed}/{seeds}" if row.final is None else f"{row.final:.3f}"
            doubted = bool(found) and fmean(found) > ABOVE and row.method not in REFERENCES
            above = above or doubted
            table.add_row(
                Text(clean_terminal(f"  {row.method}")),
                final if found else INAPPLICABLE,
                format_mean(found) + (DOUBTED if doubted else ""),
                *(format_score(bound(found) if found else None) for bound in bounds),
                f"{row.cpu_seconds / 60:.1f}",
            )
        table.add_section()
    if above:
        table.caption = Text(f"{caption} {captions.DOUBTED}", "table.caption")
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
