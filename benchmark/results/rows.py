"""The rows of a table of scores, in words: terminal, report and documents only draw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from benchmark.results.standings import Standing

NONE = "-"
INAPPLICABLE = "n/a"  # never a measured 0
DOUBTED, PARTIAL, LOST = "!", "~", "*"  # behind a number: see `captions`


@dataclass(frozen=True)
class ScoreRow:
    """One method, as every table shows it.

    Attributes:
        score: with a mark if it is doubted or over some of the tasks only.
        failed: lineages that did not reach the last generation, of how many.
        recoveries: by task the mean over seeds, with a star if a lineage failed; "n/a" where the
            method does not apply.
        spreads: by task the least and the most; not for one seed and the references.
        costs: in the order of `captions.COSTS`.
    """

    method: str
    tier: str
    ranks: str
    access: str
    score: str
    interval: str
    failed: str
    recoveries: dict[str, str]
    spreads: dict[str, str]
    costs: tuple[str, ...]
    reference: bool


def make_score_rows(found: Sequence[Standing]) -> list[ScoreRow]:
    """One row a method, in the order of the standings."""
    return [_row(standing) for standing in found]


def _row(standing: Standing) -> ScoreRow:
    costs = standing.costs
    counts = (costs.items_trained, costs.items_generated, costs.forward_passes, costs.real_items)
    return ScoreRow(
        method=standing.method,
        tier=NONE if standing.tier is None else str(standing.tier),
        ranks=NONE if standing.ranks is None else format_ranks(standing.ranks),
        access=standing.access_tier,
        score=format_score(standing.score) + mark_score(standing),
        interval=format_interval(standing.interval, standing.reference),
        failed=f"{standing.lost}/{standing.lineages}" if standing.lost else "0",
        recoveries={
            task: format_mean(values) + (LOST if standing.failed[task] else "")
            for task, values in standing.recoveries.items()
        },
        spreads={
            task: _between(min(values), max(values))
            for task, values in standing.recoveries.items()
            if len(values) > 1 and not standing.reference
        },
        costs=(*(f"{count:,}" for count in counts), f"{costs.cpu_seconds:,.0f}"),
        reference=standing.reference,
    )


def mark_score(standing: Standing) -> str:
    """What is behind a score that is more, or less, than a score."""
    return (PARTIAL if standing.partial else "") + (DOUBTED if standing.warning else "")


def format_score(value: float | None) -> str:
    """Two decimals, and no minus zero; "n/a" without a value."""
    return INAPPLICABLE if value is None else f"{value:z.2f}"


def format_mean(recoveries: Sequence[float]) -> str:
    """The mean over seeds of a task's recoveries, or "n/a"."""
    return format_score(fmean(recoveries) if recoveries else None)


def format_interval(interval: tuple[float, float] | None, reference: bool) -> str:
    """The interval of a score, such as "0.12 to 0.34"."""
    if reference:
        return "by definition"
    return NONE if interval is None else _between(*interval)


def format_ranks(ranks: tuple[int, int]) -> str:
    """Best and worst rank, such as "2-3", or the one that both are."""
    best, worst = ranks
    return str(best) if best == worst else f"{best}-{worst}"


def _between(low: float, high: float) -> str:
    return f"{format_score(low)} to {format_score(high)}"
