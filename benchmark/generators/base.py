"""What the loop asks of a generator, neural or analytic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import torch
from torch import Tensor, nn

from benchmark.items import Items, TrainingSet
from benchmark.mitigation import Sampling

LossHook = Callable[[Tensor, Tensor], Tensor]


class Generator(Protocol):
    """A model family with its training recipe; models are plain `nn.Module`s."""

    steps: int  # optimiser steps of one training run
    batch: int  # items shown in one step
    ranges: Mapping[str, int]  # integer columns of items and how many values, from 0 on, they have

    def blank(self) -> nn.Module:
        """A model to load saved weights into."""
        ...

    def train(
        self,
        data: TrainingSet,
        rng: torch.Generator,
        loss: LossHook | None = None,
        model: nn.Module | None = None,
        steps: int | None = None,
        rate: float = 1.0,
    ) -> nn.Module:
        """Train from scratch, or fine-tune a copy of `model`, for the recipe's steps or `steps`,
        at `rate` times the recipe's learning rate.

        Raises:
            Diverged: the loss is not finite.
        """
        ...

    def sample(self, model: nn.Module, n: int, rng: torch.Generator, how: Sampling) -> Items:
        """`n` items in published form.

        Raises:
            Diverged: the model's output is not finite.
        """
        ...

    def log_prob(self, model: nn.Module, items: Items) -> Tensor:
        """(N,) log-probability of each item in nats, or the modality's surrogate for it."""
        ...

    def logits(self, model: nn.Module, items: Items) -> Tensor:
        """(N, L, V) logits of every token, as they are sampled from.

        Raises:
            MethodError: the items are not text.
        """
        ...

    def features(self, model: nn.Module, items: Items) -> Tensor:
        """(N, F) the model's own hidden representation of each item."""
        ...

    def loss(self, model: nn.Module, items: Items) -> float:
        """Mean loss per element on `items`: nats per token, or the denoising loss."""
        ...


def weighted_mean(per_element: Tensor, *weights: Tensor) -> Tensor:
    """Mean over elements; `weights` are those of the items and their mean over all (see
    `weights_of`), or nothing for equal ones."""
    if not weights:
        return per_element.mean()
    own, mean = weights
    return (per_element.flatten(1).mean(1) * own).mean() / mean


def weights_of(rows: Tensor, weights: Tensor | None) -> tuple[Tensor, ...]:
    """What `weighted_mean` takes besides the elements of `rows`."""
    return () if weights is None else (weights[rows], weights.mean())
