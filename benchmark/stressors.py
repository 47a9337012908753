"""What makes a task harder for a filter: laundered output, a biased reserve.

Like recipes they are plain numbers, part of a task's hash; `build()` imports what is heavy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from benchmark.errors import InputError

if TYPE_CHECKING:
    import torch

    from benchmark.items import Items


class Laundering(Protocol):
    """What happens to a share of the lineage's items between publishing and crawling."""

    @property
    def share(self) -> float: ...

    def build(self) -> Callable[[Items, torch.Generator], Items]:
        """A function (published items, rng) -> as many items in the same order."""
        ...


@dataclass(frozen=True)
class ImageLaundering:
    """Each laundered image is moved by up to `shift` pixels, then compressed as JPEG.

    Attributes:
        share: of a publication's items that are laundered.
        quality: of the JPEG, 1 to 95.
        shift: largest move in pixels along each axis; 0 for none.
    """

    share: float = 0.5
    quality: int = 75
    shift: int = 1

    def __post_init__(self) -> None:
        check_share("laundering", self.share)

    def build(self) -> Callable[[Items, torch.Generator], Items]:
        from benchmark.laundering import launder_images

        return partial(launder_images, self)


@dataclass(frozen=True)
class TextLaundering:
    """Each laundered text has some of its tokens replaced by other texts' tokens.

    Attributes:
        share: of a publication's items that are laundered.
        replaced: share of a laundered item's tokens that are drawn anew.
    """

    share: float = 0.5
    replaced: float = 0.2

    def __post_init__(self) -> None:
        check_share("laundering", self.share)
        check_share("replaced", self.replaced)

    def build(self) -> Callable[[Items, torch.Generator], Items]:
        from benchmark.laundering import launder_texts

        return partial(launder_texts, self)


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
