"""Real data only, found by true provenance. The upper reference (score 1)."""

import torch

from benchmark import REAL, Access, Items, Mitigation, Round, TrainingSet


class Oracle(Mitigation):
    """Trains on n of the real items of all crawls so far.

    No real method can do this: it reads the label that the web hides. Every real item counts
    once, however often it was crawled.
    """

    access = frozenset({Access.ARCHIVE, Access.PROVENANCE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        crawls = [*round.archive, crawl]
        real = Items.concat(
            items.take(torch.nonzero(made == REAL).squeeze(1))
            for items, made in zip(crawls, round.provenance, strict=True)
        )
        return TrainingSet(real.unique().draw(round.n, round.rng))
