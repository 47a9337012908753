"""How varied a set of items is, from its features alone."""

from __future__ import annotations

import torch
from torch import Tensor


def vendi(features: Tensor) -> float:
    """Vendi score with the cosine kernel: exp(-sum_i l_i log l_i) (Friedman and Dieng 2023, eq. 3).

    `l` are the eigenvalues of K/N, K the (N, N) matrix of cosines; the (F, F) dual X^T X/N has the
    same positive ones. An effective number of distinct items: 1 if all are equal, N (but at most
    F) if all are orthogonal.

    Args:
        features: (N, F). Rows of zeros have no direction and count as one more distinct item.

    Raises:
        ValueError: there is no item.
    """
    if len(features) == 0:
        raise ValueError("the Vendi score of no items is not defined")
    x = torch.nn.functional.normalize(features.double(), dim=1, eps=1e-12)
    weights = torch.linalg.eigvalsh(x.T @ x / len(x)).clamp(min=0)
    weights = torch.cat([weights, (1 - weights.sum()).clamp(min=0)[None]])  # rows of zeros
    return float(torch.exp(torch.special.entr(weights).sum()))


def variance_ratio(real: Tensor, generated: Tensor) -> float:
    """tr cov(generated) / tr cov(real): 1 as in real data, 0 when all items are equal.

    Args:
        real: (N, F) features of real items.
        generated: (M, F) features of generated items.

    Raises:
        ValueError: the real items do not vary, or a set holds fewer than two items.
    """
    if min(len(real), len(generated)) < 2:
        raise ValueError("the variance ratio needs at least 2 items of each set")
    total = real.double().var(0).sum()
    if total == 0:
        raise ValueError("the variance ratio needs real items that differ")
    return float(generated.double().var(0).sum() / total)
