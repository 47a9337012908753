"""Gaussian items: N(0, 1) in every coordinate, each coordinate a replicate of the 1-d loop."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import torch
from torch import Tensor, nn

from benchmark.interface.generator import Generator, Sampling
from benchmark.interface.items import Items
from benchmark.tasks.parts import Era, Evaluator, Profile, Source, Stream, World
from benchmark.theory.exact import ExactGenerator, Fit, standard_normal


@dataclass(frozen=True)
class NormalData:
    """Real items `x` float64 (N, dim): those of era t are independent N(`speed` t, 1).

    Without a speed there is one era for ever, whose items come again in every crawl: the setting of
    closed forms for loops in which a fixed set of real items is mixed with generated ones.
    """

    distribution: ClassVar[str | None] = None
    dim: int
    heldout: int = 16
    speed: float | None = 0.0

    def build(self) -> Source:
        return self

    def world(self, n: int, reserve: int, stream: Stream) -> World:
        @cache
        def begin(t: int) -> Era:
            rng, mean = stream(t, "real"), (self.speed or 0.0) * t

            def draw(count: int) -> Items:
                return Items(x=standard_normal(count, self.dim, rng=rng) + mean)

            # In pairs around the true mean, so that theirs is the true one: the evaluation's.
            fixed = torch.Generator().manual_seed(0)
            half = standard_normal(self.heldout // 2, self.dim, rng=fixed)
            heldout = Items(x=torch.cat([half, -half]) + mean)
            return Era(real=draw(n), heldout=heldout, trusted=draw(reserve))

        return begin if self.speed is not None else lambda t: begin(0)


@dataclass(frozen=True)
class NormalRecipe:
    """A Gaussian fitted per coordinate from `n` items.

    Attributes:
        ddof: the variance divides by n - ddof: 0 is maximum likelihood, 1 is unbiased.
        spread: samples have `spread` times the fitted standard deviation; its square is the
            sampling bias lambda of Alemohammad et al. 2024.
    """

    dim: int
    n: int
    ddof: int = 0
    spread: float = 1.0

    def build(self) -> Generator:
        return NormalGenerator(self)


class NormalGenerator(ExactGenerator):
    """Models hold `mean` and `var`, both (dim,)."""

    def __init__(self, recipe: NormalRecipe) -> None:
        super().__init__(recipe.n)
        self.recipe = recipe

    def blank(self) -> nn.Module:
        zero = torch.zeros(self.recipe.dim, dtype=torch.float64)
        return Fit({"mean": zero, "var": zero.clone()})

    def fit(self, items: Items, weights: Tensor) -> dict[str, Tensor]:
        mean = weights @ items["x"]
        # With equal weights the divisor is (n - ddof)/n.
        var = weights @ (items["x"] - mean).square_()
        if self.recipe.ddof:
            var /= 1 - self.recipe.ddof * weights.square().sum()
        return {"mean": mean, "var": var}

    def sample(self, model: nn.Module, n: int, rng: torch.Generator, how: Sampling) -> Items:
        noise = standard_normal(n, self.recipe.dim, rng=rng)
        scale = self.recipe.spread * how.temperature * model.get_buffer("var").sqrt()
        return Items(x=torch.addcmul(model.get_buffer("mean"), scale, noise, out=noise))

    def log_prob(self, model: nn.Module, items: Items) -> Tensor:
        """(N,) log-density in nats, summed over coordinates."""
        var = model.get_buffer("var")
        squares = (items["x"] - model.get_buffer("mean")) ** 2 / var
        return -0.5 * (squares + (2 * math.pi * var).log()).sum(1)

    def features(self, model: nn.Module, items: Items) -> Tensor:
        """(N, dim) the items standardised by the model."""
        return (items["x"] - model.get_buffer("mean")) / model.get_buffer("var").sqrt()


@dataclass(frozen=True)
class NormalEvaluation:
    """Distance of the model's law from the true one, in closed form, averaged over coordinates.

    The true mean is that of the held-out items, the true variance 1.
    """

    primary: str = "frechet"

    def build(self) -> Evaluator:
        return self

    def profile(self, generator: Generator, model: nn.Module, samples: Items, era: Era) -> Profile:
        """`drift` (squared distance of the means), `variance`, and the squared Frechet distance,
        drift + (sqrt(var) - 1)^2 (Dowson and Landau 1982)."""
        mean, var = model.get_buffer("mean"), model.get_buffer("var")
        mean = mean - era.heldout["x"].mean(0)
        drift, variance = mean.dot(mean).item() / len(mean), var.mean().item()
        frechet = drift + (var.sqrt() - 1).square_().mean().item()
        return {"drift": drift, "variance": variance, "frechet": frechet}
