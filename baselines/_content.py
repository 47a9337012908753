"""Vectors of items that need no network: pixels, or hashed counts of token n-grams."""

import torch
from torch import Tensor

from benchmark import Items

BUCKETS = 2048  # for each n
MULTIPLIERS = torch.tensor([1_000_003, 8_191, 131])  # of an n-gram's tokens, in the hash


def vectors(items: Items) -> Tensor:
    """(N, F) float64. Images: pixels. Text: square roots of the counts of hashed 1-, 2- and 3-grams
    (Hellinger's geometry, which keeps frequent words from ruling). Pairs: both. Anything else: its
    numbers."""
    parts = [items[name].flatten(1).double() for name in ("image", "x") if name in items.columns]
    if "tokens" in items.columns:
        parts += [ngrams(items["tokens"], n).sqrt() for n in (1, 2, 3)]
    return torch.cat(parts, 1)


def ngrams(tokens: Tensor, n: int) -> Tensor:
    """(N, BUCKETS) float64 counts of each row's n-grams, up to hash collisions."""
    buckets = (tokens.unfold(1, n, 1) * MULTIPLIERS[:n]).sum(2) % BUCKETS
    counts = torch.zeros(len(tokens), BUCKETS, dtype=torch.float64)
    return counts.scatter_add_(1, buckets, torch.ones(buckets.shape, dtype=torch.float64))


def scale(like: Tensor) -> tuple[Tensor, Tensor]:
    """(F,) means and scales that standardise `like` (N, F) to squared distances of 2 on average.

    A coordinate that hardly varies gets a tenth of the mean deviation instead of its own.
    """
    deviation = like.std(0)
    return like.mean(0), (deviation + 0.1 * deviation.mean()) * like.shape[1] ** 0.5
