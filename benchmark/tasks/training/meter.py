"""How much arithmetic a training takes, and how much of it a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from benchmark.basics.device import peak


class Meter:
    """What the last training took.

    Attributes:
        last: `flop`, counted of matrix products and convolutions: those of the forward pass, and
            `backward` times as many (twice, unless most weights are frozen); `seconds` of wall
            time, in a process's first training of an architecture with compilation; `items`; and on
            a known card `mfu`, model FLOP utilisation: `flop` over what the card's bf16 units could
            have done in `seconds`. Several lineages on a card share it. Empty before.
    """

    def __init__(self, device: torch.device, backward: int = 2) -> None:
        self.device, self.backward = device, backward
        self.last: dict[str, float] = {}

    @contextmanager
    def training(self, forward: Callable[[], Tensor], items: int) -> Iterator[None]:
        """Around a training on `items` items in all; `forward` is one item's forward pass."""
        flop = (1 + self.backward) * flop_of(forward) * items
        self._wait()
        begun = time.perf_counter()
        yield
        self._wait()
        seconds = time.perf_counter() - begun
        self.last = {"flop": flop, "seconds": seconds, "items": items}
        rate = peak(self.device)
        if rate is not None:
            self.last["mfu"] = flop / seconds / rate

    def take(self) -> dict[str, float]:
        """`last`, which is empty afterwards."""
        last, self.last = self.last, {}
        return last

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


@runtime_checkable
class Measured(Protocol):
    """A generator that measures its training."""

    meter: Meter


@torch.no_grad()
def flop_of(forward: Callable[[], Tensor]) -> float:
    """Floating-point operations of `forward`, a multiply-add counting as two."""
    with FlopCounterMode(display=False) as counter:
        forward()
    return float(counter.get_total_flops())
