"""The law of an era of pairs, against which captions are measured."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from benchmark.basics.errors import InputError
from benchmark.tasks.parts import Era


@dataclass(frozen=True, eq=False)
class LawEra(Era):
    """An era and its law: float64 (B,), the probability of each number, or of each word of a
    name."""

    law: Tensor


def law_of(era: Era) -> Tensor:
    """The law of an era.

    Raises:
        InputError: it has none.
    """
    if not isinstance(era, LawEra):
        raise InputError("pairs are measured against the law of their era: make it a LawEra")
    return era.law
