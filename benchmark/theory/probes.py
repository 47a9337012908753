"""Mitigations that make a property of the engine visible."""

from __future__ import annotations

import copy

import torch
from torch import nn

from benchmark.interface.items import Items, TrainingSet
from benchmark.interface.mitigation import Mitigation
from benchmark.interface.round import Round


class FirstHalf(Mitigation):
    """Trains on the first half of the crawl: a random half, as long as order tells nothing."""

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        return TrainingSet(crawl.take(slice(0, round.n // 2)))


class Shifted(Mitigation):
    """Adds 1 to the means of generation 1; later generations show what is left of it."""

    def adjust(self, model: nn.Module, round: Round) -> nn.Module:
        return (
            _replaced(model, mean=model.get_buffer("mean") + 1) if round.generation == 1 else model
        )


class Uniform(Mitigation):
    """Makes generation 1 forget the law: all words become equally probable."""

    def adjust(self, model: nn.Module, round: Round) -> nn.Module:
        if round.generation != 1:
            return model
        words = model.get_buffer("probability").shape[1]
        return _replaced(
            model, probability=torch.full_like(model.get_buffer("probability"), 1 / words)
        )


def _replaced(model: nn.Module, **numbers: torch.Tensor) -> nn.Module:
    changed = copy.deepcopy(model)
    changed.load_state_dict(numbers, strict=False)
    return changed
