"""The intervals that are drawn in the table of scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.results.standings import Standing

LOWEST, HIGHEST = -0.5, 1.5  # of the axis on which intervals are drawn, at the most


@dataclass(frozen=True)
class Interval:
    """Where score and interval lie on an axis from 0 to 100; clipped at its ends."""

    low: float
    centre: float
    high: float


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
    ends = [x for s in found if (span := _span(s)) for x in span]
    low = max(min([0.0, *ends]), LOWEST)
    high = min(max([1.0, *ends]), HIGHEST)
    return Axis(low - 0.05, high + 0.05, min(ends) < low or max(ends) > high)


def draw_intervals(found: Sequence[Standing]) -> dict[str, Interval]:
    """By method; a score without an interval is a point."""
    scale = find_axis(found)
    return {
        s.method: Interval(*map(scale.at, (span[0], s.score, span[1])))
        for s in found
        if s.score is not None and (span := _span(s))
    }


def _span(standing: Standing) -> tuple[float, float] | None:
    """Its interval, or the score alone; None where it has none."""
    if standing.score is None:
        return None
    return standing.interval or (standing.score, standing.score)
