"""Keeps the half of the crawl whose mean and covariance match the reserve's best."""

import torch
from torch import Tensor

from benchmark import Access, Items, Mitigation, Round, TrainingSet

COMPONENTS = 32


class CovarianceMatching(Mitigation):
    """Greedy moment matching in the features of the generator of t - 1.

    CovMatch of Rezaei et al. 2025, "High-dimensional analysis of synthetic data selection", arXiv
    2510.08123, as Qiao et al. 2026 (arXiv 2606.13732) put it into a loop: features projected on 32
    principal components of the reserve, half the candidates kept, one at a time, each the one that
    brings the covariance nearest to the reserve's in the Frobenius norm. Here the mean is matched,
    too, though theory says that its shift does no harm: the sum of both squared distances is what
    each step minimises, with second moments taken about the reserve's mean. Features are the own
    generator's hidden states in place of an external network's, and classes are not told apart,
    where the paper selects class by class.
    """

    access = frozenset({Access.MODEL, Access.RESERVE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        reserve = round.features(round.reserve).float()
        centred = reserve - reserve.mean(0)
        axes = torch.linalg.svd(centred, full_matrices=False).Vh[:COMPONENTS].T
        target = centred @ axes
        candidates = (round.features(crawl).float() - reserve.mean(0)) @ axes
        unit = target.square().mean().sqrt()  # so that mean and covariance have the same unit
        return TrainingSet(crawl.take(match(candidates / unit, target / unit, len(crawl) // 2)))


def match(candidates: Tensor, target: Tensor, k: int) -> Tensor:
    """(k,) positions of the candidates (N, p) chosen greedily; `target` (M, p) has mean zero.

    With S and Q the sums of x and xx' over the chosen, the next x minimises |S + x|^2 +
    |Q + xx' - (i + 1) C|^2. Up to a constant that is |x|^2 + |x|^4 + 2 x'(S + (Q - (i + 1) C) x).
    """
    covariance = target.T @ target / len(target)
    square = candidates.square().sum(1)
    own = square + square.square()
    total, second = torch.zeros_like(candidates[0]), torch.zeros_like(covariance)
    chosen = torch.empty(k, dtype=torch.int64)
    for i in range(k):
        towards = candidates @ (second - (i + 1) * covariance) + total
        best = (own + 2 * (candidates * towards).sum(1)).argmin()
        x = candidates[best]
        total, second = total + x, second + torch.outer(x, x)
        own[best] = torch.inf
        chosen[i] = best
    return chosen
