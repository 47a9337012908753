"""The upper reference: what a lineage would be if every crawl held real items only."""

from __future__ import annotations

import torch

from benchmark.interface.access import Access
from benchmark.interface.items import Items, TrainingSet
from benchmark.interface.mitigation import Mitigation
from benchmark.interface.round import Round
from benchmark.interface.sources import REAL


class Clean(Mitigation):
    """Trains on real items only."""

    access = frozenset({Access.ARCHIVE, Access.PROVENANCE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        crawls = [*round.archive, crawl]
        real = Items.concat(
            items.take(torch.nonzero(made == REAL).squeeze(1))
            for items, made in zip(crawls, round.provenance, strict=True)
        )
        return TrainingSet(real.unique().draw(round.n, round.rng))
