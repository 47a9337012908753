"""How far one distribution of the next token is from another."""

from __future__ import annotations

import torch
from torch import Tensor


def measure_nats(changed: Tensor, logits: Tensor) -> Tensor:
    """KL(changed || unchanged) in nats of every next-token distribution, float64 (...,).

    Args:
        changed: (..., V) logits; -inf is a token that is never drawn.
        logits: (..., V) those that they were made of.
    """
    log_p, log_q = changed.double().log_softmax(-1), logits.double().log_softmax(-1)
    p = log_p.exp()
    return torch.where(p == 0, 0.0, p * (log_p - log_q)).sum(-1)
