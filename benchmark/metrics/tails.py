"""How much of the mass of a set of items lies in the tails of the real data.

"Tails of the original content distribution disappear" (Shumailov et al. 2024).
"""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.metrics.distances import squared_distances

TAIL = 0.1  # the rarest decile
NEIGHBOUR = 5  # whose distance says how isolated an item is


def rarest(shares: Tensor, tail: float = TAIL) -> Tensor:
    """(B,) which bins are the tail: the fewest rarest ones that hold at least `tail` of the mass.

    Args:
        shares: (B,) of real items.
        tail: in (0, 1].
    """
    ascending, order = shares.sort(stable=True)
    last = int((ascending.cumsum(0) < tail - 1e-12).sum())  # the bin that reaches `tail`
    return torch.zeros(len(shares), dtype=torch.bool).index_fill_(0, order[: last + 1], True)


def isolated(features: Tensor, tail: float = TAIL) -> Tensor:
    """(N,) which items are the tail: the share `tail` with the farthest fifth neighbour.

    Args:
        features: (N, F) of real items, N >= 2; with few items the farthest neighbour counts.
        tail: in (0, 1].
    """
    k = min(NEIGHBOUR + 1, len(features))  # the first neighbour is the item itself
    radius = squared_distances(features, features).kthvalue(k, dim=1).values
    count = max(1, round(tail * len(features)))
    chosen = radius.argsort(descending=True, stable=True)[:count]
    tail_of = torch.zeros(len(features), dtype=torch.bool, device=features.device)
    return tail_of.index_fill_(0, chosen, True)


def tail_mass(tail: Tensor, real: Tensor, generated: Tensor) -> float:
    """Share of generated elements in the tail over that of real ones: 1 as in real data, 0 if gone.

    A tail that no real element is in counts as holding one, so that the ratio is finite.

    Args:
        tail: (B,) which bins are the tail.
        real: bins of real elements, integers in [0, B) of any shape. Where bins are items, other
            items than those: an item is nearest to itself.
        generated: bins of generated elements.

    Raises:
        ValueError: there are no real or no generated elements.
    """
    if 0 in (real.numel(), generated.numel()):
        raise ValueError("the tail mass needs real and generated elements")
    expected = max(1, int(tail[real].sum())) / real.numel()
    return float(tail[generated].double().mean()) / expected
