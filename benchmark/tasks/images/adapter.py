"""A frozen network with trainable low-rank adapters, of which only the adapters are kept."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from benchmark.basics.errors import MethodError
from benchmark.tasks.images.labels import SHARES, add_label_shares
from benchmark.tasks.training.blueprint import Blueprint

DOT = "/"  # in the names of weights; a ParameterDict takes no dots


class Frozen:
    """A network that is shared by all adapters on it, and never copied with them."""

    def __init__(self, network: nn.Module | None) -> None:
        self.network = network

    def __deepcopy__(self, memo: dict[int, Any]) -> Frozen:
        return self


class Adapter(nn.Module):
    """The adapters' weights; `forward` is the network's with these in the place of its own.

    A state of it is some megabytes, whatever the size of the network.
    """

    def __init__(self, weights: dict[str, Tensor], base: Frozen, classes: int) -> None:
        super().__init__()
        add_label_shares(self, classes)
        self.base = base
        self.weights = nn.ParameterDict(
            {name.replace(".", DOT): tensor.detach().clone() for name, tensor in weights.items()}
        )

    def forward(self, *args: Any, **named: Any) -> Any:
        if self.base.network is None:
            raise MethodError("the network under this adapter is not in the sandbox")
        own = {name.replace(DOT, "."): weight for name, weight in self.weights.items()}
        return functional_call(self.base.network, own, args, named)


def build_adapter(shapes: dict[str, list[int]], classes: int) -> Adapter:
    """Adapters of these shapes, all zero, without their network."""
    weights = {name: torch.zeros(shape) for name, shape in shapes.items()}
    return Adapter(weights, Frozen(None), classes)


def describe_adapter(model: Adapter) -> dict[str, Any]:
    """What `build` makes adapters of these shapes from."""
    shapes = {name.replace(DOT, "."): list(w.shape) for name, w in model.weights.items()}
    return {"shapes": shapes, "classes": len(model.get_buffer(SHARES))}


BLUEPRINT = Blueprint(Adapter, build_adapter, describe_adapter)
