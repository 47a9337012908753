"""Golden-ratio weighting: the reserve gets the weight that is best for fresh real data."""

import math

import torch

from benchmark import Access, Items, Mitigation, Round, TrainingSet


def weight_of_real(k: float) -> float:
    """w = (sqrt(k^2 + 4k) - k)/2 for k real items to one synthetic item.

    It minimises the limit of E[theta_t^2] when theta_t = w (mean of n_r new real items) +
    (1 - w) (mean of n_r/k samples of model t-1). w = 0.618, one over the golden ratio, at k = 1;
    w -> sqrt(k) for k -> 0 and w -> 1 for k -> infinity.
    """
    return (math.sqrt(k * k + 4 * k) - k) / 2


class GoldenRatio(Mitigation):
    """Trains on reserve and crawl; a share w(k) of what is drawn is from the reserve.

    He, Xu and Cheng 2025, "Golden ratio weighting prevents model collapse", arXiv 2502.18049. k is
    the size of the reserve over that of the crawl: 0.1 in most suites, so w = 0.27 in place of the
    0.09 of equal weights.

    Two assumptions do not hold here: where the crawl is partly real, it deserves more than 1 - w;
    and the reserve is not of new items, but new cuts and views of the same few. The weight is used
    as published.
    """

    access = frozenset({Access.RESERVE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        reserve = round.reserve
        w = weight_of_real(len(reserve) / len(crawl))
        weights = torch.full((len(reserve) + len(crawl),), (1 - w) / len(crawl))
        weights[: len(reserve)] = w / len(reserve)
        return TrainingSet(Items.concat([reserve, crawl]), weights)
