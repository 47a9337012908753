"""What all analytic generators share: models that are plain numbers, and a fit without steps."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from benchmark.basics.errors import Diverged, MethodError
from benchmark.interface.generator import LossHook
from benchmark.interface.items import Items, TrainingSet


class Fit(nn.Module):
    """A fitted model: float64 tensors by name, kept as buffers."""

    def __init__(self, numbers: dict[str, Tensor]) -> None:
        super().__init__()
        for name, number in numbers.items():
            self.register_buffer(name, number)
        self.training = False


def standard_normal(*shape: int, rng: torch.Generator) -> Tensor:
    """Float64 N(0, 1). The draws are float32's, which torch makes five times as fast: their law
    differs from the normal one by less than any number of seeds could show."""
    normal = torch.empty(shape, dtype=torch.float64)
    return normal.copy_(torch.randn(shape, generator=rng))


class ExactGenerator:
    """A generator whose training is a closed formula.

    A fit does not depend on steps or on the random stream, and fine-tuning is fitting anew.
    Subclasses say what is fitted and how it is sampled.
    """

    steps = 2  # more than one, so that a method can keep one for `round.finetune`
    fixed: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    def __init__(self, n: int) -> None:
        self.batch = n
        self.ranges: Mapping[str, int] = {}

    def blank(self) -> nn.Module:
        raise NotImplementedError

    def fit(self, items: Items, weights: Tensor) -> dict[str, Tensor]:
        """The fitted numbers; `weights` float64 (N,) add up to 1."""
        raise NotImplementedError

    def log_prob(self, model: nn.Module, items: Items) -> Tensor:
        """(N,) log-probability of each item in nats, summed over replicates."""
        raise NotImplementedError

    def logits(self, model: nn.Module, items: Items) -> Tensor:
        raise MethodError("an analytic generator has no logits: round.logits is for text")

    def log_prior(self, model: nn.Module, items: Items) -> Tensor:
        raise MethodError("an analytic generator has no captions: blind=True is for pairs")

    def fill(self, model: nn.Module, items: Items, column: str, rng: torch.Generator) -> Items:
        raise MethodError("an analytic generator makes whole items: round.fill is for pairs")

    def train(
        self,
        data: TrainingSet,
        rng: torch.Generator,
        loss: LossHook | None = None,
        model: nn.Module | None = None,
        steps: int | None = None,
        rate: float = 1.0,
    ) -> nn.Module:
        """Fit `data`.

        Raises:
            MethodError: a loss hook is given, and an exact fit has no loss to change.
            Diverged: the fit is not finite.
        """
        if loss is not None:
            raise MethodError("an analytic generator is fitted exactly: it has no loss to change")
        rates = data.rates()
        if rates is None:
            size = len(data)
            weights = torch.full((size,), 1 / size, dtype=torch.float64)
        else:
            weights = rates.double()
            weights = weights / weights.sum()
        numbers = self.fit(data.items, weights)
        if not all(math.isfinite(number.sum()) for number in numbers.values()):
            raise Diverged("the fit is not finite")
        return Fit(numbers)

    def loss(self, model: nn.Module, items: Items) -> float:
        """Mean negative log-probability per replicate on `items`, nats."""
        replicates = next(iter(items.columns.values())).shape[1]
        return -self.log_prob(model, items).mean().item() / replicates
