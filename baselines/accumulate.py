"""Unbounded accumulation: train on everything ever crawled."""

from benchmark import Access, Items, Mitigation, Round, TrainingSet


class Accumulate(Mitigation):
    """The training set is the union of all crawls, so it grows by n each generation.

    Gerstgrasser et al. 2024, "Is model collapse inevitable?". Compute-matched here: the pool
    grows, the number of optimiser steps does not.
    """

    access = frozenset({Access.ARCHIVE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        return TrainingSet(Items.concat([*round.archive, crawl]))
