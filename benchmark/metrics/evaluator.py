"""What is measured of one generation, on held-out real items that no method ever sees."""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor, nn

from benchmark import assets
from benchmark.data.sources import Splits
from benchmark.generators import language
from benchmark.generators.base import Generator
from benchmark.items import Items
from benchmark.metrics.frechet import frechet_distance
from benchmark.metrics.neighbours import prdc

Profile = dict[str, float]


class Evaluator(Protocol):
    """Turns a model and its published samples into named numbers."""

    def profile(
        self, generator: Generator, model: nn.Module, samples: Items, splits: Splits
    ) -> Profile: ...


class FeatureEvaluator:
    """Frechet distance and PRDC in the feature space of a frozen network, and held-out loss."""

    file: str
    most: int | None = None  # samples that are embedded (the first ones; their order is random)

    def __init__(self) -> None:
        self.network = assets.network(self.file)
        self._heldout: tuple[Items, Tensor] | None = None

    def features(self, items: Items) -> Tensor:
        """(N, F) features of published items."""
        raise NotImplementedError

    def profile(
        self, generator: Generator, model: nn.Module, samples: Items, splits: Splits
    ) -> Profile:
        """Profile of one generation.

        Args:
            generator: the model's family.
            model: the generation's model.
            samples: what the model published.
            splits: the lineage's real data.
        """
        if self._heldout is None or self._heldout[0] is not splits.heldout:
            self._heldout = (splits.heldout, self.features(splits.heldout))
        real, generated = self._heldout[1], self.features(samples.take(slice(0, self.most)))
        frechet = frechet_distance(real, generated)
        return {
            "frechet": frechet,
            "log_frechet": math.log(max(frechet, 1e-12)),
            **prdc(real, generated),
            "heldout_loss": generator.loss(model, splits.heldout),
        }


class ImageEvaluator(FeatureEvaluator):
    """Images in the space of a small digit classifier."""

    file = "digits-features.safetensors"

    @torch.no_grad()
    def features(self, items: Items) -> Tensor:
        return torch.cat([self.network(part) for part in items["image"].split(500)])


class TextEvaluator(FeatureEvaluator):
    """Text in the space of a small language model trained on other addresses than the test's."""

    file = "speeches-reference.safetensors"
    most = 500

    def __init__(self) -> None:
        super().__init__()
        self.network = language.half(self.network)

    def features(self, items: Items) -> Tensor:
        return language.embed(self.network, items["tokens"]).float()
