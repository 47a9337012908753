"""Every random draw of the harness: one generator per (task, seed, generation, purpose)."""

from __future__ import annotations

import hashlib

import torch


def stream(*purpose: object) -> torch.Generator:
    """A CPU generator seeded by the SHA-256 of `purpose`.

    The same words give the same numbers in every process and in any order of calls, so results
    depend neither on the number of workers nor on what was computed before.
    """
    text = "|".join(str(word) for word in purpose)
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1
    return torch.Generator().manual_seed(seed)
