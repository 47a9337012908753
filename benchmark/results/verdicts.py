"""Which definitions of collapse hold, method by method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from benchmark.metrics.definitions import (
    DEFINITIONS,
    DIVERGENCE,
    Definition,
    Verdict,
    judge_lineage,
)
from benchmark.results.curves import name_measures, sort_lineages
from benchmark.results.rows import INAPPLICABLE
from benchmark.results.schema import Result

MEASURABLE = tuple(definition for definition in DEFINITIONS if definition.entries)


@dataclass(frozen=True)
class Cell:
    """One definition for one method: it holds in `yes` of `told` lineages.

    Attributes:
        numbers: what the criterion compared, mean over those lineages.
        reason: why it could not be told, where `told` is 0.
    """

    yes: int
    told: int
    numbers: str
    reason: str


@dataclass(frozen=True)
class Verdicts:
    """The table of one task: `clean` and its noise by definition, cells by method; `inapplicable`
    are the methods that do not apply to the task."""

    task: str
    clean: list[str]
    cells: dict[str, list[Cell]]
    inapplicable: tuple[str, ...] = ()

    def held(self, method: str) -> str:
        """How many definitions hold in most of the method's lineages, such as "2 of 7"."""
        told = [cell for cell in self.cells[method] if cell.told]
        if method in self.inapplicable:
            return INAPPLICABLE
        return f"{sum(2 * c.yes > c.told for c in told)} of {len(told)}" if told else "-"


def judge_collapse(results: Mapping[str, Result], task: str, methods: Sequence[str]) -> Verdicts:
    """The definitions that can be measured, for each of the methods; the references among them."""
    clean = [dict(curves) for curves in _curves(results["clean"], task)]
    cells: dict[str, list[Cell]] = {}
    for method in methods:
        verdicts = [
            {v.definition.name: v for v in judge_lineage(curves, reference)}
            for curves, reference in zip(_curves(results[method], task), clean, strict=True)
        ]
        cells[method] = [_cell(d, [found[d.name] for found in verdicts]) for d in MEASURABLE]
    itself = [{v.definition.name: v for v in judge_lineage(curves, curves)} for curves in clean]
    absent = tuple(m for m in methods if not results[m].tasks[task].applicable)
    return Verdicts(
        task, [_clean([found[d.name] for found in itself]) for d in MEASURABLE], cells, absent
    )


def _curves(result: Result, task: str) -> list[dict[str, list[float]]]:
    names = sorted(name_measures(result, task))
    return [{n: lineage.curve(n) for n in names} for lineage in sort_lineages(result, task)]


def _cell(definition: Definition, verdicts: list[Verdict]) -> Cell:
    told = [v for v in verdicts if v.holds is not None]
    if not told:
        return Cell(0, 0, "", verdicts[0].reason)
    mean = {name: fmean(v.numbers[name] for v in told) for name in told[0].numbers}
    numbers = f"{mean['last']:.3f} ({mean['change']:+z.3f})"
    if definition is DIVERGENCE:
        numbers = f"{mean['first half']:+z.3f}, then\n{mean['second half']:+z.3f}"
    return Cell(sum(bool(v.holds) for v in told), len(told), numbers, "")


def _clean(verdicts: list[Verdict]) -> str:
    told = [v.numbers for v in verdicts if v.holds is not None]
    if not told:
        return ""
    return f"{fmean(n['clean'] for n in told):.3f} ± {fmean(n['noise'] for n in told):.3f}"
