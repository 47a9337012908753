"""What a method costs beside doing nothing, from the two ledgers; never from processor seconds."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.results.schema import LineageResult, Result
from benchmark.results.standings import Costs, sum_costs


@dataclass(frozen=True)
class Relative:
    """A method's ledger beside that of `nothing` in the same generations of the same lineages.

    Attributes:
        training: items trained on, 1 = as many.
        samples: items generated, published or for itself, 1 = as many.
        scored: items that it scored or embedded for itself, for each that `nothing` publishes.
        real: trusted real items, the most in any generation; of provenance, the real items of all
            crawls so far.
    """

    training: float = 1.0
    samples: float = 1.0
    scored: float = 0.0
    real: int = 0

    @property
    def sentence(self) -> str:
        """Such as "+20% training, 2.6 x samples"; what is as for `nothing` is not said."""
        parts = []
        if f"{self.training:.2f}" != "1.00":
            parts.append(f"{self.training - 1:+.0%} training")
        if f"{self.samples:.2f}" != "1.00":
            parts.append(f"{self.samples:.2g} \N{MULTIPLICATION SIGN} samples")
        if self.scored:
            parts.append(f"{self.scored:.2g} items scored a sample")
        if self.real:
            parts.append(f"{self.real:,} trusted real items")
        return ", ".join(parts) or "no more than nothing"


def compare_costs(result: Result, nothing: Result) -> Relative:
    """The ledger of a result beside that of `nothing`, where it ran."""
    mine, base = sum_both(result, nothing)
    if not (base.items_trained and base.items_generated):
        return Relative(real=mine.real_items)
    return Relative(
        mine.items_trained / base.items_trained,
        mine.items_generated / base.items_generated,
        mine.forward_passes / base.items_generated,
        mine.real_items,
    )


def sum_both(result: Result, nothing: Result) -> tuple[Costs, Costs]:
    """The ledgers of a result and of `nothing` over the same generations: those that went well. A
    method that does not apply to a task, or fails early, is compared where it ran."""
    own, other = [], []
    for name, task in result.tasks.items():
        there = {lineage.seed: lineage for lineage in nothing.tasks[name].lineages}
        for lineage in task.lineages:
            done = {g.generation for g in lineage.generations if g.status == "ok"}
            own.append(_keep(lineage, done))
            other.append(_keep(there[lineage.seed], done))
    return sum_costs(own), sum_costs(other)


def _keep(lineage: LineageResult, generations: set[int]) -> LineageResult:
    kept = [g for g in lineage.generations if g.generation in generations]
    return lineage.model_copy(update={"generations": kept})
