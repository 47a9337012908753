"""Real pairs, a tiny generator of pairs and its rounds, for the tests of pairs."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any, cast

import torch
from torch import Tensor, nn

from benchmark import Access, Items, TrainingSet
from benchmark.basics.seeds import stream
from benchmark.interface.generator import LossHook
from benchmark.interface.round import Ledger, Limits, Round
from benchmark.lineage.loop import open_world
from benchmark.tasks.pairs.generator import PairGenerator
from benchmark.tasks.pairs.law import LawEra
from benchmark.tasks.suites import load_task
from benchmark.tasks.training.objective import StepLoss
from tests import tiny

WEB = replace(tiny.tiny(load_task("numerals-web")), n=60)
GENERATOR = WEB.generator.build()
SIZE = 600  # pairs of an era


class Silent:
    """A generator whose model has nothing to say."""

    def loss(self, model: Any, items: Items) -> float:
        return 0.0

    def log_prior(self, model: Any, items: Items) -> Tensor:
        return torch.zeros(len(items))


@cache
def open_era(t: int) -> LawEra:
    """Era `t` of the moving world of the suite, at a smaller size."""
    task = load_task("numerals-web")
    task = replace(task, n=SIZE, data=replace(task.data, heldout=SIZE))  # type: ignore[type-var]
    return cast(LawEra, open_world(task, 0)(t))


@cache
def train_model() -> nn.Module:
    """A tiny model of pairs."""
    return GENERATOR.train(TrainingSet(open_era(4).real), stream("model"))


def open_round(
    model: Any, generator: Any = GENERATOR, modality: str = "pair", **granted: Any
) -> Round:
    """A round that grants the model, and what else is named."""
    everything = {Access.MODEL: model} | {Access[name]: what for name, what in granted.items()}
    limits = Limits(generator.steps * generator.batch, 200, 10_000)
    return Round(
        1, 100, modality, stream("round"), everything, generator, Ledger(), limits, trained=True
    )


def loss_of_part(
    generator: PairGenerator, part: str, real: Items, loss: LossHook | None, rng: torch.Generator
) -> StepLoss:
    """The training of a part of a generator of pairs on `real`, through the hook `loss`."""
    made = {"painter": generator.painting, "writer": generator.writing}[part]
    z, tokens = generator.publisher.encode(real), real["tokens"]
    return made(z.to(generator.device), tokens.to(generator.device), loss, rng)


def permuted(items: Items, share: float) -> Items:
    """Captions handed round among the first `share` of pairs."""
    rows = torch.arange(len(items))
    rows[: round(share * len(items))] = rows[: round(share * len(items))].roll(1)
    return Items(image=items["image"], tokens=items["tokens"][rows])
