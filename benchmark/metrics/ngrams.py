"""Statistics of n-grams in blocks of tokens. Needs numpy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

COPIED = 8  # tokens of an n-gram that counts as copied
REPEATED = 2  # tokens of an n-gram that counts as repeated
_BASE = np.uint64(0x9E3779B97F4A7C15)


def ngrams(tokens: NDArray[np.integer], n: int) -> NDArray[np.uint64]:
    """One number for each n-gram of each block, (N, L - n + 1).

    Equal n-grams have equal numbers; different ones have, but for a chance of about 2^-64 a pair,
    different numbers (a polynomial hash modulo 2^64).

    Args:
        tokens: (N, L) non-negative token numbers.
        n: tokens in an n-gram.

    Raises:
        ValueError: the blocks are empty or shorter than n, or have no common length.
    """
    tokens = np.asarray(tokens)
    if tokens.ndim != 2 or len(tokens) == 0 or tokens.shape[1] < n:
        raise ValueError(f"{n}-grams need an (N, L) array with N >= 1 and L >= {n}")
    ids = tokens.astype(np.uint64) + np.uint64(1)
    width = ids.shape[1] - n + 1
    number = np.zeros((len(ids), width), dtype=np.uint64)
    for i in range(n):
        number = number * _BASE + ids[:, i : i + width]
    return number


def distinct(tokens: NDArray[np.integer], n: int) -> float:
    """Different n-grams over all n-grams of the corpus (Li et al. 2016, distinct-n), in (0, 1].

    It falls with the size of the corpus: compare corpora of one size.

    Args:
        tokens: (N, L) token numbers.
        n: tokens in an n-gram.
    """
    numbers = np.sort(ngrams(tokens, n), axis=None)  # several times as fast as numpy's `unique`
    return float(1 + (numbers[1:] != numbers[:-1]).sum()) / numbers.size


def repetition(tokens: NDArray[np.integer], n: int = REPEATED) -> float:
    """Share of n-grams that occurred before in their own block, in [0, 1).

    1 - different/all, per block, then averaged (Welleck et al. 2020, seq-rep-n).

    Args:
        tokens: (N, L) token numbers.
        n: tokens in an n-gram.
    """
    numbers = np.sort(ngrams(tokens, n), axis=1)
    return float((numbers[:, 1:] == numbers[:, :-1]).sum() / numbers.size)


def copied(tokens: NDArray[np.integer], source: NDArray[np.integer], n: int = COPIED) -> float:
    """Share of n-grams that occur anywhere in `source`, in [0, 1] (Lee et al. 2022).

    Args:
        tokens: (N, L) token numbers.
        source: (M, K) token numbers, such as the training set's.
        n: tokens in an n-gram.
    """
    return Copied(source, n).share(tokens)


class Copied:
    """The n-grams of a source, in order: sorted once, looked up in every generation."""

    def __init__(self, source: NDArray[np.integer], n: int = COPIED) -> None:
        self.n, self.known = n, np.sort(ngrams(source, n), axis=None)

    def share(self, tokens: NDArray[np.integer]) -> float:
        """`copied` of `tokens` (N, L) from this source."""
        asked = np.sort(ngrams(tokens, self.n), axis=None)  # neighbours are found close together
        place = np.searchsorted(self.known, asked).clip(max=len(self.known) - 1)
        return float((self.known[place] == asked).mean())
