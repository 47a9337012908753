"""Entropy-preserving selection: n items of the accumulated pool, each far from the others."""

import torch
from torch import Tensor

from benchmark import Access, Items, Mitigation, Round, TrainingSet

COMPONENTS = 32


class FarthestPoint(Mitigation):
    """Greedy farthest-point selection of n items out of 2n: the crawl and n of the earlier crawls.

    Shi et al. 2025, "A closer look at model collapse: from a generalization-to-memorization
    perspective", arXiv 2509.16499 (greedy selection, accumulated pool): start with a random item,
    then add the item whose distance to its nearest chosen one is largest. Their distances are in
    the space of an external network (DINOv2); here in that of the own generator's hidden states,
    on 32 principal components. Their pool is all that was ever generated; here it is capped at 2n,
    because the work grows with n times the pool.
    """

    access = frozenset({Access.ARCHIVE, Access.MODEL})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        past = Items.concat(round.archive).draw(round.n, round.rng)
        pool = Items.concat([crawl, past])
        features = round.features(pool).float()
        features = features - features.mean(0)
        _, axes = torch.linalg.eigh(features.T @ features)
        start = int(torch.randint(len(pool), (1,), generator=round.rng))
        return TrainingSet(pool.take(select(features @ axes[:, -COMPONENTS:], round.n, start)))


def select(points: Tensor, k: int, start: int) -> Tensor:
    """(k,) positions in `points` (N, p), each the farthest from those before it."""
    rows = points.T.contiguous()
    square = points.square().sum(1)
    nearest = torch.full_like(square, torch.inf)  # squared distance to the chosen
    chosen = torch.empty(k, dtype=torch.int64)
    best = start
    for i in range(k):
        chosen[i] = best
        distance = torch.addmv(square, rows.T, points[best], alpha=-2) + square[best]
        nearest = torch.minimum(nearest, distance.clamp(min=0))
        nearest[best] = -1  # never twice, even among equal points
        best = int(nearest.argmax())
    return chosen
