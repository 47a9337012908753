"""Whether items are nearer to what a model was trained on than unseen real items are."""

from __future__ import annotations

from torch import Tensor

from benchmark.metrics.distances import squared_distances


def above_chance(share: float, chance: float) -> float:
    """(share - chance) / (1 - chance) (Cohen 1960): 0 at chance, 1 when `share` is 1.

    Negative below chance. Where chance is already 1 nothing can be above it: 0.
    """
    return (share - chance) / (1 - chance) if chance < 1 else 0.0


def nearer_to_train(train: Tensor, heldout: Tensor, generated: Tensor) -> float:
    """Share of items whose nearest real item is a training item, in [0, 1].

    For items of the real law the nearest of N + H exchangeable real items is one of the N
    training items with probability N/(N + H), which is the chance level; for a copy of training
    items it is 1. The comparison of distances to training and to held-out items is that of
    Meehan et al. 2020 (data-copying test). Held-out digits are two views of each scan, which
    are not exchangeable: unseen real digits come to .1 above chance there.

    Args:
        train: (N, F) features of the real items that models were trained on.
        heldout: (H, F) features of real items that they were not.
        generated: (M, F) features of generated items.

    Raises:
        ValueError: a set is empty.
    """
    if 0 in (len(train), len(heldout), len(generated)):
        raise ValueError("memorisation needs training, held-out and generated items")
    to_train = squared_distances(generated, train).min(1).values
    to_heldout = squared_distances(generated, heldout).min(1).values
    return (to_train < to_heldout).double().mean().item()
