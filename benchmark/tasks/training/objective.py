"""The loss of a training step in parts, so that a GPU can record them and replay them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class StepLoss:
    """An `Objective`: called with a model and rows, it is the loss of those rows.

    Attributes:
        draw: (rows) -> what a step needs from the CPU, all its random numbers among it. Steps are
            drawn in order, and may be drawn ahead of their computation.
        inputs: (*drawn, on the device) -> what `predict` and `score` take besides.
        predict: (model, *inputs) -> the model's output.
        score: (output, *inputs) -> the scalar loss.
        device: where inputs and models lie.
        family: what models of one architecture have in common, whose steps a GPU records; None
            where that does not pay, or where `score` calls a method's hook: arbitrary Python.
    """

    draw: Callable[[Tensor], tuple[Tensor, ...]]
    inputs: Callable[..., tuple[Tensor, ...]]
    predict: Callable[..., Tensor]
    score: Callable[..., Tensor]
    device: torch.device
    family: Hashable = None

    def __call__(self, model: nn.Module, rows: Tensor) -> Tensor:
        inputs = self.inputs(*(x.to(self.device) for x in self.draw(rows)))
        return self.score(self.predict(model, *inputs), *inputs)


def laid_out_as(master: Tensor, gradient: Tensor) -> Tensor:
    """`gradient` with the type and strides of `master`: fused optimisers walk through memory, and
    a convolution's gradient may lie in it in another order than the weight (and be misread)."""
    if gradient.dtype == master.dtype and gradient.stride() == master.stride():
        return gradient
    return torch.empty_like(master).copy_(gradient)
