"""How much of a law over numbers is left in a sample."""

from __future__ import annotations

import torch
from torch import Tensor

LEAST = 1e-9  # a probability in place of 0: what is impossible is very unlikely


def expected_kinds(law: Tensor, n: int) -> float:
    """E[number of different values among `n` independent draws] = sum 1 - (1 - p)^n.

    Args:
        law: (B,) probabilities.
    """
    return float((1 - (1 - law.double()) ** n).sum())


def divergence(shares: Tensor, law: Tensor) -> float:
    """KL(shares || law) in nats.

    Args:
        shares: (B,) of a sample; they add up to 1.
        law: (B,) probabilities, raised to `LEAST` where they are less.
    """
    ratio = shares.double() / law.double().clamp(min=LEAST)
    return float(torch.where(shares > 0, shares * ratio.clamp(min=LEAST).log(), 0.0).sum())
