"""Mitigations that make a property of the engine visible."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from benchmark.interface.access import Access
from benchmark.interface.items import Items, TrainingSet
from benchmark.interface.mitigation import Mitigation
from benchmark.interface.round import Round
from benchmark.interface.sources import REAL


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


class AgeWeighted(Mitigation):
    """Trains on all crawls, one of age i with weight `RATE`^i."""

    RATE = 0.6
    access = frozenset({Access.ARCHIVE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        crawls = [*round.archive, crawl]
        ages = torch.arange(len(crawls) - 1, -1, -1, dtype=torch.float64)
        return TrainingSet(Items.concat(crawls), (self.RATE**ages).repeat_interleave(round.n))


class Marked(Mitigation):
    """Drops the synthetic items whose mark it sees; it overlooks each with probability `MISSED`.

    What a watermark that all generators share would reveal, real items never being marked.
    """

    MISSED = 0.0
    access = frozenset({Access.PROVENANCE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        overlooked = torch.rand(len(crawl), generator=round.rng) < self.MISSED
        return TrainingSet(crawl.take((round.provenance[-1] == REAL) | overlooked))


class Permuted(Mitigation):
    """Hands the captions of the first `SHARE` of the crawl's pairs round among them."""

    SHARE = 0.0

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        count = int(self.SHARE * len(crawl) + 0.5)
        tokens = crawl["tokens"].clone()
        order = torch.rand(count, tokens.shape[1], generator=round.rng).argsort(0)
        tokens[:count] = tokens[:count].gather(0, order)
        return TrainingSet(Items(tokens=tokens, x=crawl["x"]))


class FrozenPainter(Mitigation):
    """Keeps generation 0's pictures: only the captions are learnt anew."""

    access = frozenset({Access.ARCHIVE, Access.MODEL})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        return TrainingSet(crawl, steps=round.steps - 1)

    def adjust(self, model: nn.Module, round: Round) -> nn.Module:
        if round.generation == 0:
            return model
        first = round.finetune(round.archive[0], 1)
        return _replaced(model, mean=first.get_buffer("mean"), var=first.get_buffer("var"))


def variant(probe: type[Mitigation], **settings: float) -> type[Mitigation]:
    """A subclass with these class attributes, named like Marked_0.2."""
    values = "_".join(f"{value:g}" for value in settings.values())
    changed = {name.upper(): value for name, value in settings.items()}
    return type(f"{probe.__name__}_{values}", (probe,), changed)


def _replaced(model: nn.Module, **numbers: Tensor) -> nn.Module:
    changed = copy.deepcopy(model)
    changed.load_state_dict(numbers, strict=False)
    return changed
