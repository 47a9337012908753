"""What the harness hands to a method in one generation: what it declared, and no more."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from benchmark.basics.seeds import number
from benchmark.interface.access import Access
from benchmark.interface.items import Items
from benchmark.interface.round import Ledger, Limits, Round
from benchmark.lineage.workshop import Workshop


class Grants:
    """All that a method could be granted in a lineage, and the rounds that grant what it declares.

    Attributes:
        crawls: those that the method may see, the newest last.
        provenance: of each crawl, who made its items.
        access: what the method declared when the lineage began, whatever its class says later.
    """

    def __init__(self, workshop: Workshop, access: frozenset[Access]) -> None:
        self.crawls: list[Items] = []
        self.provenance: list[Tensor] = []
        self._workshop, self.access = workshop, frozenset(access)
        recipe = workshop.task.verifier
        self._verifier = recipe.build() if recipe and Access.VERIFIER in self.access else None

    def add(self, crawl: Items, provenance: Tensor) -> None:
        """The newest crawl, with its true provenance."""
        # What no hook is given is let go.
        self.crawls = [*self.crawls, crawl] if Access.ARCHIVE in self.access else [crawl]
        self.provenance.append(provenance)

    def lent(self, reserve: Items) -> list[Items]:
        """The items that rounds hand out from now on, the newest crawl first."""
        *archive, crawl = self.crawls
        return [crawl, *archive, *([reserve] if Access.RESERVE in self.access else [])]

    def open_round(
        self,
        t: int,
        reserve: Items,
        model: nn.Module | None,
        ledger: Ledger,
        trained: bool = False,  # whether `model` is generation t's
    ) -> Round:
        """Generation `t`, the present or an earlier one, as the method sees it; `reserve` are the
        trusted items of that time."""
        everything: dict[Access, Any] = {
            # Of those that are past now, those that were past then.
            Access.ARCHIVE: tuple(self.crawls[:-1][:t]),
            Access.MODEL: model,
            Access.RESERVE: reserve,
            Access.VERIFIER: self._verifier,
            Access.PROVENANCE: tuple(self.provenance[: t + 1]),
        }
        if Access.WATERMARK in self.access:
            everything[Access.WATERMARK] = number("watermark key", self._workshop.seed)
        granted = {access: everything[access] for access in self.access}
        task, generator = self._workshop.task, self._workshop.generator
        limits = Limits(
            items_trained=generator.steps * generator.batch,
            items_generated=round(task.budget.items_generated * task.n),
            forward_passes=round(task.budget.forward_passes * task.n),
        )
        rng, vocabulary = self._workshop.rng(t, "method"), generator.ranges.get("tokens", 0)
        return Round(
            t, task.n, task.modality, rng, granted, generator, ledger, limits, vocabulary, trained
        )
