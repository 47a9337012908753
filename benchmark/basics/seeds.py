"""Every random draw of the harness: one generator per (task, seed, generation, purpose)."""

from __future__ import annotations

import hashlib
import random

import numpy as np
import torch


def stream(*purpose: object) -> torch.Generator:
    """A CPU generator seeded by the SHA-256 of `purpose`.

    The same words give the same numbers in every process and in any order of calls, so results
    depend neither on the number of workers nor on what was computed before.
    """
    text = "|".join(map(str, purpose))
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1
    return torch.Generator().manual_seed(seed)


def seed_global(rng: torch.Generator) -> None:
    """Seed the global generators of torch (used by weight initialisation), numpy and Python."""
    seed = int(torch.randint(2**62, (1,), generator=rng))
    # As torch.manual_seed, which is far slower: it notes a traceback for every GPU not used yet.
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)


def draw_share(n: int, share: float, rng: torch.Generator) -> torch.Tensor:
    """The rows of a random `share` of `n` items, in random order."""
    return torch.randperm(n, generator=rng)[: round(n * share)]
