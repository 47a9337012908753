"""Linear regression: items (x, y), a model that labels the same x anew in every generation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from benchmark.basics.errors import Diverged
from benchmark.interface.generator import Generator, Sampling
from benchmark.interface.items import Items
from benchmark.tasks.parts import Era, Evaluator, Profile, Source, Stream, World
from benchmark.theory.exact import ExactGenerator, Fit, standard_normal

TRUE_WEIGHT = 1.0  # every entry of w*


@dataclass(frozen=True)
class LinearData:
    """Real items `x` float64 (N, replicates, dim) ~ N(0, I) and `y` (N, replicates) = x w* + noise.

    Every replicate is a regression of its own; all entries of w* are `TRUE_WEIGHT`.
    """

    distribution: ClassVar[str | None] = None
    dim: int
    replicates: int
    noise: float = 1.0
    heldout: int = 16

    def build(self) -> Source:
        return self

    def world(self, n: int, reserve: int, stream: Stream) -> World:
        def draw(count: int, rng: torch.Generator) -> Items:
            x = standard_normal(count, self.replicates, self.dim, rng=rng)
            error = standard_normal(count, self.replicates, rng=rng)
            return Items(x=x, y=TRUE_WEIGHT * x.sum(2) + self.noise * error)

        heldout = draw(self.heldout, torch.Generator().manual_seed(0))

        def begin(t: int) -> Era:
            rng = stream(t, "real")
            return Era(real=draw(n, rng), heldout=heldout, trusted=draw(reserve, rng))

        return begin


@dataclass(frozen=True)
class LinearRecipe:
    """Ordinary least squares, labelling `n` rows x with noise of standard deviation `noise`."""

    dim: int
    replicates: int
    n: int
    noise: float = 1.0

    def build(self) -> Generator:
        return LinearGenerator(self)


class LinearGenerator(ExactGenerator):
    """Models hold `weight` (replicates, dim) and the design `x` (n, replicates, dim).

    The design is the set of distinct rows the model was trained on (cut, or repeated in order, to n
    rows): under `replace`, and for unbounded accumulation, the same n rows in every generation.
    """

    def __init__(self, recipe: LinearRecipe) -> None:
        super().__init__(recipe.n)
        self.recipe = recipe

    def blank(self) -> nn.Module:
        r = self.recipe
        weight = torch.zeros(r.replicates, r.dim, dtype=torch.float64)
        return Fit({"weight": weight, "x": weight.expand(r.n, -1, -1).clone()})

    def fit(self, items: Items, weights: Tensor) -> dict[str, Tensor]:
        x, y = items["x"], items["y"]
        rows = Items(x=x).unique()["x"]
        if len(rows) < self.recipe.dim:
            raise Diverged("least squares has no unique solution: too few distinct rows")
        weighted = weights[:, None, None] * x
        try:  # w = (X'X)^-1 X'y
            weight = torch.linalg.solve(
                torch.einsum("nri,nrj->rij", weighted, x), torch.einsum("nri,nr->ri", weighted, y)
            )
        except torch.linalg.LinAlgError as error:
            raise Diverged("least squares has no unique solution") from error
        return {"weight": weight, "x": rows[torch.arange(self.recipe.n) % len(rows)]}

    def sample(self, model: nn.Module, n: int, rng: torch.Generator, how: Sampling) -> Items:
        x = model.get_buffer("x")[torch.arange(n) % self.recipe.n]
        error = standard_normal(*x.shape[:2], rng=rng)
        return Items(x=x, y=_predict(model, x) + self.recipe.noise * how.temperature * error)

    def log_prob(self, model: nn.Module, items: Items) -> Tensor:
        """(N,) log-density of y given x in nats, summed over replicates."""
        var = self.recipe.noise**2
        squares = (items["y"] - _predict(model, items["x"])) ** 2 / var
        return -0.5 * (squares + math.log(2 * math.pi * var)).sum(1)

    def features(self, model: nn.Module, items: Items) -> Tensor:
        """(N, replicates) the model's predictions."""
        return _predict(model, items["x"])


def _predict(model: nn.Module, x: Tensor) -> Tensor:
    return torch.einsum("nri,ri->nr", x, model.get_buffer("weight"))


@dataclass(frozen=True)
class LinearEvaluation:
    """The risk |w - w*|^2, averaged over replicates."""

    primary: str = "risk"

    def build(self) -> Evaluator:
        return self

    def profile(self, generator: Generator, model: nn.Module, samples: Items, era: Era) -> Profile:
        return {"risk": ((model.get_buffer("weight") - TRUE_WEIGHT) ** 2).sum(1).mean().item()}
