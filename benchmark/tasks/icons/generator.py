"""The generator of icons: a UNet paints them, a transformer names them."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.interface.generator import LossHook, Sampling
from benchmark.interface.items import Items, TrainingSet
from benchmark.tasks.icons.drawing import SIZE, grade, order_words
from benchmark.tasks.icons.networks import IconModel, IconPainter
from benchmark.tasks.pairs.generator import PairGenerator
from benchmark.tasks.pairs.language import LENGTH
from benchmark.tasks.training.averaging import fit_averaged
from benchmark.tasks.training.fit import Objective
from benchmark.tasks.training.graphs import Compiled
from benchmark.tasks.training.meter import Meter


class IconPublisher:
    """Pictures of sixteen greys, whose pixels in [-1, 1] are z, with names whose words are in
    order: see `drawing.grade` and `drawing.order_words`."""

    def encode(self, items: Items) -> Tensor:
        """(N, 1, 32, 32) pixels in [-1, 1]."""
        return items["image"].float() / 127.5 - 1

    def publish(self, latents: Tensor, tokens: Tensor) -> Items:
        """Quantised pictures with their names."""
        return Items(image=grade((latents.float() + 1) / 2), tokens=order_words(tokens))

    def pass_through(self, items: Items) -> Items:
        """Real items in published form."""
        return self.publish(self.encode(items), items["tokens"])


class CompiledPainter(Compiled):
    """A painter whose velocities are compiled."""

    def __init__(self, painter: IconPainter, family: Hashable, rows: int) -> None:
        super().__init__(painter, family, rows)
        self.ask, self.unsaid = painter.ask, painter.unsaid


class IconGenerator(PairGenerator):
    """Weights are float32, averaged over the steps; a GPU computes in bf16, channels last, steps
    recorded."""

    at_once = 800  # whole parts of n, for others are not compiled

    def __init__(
        self,
        words: int,
        widths: tuple[int, ...],
        layers: int,
        reading: int,
        writing: int,
        depth: int,
        ema: float,
        **pair: Any,
    ) -> None:
        """As `IconsRecipe` says; `pair` is that of `PairGenerator`."""
        super().__init__(IconPublisher(), words, **pair)
        self.network = (words, widths, layers, reading, writing, depth)
        self.family = ("icons", *self.network)
        self.shape = (1, SIZE, SIZE)
        self.ema, self.meter = ema, Meter(self.device)

    @property
    def dtype(self) -> torch.dtype:
        """Of weights: the networks compute by autocast."""
        return torch.float32

    def blank(self) -> nn.Module:
        model: Any = IconModel(*self.network).to(self.device)
        return model.to(memory_format=torch.channels_last) if self.on_gpu else model

    def learn(self, model: nn.Module, data: TrainingSet, loss: LossHook | None, steps: int,
              rate: float, rng: torch.Generator) -> nn.Module:  # fmt: skip
        painter, writer = super().ready(model)  # as it is: its operations are counted
        z = torch.zeros(1, *self.shape, device=self.device)
        name = torch.zeros(1, LENGTH, dtype=torch.int64, device=self.device)

        def forward() -> Tensor:
            painter(z, torch.ones(1, device=self.device), painter.ask(name))
            return writer(name, z)

        with self.meter.training(forward, steps * self.batch):
            return super().learn(model, data, loss, steps, rate, rng)

    def write(
        self, model: nn.Module, n: int, items: Items | None, rng: torch.Generator, how: Sampling
    ) -> Tensor:
        return order_words(super().write(model, n, items, rng, how))

    def ready(self, model: nn.Module) -> tuple[Any, Any]:
        painter, writer = super().ready(model)
        if self.on_gpu:
            painter = CompiledPainter(painter, ("painter", self.family), self.at_once)
        return painter, writer

    def fit(self, model: nn.Module, objective: Objective, size: int, steps: int, lr: float,
            rng: torch.Generator, rates: Tensor | None) -> nn.Module:  # fmt: skip
        return fit_averaged(model, objective, size, steps, self.batch, lr, rng, rates, self.ema)
