"""Training whose weights are averaged over the steps."""

from __future__ import annotations

import torch
from diffusers.training_utils import EMAModel
from torch import Tensor, nn

from benchmark.tasks.training.fit import Objective, fit


def fit_averaged(
    model: nn.Module,
    objective: Objective,
    size: int,
    steps: int,
    batch: int,
    lr: float,
    rng: torch.Generator,
    rates: Tensor | None,
    decay: float,
) -> nn.Module:
    """`fit`, after which the weights are their running average, of the largest `decay` given."""
    average = EMAModel(model.parameters(), decay=decay, foreach=True)
    model = fit(model, objective, size, steps, batch, lr, rng, rates,
                after=lambda: average.step(model.parameters()))  # fmt: skip
    average.copy_to(model.parameters())
    return model
