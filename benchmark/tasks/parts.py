"""What a task is made of: protocols of its parts, and the plain types they share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeAlias, runtime_checkable

from benchmark.basics.errors import InputError

if TYPE_CHECKING:  # recipes are read where there is no torch
    import torch
    from torch import Tensor, nn

    from benchmark.interface.generator import Generator
    from benchmark.interface.items import Items


class DataRecipe(Protocol):
    """Where real items come from.

    Attributes:
        distribution: the installed package that holds them, if one does; no method may see it.
    """

    distribution: ClassVar[str | None]

    def build(self) -> Source: ...


@runtime_checkable
class CheckableData(Protocol):
    """Data that are not looked at before a lineage, perhaps the last one of a suite, needs them."""

    def check(self) -> None:
        """
        Raises:
            InputError: the data are not on this machine.
            CorruptFile: they are not the ones the task was frozen with.
        """
        ...


class GeneratorRecipe(Protocol):
    """A model family and how it is trained and sampled."""

    def build(self) -> Generator: ...


class EvaluatorRecipe(Protocol):
    """What is measured of a generation, and its primary metric."""

    @property
    def primary(self) -> str: ...

    def build(self) -> Evaluator: ...


class VerifierRecipe(Protocol):
    """A frozen external scorer, handed to methods that declare `VERIFIER`."""

    def build(self) -> Verifier: ...


@dataclass(frozen=True, eq=False)
class Era:
    """The real items of one generation, in published form. An era is equal to itself only.

    Attributes:
        real: n items in random order. Where the data allow, no other era holds one of them.
        heldout: for evaluation only.
        trusted: the reserve, disjoint from both.
    """

    real: Items
    heldout: Items
    trusted: Items


World = Callable[[int], Era]  # generation t -> its era
Stream = Callable[[int, str], "torch.Generator"]  # (generation, purpose) -> its random numbers


class Source(Protocol):
    """Where a task's real items come from."""

    def world(self, n: int, reserve: int, stream: Stream) -> World:
        """The eras of one lineage: `n` real items, `reserve` trusted ones and held-out ones each.

        A world that stands still moves at speed 0: its items are new in every era, too. The same
        arguments give the same items, in whatever order eras are asked for.

        Raises:
            InputError: the data hold fewer items.
        """
        ...


@runtime_checkable
class BiasableSource(Source, Protocol):
    """A source whose reserve can be biased: set `bias` before `world`."""

    bias: ReserveBias | None


class Laundering(Protocol):
    """What happens to a share of the lineage's items between publishing and crawling."""

    @property
    def share(self) -> float: ...

    def build(self) -> Callable[[Items, torch.Generator], Items]:
        """A function (published items, rng) -> as many items in the same order."""
        ...


@dataclass(frozen=True)
class ReserveBias:
    """The reserve holds only items whose class (digits) or year (speeches) is in first..last.

    Qiao et al. 2026 (arXiv 2606.13732): selection by a biased reference is worse than none.
    """

    first: int
    last: int

    def allows(self, value: int) -> bool:
        return self.first <= value <= self.last


def check_share(name: str, share: float) -> None:
    """
    Raises:
        InputError: `share` is not between 0 and 1.
    """
    if not 0 <= share <= 1:
        raise InputError(f"{name} is a share between 0 and 1, got {share}")


Profile = dict[str, float]


class Evaluator(Protocol):
    """Turns a model and its published samples into named numbers."""

    def profile(
        self, generator: Generator, model: nn.Module, samples: Items, era: Era
    ) -> Profile: ...


class Publisher(Protocol):
    """Between published images and the space z in which a generator works."""

    def encode(self, items: Items) -> Tensor: ...

    def publish(self, latents: Tensor, labels: Tensor) -> Items: ...

    def pass_through(self, items: Items) -> Items: ...


Verifier: TypeAlias = "Callable[[Items], Tensor]"  # items -> (N,) scores, higher is better
