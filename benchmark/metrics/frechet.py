"""Frechet distance between two sets of features, by torchmetrics."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from benchmark.metrics.precomputed import Precomputed


def frechet_distance(real: Tensor, generated: Tensor) -> float:
    """|mu_r - mu_g|^2 + tr(S_r + S_g - 2 (S_r S_g)^1/2) (Heusel et al. 2017).

    Args:
        real: (N, F) features of real items.
        generated: (M, F) features of generated items.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchmetrics warns about its own buffers
        from torchmetrics.image.fid import FrechetInceptionDistance

        metric = FrechetInceptionDistance(
            feature=Precomputed(real.shape[1]), input_img_size=(real.shape[1],)
        ).set_dtype(torch.float64)
    # On the CPU: a GPU is slow at the eigenvalues of a general matrix.
    metric.update(real.double().cpu(), real=True)
    metric.update(generated.double().cpu(), real=False)
    return max(0.0, float(metric.compute()))
