"""Categorical items: one token of each of many independent unigram languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from benchmark.interface.generator import Generator, Sampling
from benchmark.interface.items import Items
from benchmark.tasks.parts import Era, Evaluator, Profile, Source, Stream, World
from benchmark.theory.exact import ExactGenerator, Fit


def zipf(words: int, beta: float) -> np.ndarray:
    """(words,) probabilities p_i ~ i^-beta of the words of rank i = 1, 2, ...; uniform at 0."""
    weights = np.arange(1, words + 1, dtype=float) ** -beta
    return weights / weights.sum()


@dataclass(frozen=True)
class UnigramData:
    """Real items `tokens` int64 (N, replicates), independent draws from `zipf(words, beta)`."""

    distribution: ClassVar[str | None] = None
    words: int
    replicates: int
    beta: float
    heldout: int = 16

    def build(self) -> Source:
        return self

    def world(self, n: int, reserve: int, stream: Stream) -> World:
        law = torch.from_numpy(zipf(self.words, self.beta))

        def draw(count: int, rng: torch.Generator) -> Items:
            tokens = torch.multinomial(law, count * self.replicates, True, generator=rng)
            return Items(tokens=tokens.view(count, self.replicates))

        heldout = draw(self.heldout, torch.Generator().manual_seed(0))

        def begin(t: int) -> Era:
            rng = stream(t, "real")
            return Era(real=draw(n, rng), heldout=heldout, trusted=draw(reserve, rng))

        return begin


@dataclass(frozen=True)
class UnigramRecipe:
    """Word frequencies of `n` items; `cut` keeps only the words of rank 1 to cut."""

    words: int
    replicates: int
    n: int
    cut: int | None = None

    def build(self) -> Generator:
        return UnigramGenerator(self)


class UnigramGenerator(ExactGenerator):
    """Models hold `probability` (replicates, words)."""

    def __init__(self, recipe: UnigramRecipe) -> None:
        super().__init__(recipe.n)
        self.recipe = recipe
        self.ranges: Mapping[str, int] = {"tokens": recipe.words}

    def blank(self) -> nn.Module:
        shape = (self.recipe.replicates, self.recipe.words)
        return Fit({"probability": torch.zeros(shape, dtype=torch.float64)})

    def fit(self, items: Items, weights: Tensor) -> dict[str, Tensor]:
        words = items["tokens"].T
        counts = torch.zeros(len(words), self.recipe.words, dtype=torch.float64)
        counts.scatter_add_(1, words, weights.expand(words.shape))
        if self.recipe.cut is not None:
            counts[:, self.recipe.cut :] = 0
        return {"probability": counts / counts.sum(1, keepdim=True)}

    def sample(self, model: nn.Module, n: int, rng: torch.Generator, how: Sampling) -> Items:
        law = model.get_buffer("probability") ** (1 / how.temperature)
        return Items(tokens=torch.multinomial(law, n, True, generator=rng).T)

    def log_prob(self, model: nn.Module, items: Items) -> Tensor:
        """(N,) log-probability in nats, summed over replicates; -inf for a word never seen."""
        return model.get_buffer("probability").log().gather(1, items["tokens"].T).sum(0)

    def features(self, model: nn.Module, items: Items) -> Tensor:
        """(N, replicates) the probability of each token."""
        return model.get_buffer("probability").gather(1, items["tokens"].T).T


@dataclass(frozen=True)
class UnigramEvaluation:
    """Distance of the fitted frequencies from `zipf(words, beta)`, averaged over replicates."""

    words: int
    beta: float
    primary: str = "chi_square"

    def build(self) -> Evaluator:
        return self

    def profile(self, generator: Generator, model: nn.Module, samples: Items, era: Era) -> Profile:
        """`chi_square` sum (q - p)^2/p, `diversity` 1 - sum q^2, `unseen` the true probability of
        the words that the model gives none."""
        p, q = torch.from_numpy(zipf(self.words, self.beta)), model.get_buffer("probability")
        return {
            "chi_square": ((q - p) ** 2 / p).sum(1).mean().item(),
            "diversity": (1 - q.square().sum(1)).mean().item(),
            "unseen": (p * (q == 0)).sum(1).mean().item(),
        }
