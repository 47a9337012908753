"""The rows of the table of scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from benchmark.results.captions import ranks_text
from benchmark.results.schema import Result
from benchmark.results.standings import Standing

NONE = "-"
LOWEST, HIGHEST = -0.5, 1.5  # of the axis on which intervals are drawn, at the most


@dataclass(frozen=True)
class Interval:
    """Where score and interval lie on an axis from 0 to 100; clipped at its ends."""

    low: float
    centre: float
    high: float


@dataclass(frozen=True)
class ScoreRow:
    """One method, as the page shows it; `recoveries` by task: mean, spread, failed lineages."""

    method: str
    summary: str
    tier: str
    ranks: str
    access: str
    score: str
    interval: str
    drawn: Interval
    failed: str
    recoveries: dict[str, tuple[str, str, int]]
    costs: list[str]
    reference: bool


@dataclass(frozen=True)
class Axis:
    """The scale of the drawn intervals: where 0 and 1 lie, and its ends."""

    low: float
    high: float
    clipped: bool

    def at(self, value: float) -> float:
        """Per cent of the width."""
        share = (value - self.low) / (self.high - self.low)
        return round(100 * min(max(share, 0.0), 1.0), 2)


def find_axis(found: Sequence[Standing]) -> Axis:
    """A scale that holds 0, 1 and, but for extremes, every interval."""
    ends = [x for s in found for x in (s.interval or (s.score, s.score))]
    low = max(min([0.0, *ends]), LOWEST)
    high = min(max([1.0, *ends]), HIGHEST)
    return Axis(low - 0.05, high + 0.05, min(ends) < low or max(ends) > high)


def lay_out_scores(found: Sequence[Standing], results: Mapping[str, Result]) -> list[ScoreRow]:
    """One row a method, in the order of the standings."""
    scale = find_axis(found)
    return [_row(standing, results[standing.method], scale) for standing in found]


def _row(standing: Standing, result: Result, scale: Axis) -> ScoreRow:
    low, high = standing.interval or (standing.score, standing.score)
    if standing.reference:
        interval = "by definition"
    elif standing.interval is None:
        interval = NONE
    else:
        interval = f"{format_decimal(low)} to {format_decimal(high)}"
    costs, lost = standing.costs, sum(standing.failed.values())
    return ScoreRow(
        method=standing.method,
        summary=result.method.summary,
        tier=NONE if standing.tier is None else str(standing.tier),
        ranks=NONE if standing.ranks is None else ranks_text(standing.ranks),
        access=standing.access_tier,
        score=format_decimal(standing.score),
        interval=interval,
        drawn=Interval(scale.at(low), scale.at(standing.score), scale.at(high)),
        failed=f"{lost} of {standing.lineages}" if lost else "0",
        recoveries={
            task: (format_decimal(fmean(v)), _spread(v), standing.failed[task])
            for task, v in standing.recoveries.items()
        },
        costs=[
            f"{costs.items_trained:,}",
            f"{costs.items_generated:,}",
            f"{costs.forward_passes:,}",
            f"{costs.real_items:,}",
            f"{costs.cpu_seconds:,.0f}",
        ],
        reference=standing.reference,
    )


def format_decimal(value: float) -> str:
    """Two decimals, and no minus zero."""
    return f"{value:z.2f}"


def _spread(values: Sequence[float]) -> str:
    return (
        f"{format_decimal(min(values))} to {format_decimal(max(values))}" if len(values) > 1 else ""
    )
