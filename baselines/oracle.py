"""A perfect detector: only the real items of the crawl, found by true provenance."""

import torch

from benchmark import REAL, Access, Items, Mitigation, Round, TrainingSet


class Oracle(Mitigation):
    """Trains on the crawl's real items, and on nothing else.

    What detection alone can give: no real method can do this, because it reads the label that the
    web hides. It has fewer items than the reference `clean` (in `web` at last a quarter), and
    leaves those of earlier crawls out: in a world that moves they are of another time. A crawl
    without real items is taken as it is.
    """

    access = frozenset({Access.PROVENANCE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        real = torch.nonzero(round.provenance[-1] == REAL).squeeze(1)
        return TrainingSet(crawl.take(real) if len(real) else crawl)
