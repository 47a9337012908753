"""Models cross as the numbers that define their architecture and as their weights."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from torch import Tensor, nn

from benchmark.basics.errors import MethodError
from benchmark.runs.sandbox.wire import WireError
from benchmark.tasks.training.blueprint import Blueprint


def find_home(kind: type[nn.Module]) -> str | None:
    """The module whose `BLUEPRINT` is of models of this class; it is loaded wherever one is."""
    for name, module in list(sys.modules.items()):
        blueprint = vars(module).get("BLUEPRINT") if name.startswith("benchmark.") else None
        if isinstance(blueprint, Blueprint) and blueprint.model is kind:
            return name
    return None


def load_blueprint(home: str) -> Blueprint:
    """The blueprint that is kept in the module `home`."""
    return importlib.import_module(home).BLUEPRINT


def pack_architecture(model: nn.Module) -> dict[str, Any]:
    """{"home": where its blueprint is, "numbers": what it is built from}.

    Raises:
        MethodError: no model of this kind can be built in the sandbox.
    """
    home = find_home(type(model))
    if home is None:
        raise MethodError(f"a {type(model).__name__} cannot be handed into the sandbox")
    return {"home": home, "numbers": load_blueprint(home).numbers(model)}


def build_model(packed: dict[str, Any]) -> nn.Module:
    """A new model of this architecture; draws from torch's global generator."""
    return load_blueprint(packed["home"]).build(**packed["numbers"]).eval()


def pack_state(model: nn.Module, tensors: list[Tensor]) -> dict[str, int]:
    """Name -> position of every weight, appended to `tensors`."""
    state = model.state_dict()
    first = len(tensors)
    tensors.extend(state.values())
    return {name: first + i for i, name in enumerate(state)}


def load_state(model: nn.Module, positions: Any, tensors: list[Tensor]) -> nn.Module:
    """`model` with the weights at these positions.

    Raises:
        WireError: they are not this architecture's: other names, shapes or types.
    """
    own = model.state_dict()
    fits = isinstance(positions, dict) and set(positions) == set(own)
    if fits:
        given = {
            name: tensors[i]
            for name, i in positions.items()
            if isinstance(i, int) and 0 <= i < len(tensors)
        }
        fits = set(given) == set(own) and all(
            (given[k].shape, given[k].dtype) == (v.shape, v.dtype) for k, v in own.items()
        )
    if not fits:
        raise WireError(f"the weights that came are not those of a {type(model).__name__}")
    model.load_state_dict(given)
    return model
