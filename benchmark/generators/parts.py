"""What a generator of images is put together from."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor

from benchmark.generators.trained import Recipe


class FlowRecipe(Recipe, Protocol):
    """What a flow in any space is trained and sampled by."""

    @property
    def classes(self) -> int: ...

    @property
    def drop_class(self) -> float: ...

    @property
    def sampling_steps(self) -> int: ...


class Scheduler(Protocol):
    """One of diffusers'."""

    @property
    def timesteps(self) -> Tensor: ...

    def step(self, output: Tensor, timestep: Tensor, sample: Tensor) -> Any: ...
