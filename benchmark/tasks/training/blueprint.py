"""How a model is built anew in another process, such as the sandbox of a method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from torch import nn


class Blueprint(NamedTuple):
    """An architecture that generators hand to methods; `build(**numbers(model))` makes another.

    The module that says how it is built keeps it as `BLUEPRINT`. `numbers` are plain (JSON).
    """

    model: type[nn.Module]
    build: Callable[..., nn.Module]
    numbers: Callable[[Any], dict[str, Any]]
