"""What every generator does that trains a neural network."""

from __future__ import annotations

import copy
from collections.abc import Hashable, Mapping

import torch
from torch import Tensor, nn

from benchmark.basics.device import current
from benchmark.basics.errors import MethodError
from benchmark.basics.seeds import seed_global
from benchmark.interface.generator import LossHook
from benchmark.interface.items import Items, TrainingSet
from benchmark.tasks.training.fit import Objective


class Trained:
    """Training from scratch or of a copy; see `benchmark.interface.generator.Generator`.

    Subclasses say which network, what it minimises, and by which optimiser loop.
    """

    ranges: Mapping[str, int]
    fixed: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    family: Hashable = None  # models whose steps a GPU records, see `objective.StepLoss`

    def __init__(self, steps: int, batch: int, lr: float) -> None:
        self.steps, self.batch, self.lr = steps, batch, lr
        self.device = current()

    def blank(self) -> nn.Module:
        raise NotImplementedError

    def objective(self, data: TrainingSet, loss: LossHook | None, rng: torch.Generator
                  ) -> Objective:  # fmt: skip
        """The loss of some rows of `data`, through the hook `loss`."""
        raise NotImplementedError

    def fit(self, model: nn.Module, objective: Objective, size: int, steps: int, lr: float,
            rng: torch.Generator, rates: Tensor | None) -> nn.Module:  # fmt: skip
        """Train `model` in place, see `training.fit`."""
        raise NotImplementedError

    def train(
        self,
        data: TrainingSet,
        rng: torch.Generator,
        loss: LossHook | None = None,
        model: nn.Module | None = None,
        steps: int | None = None,
        rate: float = 1.0,
    ) -> nn.Module:
        seed_global(rng)
        made = self.blank() if model is None else copy.deepcopy(model).requires_grad_(True)
        made = self.learn(made, data, loss, steps or self.steps, rate, rng)
        if model is None:  # fine-tuning changes a model, not what it is asked for
            self.note(made, data)
        return made

    def learn(self, model: nn.Module, data: TrainingSet, loss: LossHook | None, steps: int,
              rate: float, rng: torch.Generator) -> nn.Module:  # fmt: skip
        """Train `model` in place, at `rate` times the recipe's learning rate."""
        objective = self.objective(data, loss, rng)
        return self.fit(model, objective, len(data), steps, rate * self.lr, rng, data.rates())

    def note(self, model: nn.Module, data: TrainingSet) -> None:
        """What a model keeps of the data that it was trained on, besides its weights."""

    def log_prior(self, model: nn.Module, items: Items) -> Tensor:
        raise MethodError("these items have no captions: log_prob(..., blind=True) is for pairs")

    def fill(self, model: nn.Module, items: Items, column: str, rng: torch.Generator) -> Items:
        raise MethodError("these items are made whole: round.fill is for pairs")

    def recorded(self, loss: LossHook | None) -> Hashable:
        """`family` of a `StepLoss` with this hook."""
        return self.family if loss is None else None

    @property
    def on_gpu(self) -> bool:
        return self.device.type == "cuda"

    @property
    def dtype(self) -> torch.dtype:
        """What small networks compute in. On CPUs always float32: without bf16 instructions bf16
        products are some ten times slower, and one arithmetic serves every processor."""
        return torch.bfloat16 if self.on_gpu else torch.float32

    def arithmetic(self) -> torch.autocast:
        """The context of large networks: a GPU computes in bf16."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.on_gpu)
