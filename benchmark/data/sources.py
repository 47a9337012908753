"""Real items for a task: the real pool, the reserve and the held-out set, disjoint."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import torch

from benchmark.codecs import ImagePublisher, TextPublisher
from benchmark.data import digits, speeches
from benchmark.errors import InputError
from benchmark.items import Items
from benchmark.recipes import DigitsData, SpeechesData


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


class DigitsSource:
    """MNIST digits through the image codec."""

    def __init__(self, recipe: DigitsData) -> None:
        self.recipe = recipe

    def splits(self, real: int, reserve: int, rng: torch.Generator) -> Splits:
        usable, heldout = _digits(self.recipe.sha256)
        if real + reserve > len(usable):
            raise InputError(f"{real + reserve} real digits asked for, {len(usable)} exist")
        drawn = usable.draw(real + reserve, rng)
        return Splits(
            real=drawn.take(slice(0, real)),
            reserve=drawn.take(slice(real, None)),
            heldout=heldout.take(slice(0, self.recipe.heldout)),
        )


@lru_cache(maxsize=2)
def _digits(sha256: str) -> tuple[Items, Items]:
    publisher = ImagePublisher()
    usable, heldout = digits.load(sha256)
    return publisher.pass_through(usable), publisher.pass_through(heldout)


class SpeechesSource:
    """Addresses cut into blocks; pool, reserve and held-out set share no address."""

    def __init__(self, recipe: SpeechesData) -> None:
        self.recipe = recipe

    def splits(self, real: int, reserve: int, rng: torch.Generator) -> Splits:
        usable, heldout = _speeches(self.recipe.sha256, self.recipe.length)
        order = torch.randperm(len(usable), generator=rng).tolist()
        trusted: list[Items] = []
        while order and sum(map(len, trusted)) < reserve:
            trusted.append(usable[order.pop()])
        pool = Items.concat(usable[i] for i in order) if order else None
        if pool is None or real > len(pool):
            raise InputError(f"{real + reserve} real blocks asked for, the addresses hold fewer")
        fixed = torch.Generator().manual_seed(speeches.SPLIT_SEED)
        return Splits(
            real=pool.draw(real, rng),
            reserve=Items.concat(trusted).draw(reserve, rng),
            heldout=heldout.draw(self.recipe.heldout, fixed),
        )


@lru_cache(maxsize=2)
def _speeches(sha256: str, length: int) -> tuple[list[Items], Items]:
    publisher = TextPublisher(length)
    usable, heldout = speeches.load(sha256)
    return [publisher.blocks([text]) for text in usable], publisher.blocks(heldout)
