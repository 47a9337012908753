"""Precision, recall, density and coverage from k-nearest-neighbour balls."""

from __future__ import annotations

import torch
from torch import Tensor


def prdc(real: Tensor, generated: Tensor, k: int = 5) -> dict[str, float]:
    """Precision and recall (Kynkaanniemi et al. 2019), density and coverage (Naeem et al. 2020).

    Both sets are cut to the size of the smaller, since the ball radii depend on the size.

    Args:
        real: (N, F) features of real items.
        generated: (M, F) features of generated items.
        k: the radius of an item's ball is the distance to its k-th neighbour in its own set.
    """
    n = min(len(real), len(generated))
    real, generated = real[:n].double(), generated[:n].double()
    if n <= k:
        raise ValueError(f"prdc needs more than k = {k} items, got {n}")
    mode = "donot_use_mm_for_euclid_dist"  # the default is off by 1e-2 for equal items
    real_radius = _radius(torch.cdist(real, real, compute_mode=mode), k)
    generated_radius = _radius(torch.cdist(generated, generated, compute_mode=mode), k)
    between = torch.cdist(real, generated, compute_mode=mode)
    in_real = between < real_radius[:, None]
    return {
        "precision": in_real.any(0).double().mean().item(),
        "recall": (between < generated_radius[None]).any(1).double().mean().item(),
        "density": in_real.double().sum(0).mean().item() / k,
        "coverage": (between.min(1).values < real_radius).double().mean().item(),
    }


def _radius(distances: Tensor, k: int) -> Tensor:
    return distances.kthvalue(k + 1, dim=1).values  # the first neighbour is the item itself
