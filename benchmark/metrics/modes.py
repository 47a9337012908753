"""Modes of real features: a k-means partition of the feature space."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.basics.seeds import stream
from benchmark.metrics.distances import nearest, squared_distances

MODES = 50
ROUNDS = 10


class Modes:
    """Centres of real items by Lloyd's algorithm from a fixed seed.

    The same features give the same modes; torch's global random state is not used.

    Attributes:
        centres: (K, F) float64, K = `count` or, for few items, a fifth of their number.
    """

    def __init__(self, features: Tensor, count: int = MODES) -> None:
        """Partition `features` (N, F).

        Raises:
            ValueError: there is no item.
        """
        if len(features) == 0:
            raise ValueError("modes need at least one item")
        x = features.double()
        count = max(1, min(count, len(x) // 5))
        self.centres = x[torch.randperm(len(x), generator=stream("modes"))[:count]]
        for _ in range(ROUNDS):
            mode = nearest(x, self.centres)
            size = torch.bincount(mode, minlength=count)
            total = torch.zeros_like(self.centres).index_add_(0, mode, x)
            empty = (size == 0)[:, None]  # an empty mode stays where it is
            self.centres = torch.where(empty, self.centres, total / size.clamp(min=1)[:, None])

    def ambiguity(self, features: Tensor) -> float:
        """Mean over items of (distance to the nearest centre)/(distance to the next one).

        0 if every item is a centre, 1 if every item is halfway between two: the simplified
        silhouette (Hruschka et al. 2004) is one minus this. With one mode it is 1.
        """
        if len(self.centres) < 2:
            return 1.0
        squared = squared_distances(features, self.centres)
        near, next_ = squared.topk(2, dim=1, largest=False).values.sqrt().unbind(1)
        return float((near / next_.clamp(min=1e-12)).mean())
