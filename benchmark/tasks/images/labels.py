"""The classes of what a model writes: as often as in its training set, so that they can vanish."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn

from benchmark.basics.seeds import draw_evenly
from benchmark.interface.items import TrainingSet

SHARES = "label_shares"  # the buffer of every image model: float64 (classes,), adds up to 1

Model = TypeVar("Model", bound=nn.Module)


def add_label_shares(model: Model, classes: int) -> Model:
    """`model` with its buffer: all classes alike, until it is trained."""
    model.register_buffer(SHARES, torch.full((classes,), 1 / classes, dtype=torch.float64))
    return model


def set_label_shares(model: nn.Module, data: TrainingSet) -> None:
    """What `model` is trained on from now on: the share of each class, by sampling rate."""
    shares = model.get_buffer(SHARES)
    rates = data.rates()
    weights = None if rates is None else rates.double()
    count = torch.bincount(data.items["label"], weights, len(shares)).double()
    shares.copy_(count / count.sum())


def draw_labels(model: nn.Module, n: int, rng: torch.Generator) -> Tensor:
    """(n,) classes in random order, each as often as its share says, rounded up or down."""
    return draw_evenly(model.get_buffer(SHARES).cpu(), n, rng)
