"""Every random draw of the harness: one generator per (task, seed, generation, purpose)."""

from __future__ import annotations

import hashlib
import random

import numpy as np
import torch

WORDS = 624  # of a Mersenne twister's state, 32 bits each
HEAD = 24  # bytes before them in `get_state`: the seed, how many are left, where the next one is


def stream(*purpose: object) -> torch.Generator:
    """A CPU generator whose whole state is a hash (SHAKE-256) of `purpose`.

    The same words give the same numbers in every process and in any order of calls, so results
    depend neither on the number of workers nor on what was computed before. `manual_seed` would
    keep 32 bits: few enough to try them all until a crawl's order, and who made its items, is
    found. `initial_seed()` says nothing.
    """
    text = "|".join(map(str, purpose))
    words = np.frombuffer(hashlib.shake_256(text.encode()).digest(4 * WORDS), "<u4")
    rng = torch.Generator().manual_seed(0)  # leaves no word of its state used: all are made anew
    state = rng.get_state()
    state[HEAD : HEAD + 8 * WORDS] = torch.from_numpy(words.astype("<u8").view(np.uint8))
    return rng.set_state(state)


def number(*purpose: object) -> int:
    """A hash of `purpose` in 0..2^62 - 1."""
    return int.from_bytes(hashlib.sha256("|".join(map(str, purpose)).encode()).digest()[:8]) >> 2


def seed_global(rng: torch.Generator) -> None:
    """Seed the global generators of torch (used by weight initialisation), numpy and Python."""
    seed = int(torch.randint(2**62, (1,), generator=rng))
    # As torch.manual_seed, which is far slower: it notes a traceback for every GPU not used yet.
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)


def draw_evenly(law: torch.Tensor, n: int, rng: torch.Generator) -> torch.Tensor:
    """(n,) draws in random order from `law` (K,), float64 probabilities, of each value as many as
    expected, rounded up or down by chance: draws one by one would only add noise."""
    # n points, one apart, from a random start: a value has those that lie on its stretch.
    points = torch.arange(n) + torch.rand((), generator=rng, dtype=torch.float64)
    drawn = torch.searchsorted(n * law.cumsum(0), points, right=True).clamp_(max=len(law) - 1)
    return drawn[torch.randperm(n, generator=rng)]


def draw_share(n: int, share: float, rng: torch.Generator) -> torch.Tensor:
    """The rows of a random `share` of `n` items, in random order."""
    return torch.randperm(n, generator=rng)[: round(n * share)]
