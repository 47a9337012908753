"""What a method costs, by its ledgers, and beside doing nothing. Needs no torch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from benchmark.results.schema import LineageResult, Result


@dataclass(frozen=True)
class Costs:
    """The ledgers of one method over all its lineages.

    Attributes:
        items_trained: items shown to an optimiser, in all.
        items_generated: items published or sampled by the method for itself, in all.
        forward_passes: items scored or embedded by the method for itself, in all.
        real_items: trusted real items shown to the method, the most in any generation (the same
            items may be shown again in the next); of provenance, the real items of all crawls so
            far.
        cpu_seconds: processor seconds, in all.
    """

    items_trained: int
    items_generated: int
    forward_passes: int
    real_items: int
    cpu_seconds: float

    def scale(self, by: float) -> Costs:
        """Those of `by` times as many lineages."""
        return Costs(
            round(by * self.items_trained),
            round(by * self.items_generated),
            round(by * self.forward_passes),
            self.real_items,
            by * self.cpu_seconds,
        )


@dataclass(frozen=True)
class Relative:
    """A method's ledger beside that of `nothing` in the same generations of the same lineages;
    processor seconds, which depend on the machine, are not among them.

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


def compare_costs(mine: Costs, base: Costs) -> Relative:
    """What a method took beside what `nothing` did in the same generations, see `sum_both`."""
    if not (base.items_trained and base.items_generated):
        return Relative(real=mine.real_items)
    return Relative(
        mine.items_trained / base.items_trained,
        mine.items_generated / base.items_generated,
        mine.forward_passes / base.items_generated,
        mine.real_items,
    )


def sum_costs(lineages: Iterable[LineageResult]) -> Costs:
    """The ledgers of some lineages together."""
    generations = [g for lineage in lineages for g in lineage.generations]

    def all_of(entry: str) -> list[int]:
        return [g.ledger.get(entry, 0) for g in generations]

    return Costs(
        items_trained=sum(all_of("items_trained")),
        items_generated=sum(all_of("items_generated")),
        forward_passes=sum(all_of("forward_passes")),
        real_items=max(all_of("real_items"), default=0),
        cpu_seconds=sum(sum(g.seconds.values()) for g in generations),
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
