"""Real items for a task: the real pool, the reserve and the held-out set, disjoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch

from benchmark.codecs import ImagePublisher, TextPublisher
from benchmark.data import digits, speeches
from benchmark.errors import InputError
from benchmark.items import Items
from benchmark.recipes import DigitsData, SpeechesData
from benchmark.stressors import ReserveBias

CHARACTERS = 5  # of a passage for each token of a block: enough to fill it, 2.6 on average


@dataclass(frozen=True)
class Splits:
    """Published real items.

    Attributes:
        real: the real pool R, in random order.
        reserve: trusted items, disjoint from the pool.
        heldout: for evaluation only, the same for every seed.
    """

    real: Items
    reserve: Items
    heldout: Items


class Source(Protocol):
    """Where a task's real items come from."""

    def splits(self, real: int, reserve: int, rng: torch.Generator) -> Splits:
        """`real` + `reserve` items drawn by `rng`, and the held-out set.

        Raises:
            InputError: the data hold fewer items.
        """
        ...


@runtime_checkable
class BiasableSource(Source, Protocol):
    """A source whose reserve can be biased: set `bias` before `splits`."""

    bias: ReserveBias | None


class DigitsSource:
    """MNIST digits through the image codec; a biased reserve holds some classes only."""

    def __init__(self, recipe: DigitsData) -> None:
        self.recipe = recipe
        self.bias: ReserveBias | None = None

    def splits(self, real: int, reserve: int, rng: torch.Generator) -> Splits:
        usable, heldout = digits.load(self.recipe.sha256)
        if real + reserve > len(usable):
            raise InputError(f"{real + reserve} real digits asked for, {len(usable)} exist")
        order = torch.randperm(len(usable), generator=rng)
        left = order[real:]
        if self.bias is not None:
            labels = usable["label"][left].tolist()
            left = left[torch.tensor([self.bias.allows(label) for label in labels])]
            if reserve > len(left):
                raise InputError(f"{reserve} trusted digits asked for, {len(left)} allowed exist")
        publisher = ImagePublisher()
        drawn = publisher.pass_through(usable.take(torch.cat([order[:real], left[:reserve]])))
        return Splits(
            real=drawn.take(slice(0, real)),
            reserve=drawn.take(slice(real, None)),
            heldout=publisher.pass_through(heldout.take(slice(0, self.recipe.heldout))),
        )


class SpeechesSource:
    """Passages of addresses; pool, reserve and held-out set share no address.

    A biased reserve is of addresses of some years only; the pool is of all the others, as without
    a bias, so it is a fair sample still, but not the same one.
    """

    def __init__(self, recipe: SpeechesData) -> None:
        self.recipe = recipe
        self.bias: ReserveBias | None = None

    def splits(self, real: int, reserve: int, rng: torch.Generator) -> Splits:
        usable, heldout = speeches.load(self.recipe.sha256)
        length = CHARACTERS * self.recipe.length
        cut = [speeches.passages(text, length) for text in usable]
        order = torch.randperm(len(cut), generator=rng).tolist()
        candidates = list(order)
        if self.bias is not None:
            years = speeches.years()
            candidates = [i for i in order if self.bias.allows(years[i])]
        aside = candidates[-self.recipe.trusted :]
        trusted = [passage for i in aside for passage in cut[i]]
        if reserve > len(trusted):
            raise InputError(f"{reserve} trusted passages asked for, {len(trusted)} exist")
        order = [i for i in order if i not in aside]
        pool = [passage for i in order for passage in cut[i]]
        if real > len(pool):
            raise InputError(f"{real + reserve} real passages asked for, {len(pool)} exist")
        test = [passage for text in heldout for passage in speeches.passages(text, length)]
        fixed = torch.Generator().manual_seed(speeches.SPLIT_SEED)
        publisher = TextPublisher(self.recipe.length)
        return Splits(
            real=publisher.pass_through(_draw(pool, real, rng)),
            reserve=publisher.pass_through(_draw(trusted, reserve, rng)),
            heldout=publisher.pass_through(_draw(test, self.recipe.heldout, fixed)),
        )


def _draw(passages: list[str], k: int, rng: torch.Generator) -> list[str]:
    return [passages[i] for i in torch.randperm(len(passages), generator=rng)[:k].tolist()]
