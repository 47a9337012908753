"""The image generator of the CPU suites: latent flow matching."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from benchmark.tasks.images.codecs import ImagePublisher
from benchmark.tasks.images.flow_matching import FlowMatching
from benchmark.tasks.images.networks import LatentDenoiser
from benchmark.tasks.training.fit import Objective, computing_in, fit


class FlowGenerator(FlowMatching):
    """The flow in the latent space of the image codec, by a residual MLP."""

    def __init__(self, width: int, blocks: int, **flow: Any) -> None:
        """`flow` is that of `FlowMatching`."""
        super().__init__(**flow)
        self.width, self.blocks = width, blocks
        self.publisher = publisher = ImagePublisher()
        self.latent: int = publisher.network.config.latent
        self.shape = (self.latent,)

    def blank(self) -> LatentDenoiser:
        model = LatentDenoiser(self.latent, self.width, self.blocks, self.classes)
        return model.to(self.device)

    def fit(self, model: nn.Module, objective: Objective, size: int, steps: int, lr: float,
            rng: torch.Generator, rates: Tensor | None) -> nn.Module:  # fmt: skip
        return fit(model, objective, size, steps, self.batch, lr, rng, rates, dtype=self.dtype)

    def ready(self, model: nn.Module) -> nn.Module:
        return computing_in(self.dtype, model)

    def velocity(self, model: nn.Module, x: Tensor, times: Tensor, labels: Tensor) -> Tensor:
        return model(x, times, labels).sample.float()

    def hidden(self, model: nn.Module, x: Tensor, times: Tensor, labels: Tensor
               ) -> tuple[Tensor, Tensor]:  # fmt: skip
        out = model(x, times, labels)
        return out.sample, out.hidden
