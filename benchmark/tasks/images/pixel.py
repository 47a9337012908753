"""The image generator of suite `standard`: flow matching on pixels by a UNet of diffusers."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.tasks.images import unet
from benchmark.tasks.images.codecs import PixelPublisher
from benchmark.tasks.images.flow_matching import FlowMatching
from benchmark.tasks.training.averaging import fit_averaged
from benchmark.tasks.training.fit import Objective
from benchmark.tasks.training.graphs import Compiled
from benchmark.tasks.training.meter import Meter


class PixelGenerator(FlowMatching):
    """Weights are float32 and averaged over the steps; a GPU computes in bf16, channels last."""

    at_once = 1_000

    def __init__(
        self,
        size: int,
        widths: tuple[int, ...],
        attention: tuple[bool, ...],
        layers: int,
        groups: int,
        ema: float,
        **flow: Any,
    ) -> None:
        """As `PixelDiffusionRecipe` says; `flow` is that of `FlowMatching`."""
        super().__init__(**flow)
        self.network = (size, widths, attention, layers, groups, self.classes)
        self.family = ("pixel", *self.network)
        self.ema, self.publisher = ema, PixelPublisher()
        self.shape = (3, size, size)
        self.meter = Meter(self.device)

    def blank(self) -> nn.Module:
        model = unet.build_unet(*self.network).to(self.device)
        return model.to(memory_format=torch.channels_last) if self.on_gpu else model

    def fit(self, model: nn.Module, objective: Objective, size: int, steps: int, lr: float,
            rng: torch.Generator, rates: Tensor | None) -> nn.Module:  # fmt: skip
        example = torch.zeros(1, *self.shape, device=self.device)
        label = torch.zeros(1, dtype=torch.int64, device=self.device)
        forward = partial(self.velocity, model, example, torch.ones(1, device=self.device), label)
        with self.meter.training(forward, steps * self.batch):
            return fit_averaged(model, objective, size, steps, self.batch, lr, rng, rates, self.ema)

    def ready(self, model: nn.Module) -> nn.Module:
        return Compiled(model, self.family, self.at_once) if self.on_gpu else model

    def velocity(self, model: nn.Module, x: Tensor, times: Tensor, labels: Tensor) -> Tensor:
        with self.arithmetic():
            return model(self._laid_out(x), times, labels).sample.float()

    def hidden(self, model: nn.Module, x: Tensor, times: Tensor, labels: Tensor
               ) -> tuple[Tensor, Tensor]:  # fmt: skip
        return unet.inside(model, lambda: self.velocity(model, x, times, labels))

    def _laid_out(self, x: Tensor) -> Tensor:
        return x.contiguous(memory_format=torch.channels_last) if self.on_gpu else x
