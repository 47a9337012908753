"""Whether what is said to be samples are real items."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

from benchmark.basics.files import bytes_of
from benchmark.interface.items import Items

LIKE = 1.0  # root mean square difference of two images, in levels of 256, that are the same
SAME = 15 / 16  # share of equal tokens, at the same places, of two texts that are the same
FEW = 0.01  # share of samples that may be like a real item by chance
AT_ONCE = 256  # samples compared with all real items


class RealItems:
    """Real items, remembered by their contents: pictures or texts, whatever their labels."""

    def __init__(self) -> None:
        self._known: set[bytes] = set()

    def add(self, items: Items) -> None:
        """Remember these, too."""
        for column in _contents(items):
            self._known.update(_digests(items[column]))

    def count(self, samples: Items) -> int:
        """How many samples are one of them to the last bit, in any column."""
        found = (sum(d in self._known for d in _digests(samples[c])) for c in _contents(samples))
        return max(found, default=0)


def count_likenesses(samples: Items, real: Items) -> int:
    """How many samples are so close to a real item that nobody would see the difference."""
    return max((int(_find_like(samples[c], real[c]).sum()) for c in _contents(samples)), default=0)


def _contents(items: Items) -> list[str]:
    """The columns that show an item to be a copy: its pictures, or where it has none its texts.

    The caption of a picture is a label: there are few, and honest ones are the real ones.
    """
    wide = {name: values for name, values in items.columns.items() if values[0].numel() > 1}
    return [name for name, values in wide.items() if _is_picture(values)] or list(wide)


def _is_picture(values: Tensor) -> bool:
    """Whether they are bytes or numbers, and not integers that name tokens."""
    return values.is_floating_point() or values.dtype == torch.uint8


def _digests(values: Tensor) -> list[bytes]:
    return [hashlib.sha256(row.tobytes()).digest() for row in bytes_of(values).numpy()]


def _find_like(samples: Tensor, real: Tensor) -> Tensor:
    compare = _near_pixels if _is_picture(samples) else _share_tokens
    return torch.cat([compare(part, real) for part in samples.split(AT_ONCE)])


def _share_tokens(part: Tensor, real: Tensor) -> Tensor:
    """Texts: integers that name tokens."""
    most = torch.zeros(len(part))
    for some in real.split(AT_ONCE):
        equal = (part.flatten(1)[:, None] == some.flatten(1)[None]).float().mean(-1)
        most = torch.maximum(most, equal.amax(1))
    return most >= SAME


def _near_pixels(part: Tensor, real: Tensor) -> Tensor:
    """Pictures: bytes, or numbers from -1 or 0 to 1."""
    scale = 1.0 if part.dtype == torch.uint8 else 255.0 / (2.0 if bool((real < 0).any()) else 1.0)
    one, other = (x.flatten(1).float() * scale for x in (part, real))
    squared = torch.cdist(one, other).amin(1).square() / one.shape[1]
    return squared <= LIKE**2
