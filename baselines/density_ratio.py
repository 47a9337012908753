"""Importance weighting: crawled items count by how much likelier they are real than synthetic."""

import torch
from torch import Tensor

from baselines._content import scale, vectors
from benchmark import Access, Items, Mitigation, Round, TrainingSet

NEIGHBOURS = 10


class DensityRatio(Mitigation):
    """Trains on the whole crawl, each item weighted by an estimate of p_real(x)/p_own(x).

    k-nearest-neighbour density ratio (Kremer et al. 2015, "Nearest neighbor density ratio
    estimation for large-scale applications in astronomy"): among the ten nearest of reserve and
    equally many own samples, the number from the reserve over the number of own samples, the latter
    plus one so that no weight is infinite. Unbiased training would need p_real/p_crawl; the own
    samples stand for the synthetic part of the crawl, so that real items are told apart even where
    the crawl is mostly real. Distances are between pixels or between n-gram counts: in the own
    generator's hidden states the two sets are too much alike.
    """

    access = frozenset({Access.MODEL, Access.RESERVE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        real, own = vectors(round.reserve), vectors(round.sample(len(round.reserve)))
        centre, width = scale(torch.cat([real, own]))
        real, own, x = ((v - centre) / width for v in (real, own, vectors(crawl)))
        return TrainingSet(crawl, ratio(x, real, own))


def ratio(x: Tensor, real: Tensor, own: Tensor) -> Tensor:
    """(N,) float32 k_real/(k_own + 1) among the k nearest neighbours of each row of `x` (N, F)."""
    both = torch.cat([real, own])
    nearest = torch.cdist(x, both).topk(NEIGHBOURS, largest=False).indices
    found = (nearest < len(real)).sum(1).float()
    return found / (NEIGHBOURS - found + 1)
