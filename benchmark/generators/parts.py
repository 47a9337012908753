"""What a generator of images is put together from."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor

from benchmark.items import Items


class Publisher(Protocol):
    """Between published images and the space z in which a generator works."""

    def encode(self, items: Items) -> Tensor: ...

    def publish(self, latents: Tensor, labels: Tensor) -> Items: ...

    def pass_through(self, items: Items) -> Items: ...


class Recipe(Protocol):
    """What a flow in any space is trained and sampled by."""

    @property
    def classes(self) -> int: ...

    @property
    def steps(self) -> int: ...

    @property
    def batch(self) -> int: ...

    @property
    def lr(self) -> float: ...

    @property
    def drop_class(self) -> float: ...

    @property
    def sampling_steps(self) -> int: ...


class Scheduler(Protocol):
    """One of diffusers'."""

    @property
    def timesteps(self) -> Tensor: ...

    def step(self, output: Tensor, timestep: Tensor, sample: Tensor) -> Any: ...
