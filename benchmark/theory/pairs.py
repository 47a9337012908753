"""Pairs of a caption and a picture: a number per pair, Gaussian around its caption's own mean."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from benchmark.interface.generator import Generator, Sampling
from benchmark.interface.items import Items
from benchmark.tasks.parts import Era, Evaluator, Profile, Source, Stream, World
from benchmark.theory.exact import ExactGenerator, Fit, standard_normal
from benchmark.theory.unigram import zipf


def means_of(captions: int, beta: float) -> np.ndarray:
    """(captions,) what pictures of a caption are around; of mean 0 and variance 1 over captions."""
    law = zipf(captions, beta)
    place = np.arange(captions) - law @ np.arange(captions)
    return place / np.sqrt(law @ place**2)


@dataclass(frozen=True)
class PairData:
    """Real items `tokens` int64 (N, replicates), drawn from `zipf(captions, beta)`, and `x` float64
    (N, replicates), the picture of caption k being N(means_of(...)[k], 1)."""

    distribution: ClassVar[str | None] = None

    captions: int
    replicates: int
    beta: float
    heldout: int = 16

    def build(self) -> Source:
        return self

    def world(self, n: int, reserve: int, stream: Stream) -> World:
        law = torch.from_numpy(zipf(self.captions, self.beta))
        means = torch.from_numpy(means_of(self.captions, self.beta))

        def draw(count: int, rng: torch.Generator) -> Items:
            tokens = torch.multinomial(law, count * self.replicates, True, generator=rng)
            tokens = tokens.view(count, self.replicates)
            return Items(tokens=tokens, x=means[tokens] + standard_normal(*tokens.shape, rng=rng))

        heldout = draw(self.heldout, torch.Generator().manual_seed(0))

        def begin(t: int) -> Era:
            rng = stream(t, "real")
            return Era(real=draw(n, rng), heldout=heldout, trusted=draw(reserve, rng))

        return begin


@dataclass(frozen=True)
class PairRecipe:
    """Caption frequencies, and a Gaussian per caption, from `n` pairs.

    Attributes:
        frozen_writer: each caption is published as often as it was found, not drawn.
    """

    captions: int
    replicates: int
    n: int
    frozen_writer: bool = False

    def build(self) -> Generator:
        return PairGenerator(self)


class PairGenerator(ExactGenerator):
    """Models hold `probability`, `mean` and `var`, each (replicates, captions); mean and variance
    of a caption that no item has are 0."""

    def __init__(self, recipe: PairRecipe) -> None:
        super().__init__(recipe.n)
        self.recipe = recipe
        self.ranges: Mapping[str, int] = {"tokens": recipe.captions}

    def blank(self) -> nn.Module:
        zero = torch.zeros(self.recipe.replicates, self.recipe.captions, dtype=torch.float64)
        return Fit({"probability": zero, "mean": zero.clone(), "var": zero.clone()})

    def fit(self, items: Items, weights: Tensor) -> dict[str, Tensor]:
        words, x = items["tokens"].T, items["x"].T
        weights = weights.expand(words.shape)

        def total(values: Tensor) -> Tensor:
            sums = torch.zeros(len(words), self.recipe.captions, dtype=torch.float64)
            return sums.scatter_add_(1, words, values)

        share = total(weights)
        divisor = torch.where(share > 0, share, 1.0)
        mean = total(weights * x) / divisor
        var = total(weights * (x - mean.gather(1, words)) ** 2) / divisor
        return {"probability": share, "mean": mean, "var": var}

    def sample(self, model: nn.Module, n: int, rng: torch.Generator, how: Sampling) -> Items:
        law = model.get_buffer("probability")
        if self.recipe.frozen_writer:
            # The k-th pair has the caption in whose part of the cumulated law (k + 1/2)/n lies.
            places = (torch.arange(n, dtype=torch.float64) + 0.5) / n
            words = torch.searchsorted(law.cumsum(1), places.expand(len(law), n).contiguous())
            words = words.gather(1, torch.rand(words.shape, generator=rng).argsort(1))
        else:
            words = torch.multinomial(law ** (1 / how.temperature), n, True, generator=rng)
        noise = how.temperature * standard_normal(*words.shape, rng=rng)
        x = model.get_buffer("mean").gather(1, words)
        x = x + model.get_buffer("var").sqrt().gather(1, words) * noise
        return Items(tokens=words.T, x=x.T)

    def log_prob(self, model: nn.Module, items: Items) -> Tensor:
        """(N,) log p(caption) + log p(picture | caption) in nats, summed over replicates."""
        words = items["tokens"].T
        var = model.get_buffer("var").gather(1, words)
        squares = (items["x"].T - model.get_buffer("mean").gather(1, words)) ** 2 / var
        caption = model.get_buffer("probability").gather(1, words).log()
        return (caption - 0.5 * (squares + (2 * math.pi * var).log())).sum(0)

    def features(self, model: nn.Module, items: Items) -> Tensor:
        """(N, replicates) the pictures, standardised by the model of their captions."""
        words = items["tokens"].T
        deviation = model.get_buffer("var").sqrt().gather(1, words)
        return ((items["x"].T - model.get_buffer("mean").gather(1, words)) / deviation).T


def joint_moments(fits: Mapping[str, np.ndarray], means: np.ndarray) -> np.ndarray:
    """(..., 2, 2) covariance of picture and caption in models, a caption read as its true mean.

    `fits` are `probability`, `mean` and `var`, (..., replicates, captions); the average is over
    replicates, too.
    """
    law, mean, var = fits["probability"], fits["mean"], fits["var"]
    picture, caption = (law * mean).sum(-1), law @ means
    pictures = (law * (var + mean**2)).sum(-1) - picture**2
    captions = law @ means**2 - caption**2
    both = (law * mean) @ means - picture * caption
    flat = np.stack([pictures, both, both, captions], -1).mean(-2)
    return flat.reshape(*flat.shape[:-1], 2, 2)


@dataclass(frozen=True)
class PairEvaluation:
    """Distance of the model's captions and pictures from the true ones."""

    captions: int
    beta: float
    primary: str = "frechet_joint"

    def build(self) -> Evaluator:
        return self

    def profile(self, generator: Generator, model: nn.Module, samples: Items, era: Era) -> Profile:
        """`frechet_joint` of picture and caption together, `diversity` 1 - sum q^2 of the captions,
        `variance` of the pictures within captions."""
        from benchmark.theory.formulas import joint_frechet

        fits = {name: number.numpy() for name, number in model.named_buffers()}
        moments = joint_moments(fits, means_of(self.captions, self.beta))
        law, var = fits["probability"], fits["var"]
        return {
            "frechet_joint": joint_frechet(np.array([[2.0, 1.0], [1.0, 1.0]]), moments),
            "diversity": float(1 - (law**2).sum(1).mean()),
            "variance": float((law * var).sum(1).mean()),
        }
