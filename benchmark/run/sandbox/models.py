"""Models cross as the numbers that define their architecture and as their weights."""

from __future__ import annotations

import importlib
from typing import Any

from torch import Tensor, nn

from benchmark.basics.errors import MethodError
from benchmark.run.sandbox.wire import WireError

DENOISER = ("latent", "width", "blocks", "classes")
LLAMA = {
    "vocab": "vocab_size",
    "width": "hidden_size",
    "layers": "num_hidden_layers",
    "heads": "num_attention_heads",
    "inner": "intermediate_size",
}
HOMES = {
    "LatentDenoiser": "images.networks",
    "LlamaForCausalLM": "text.llama",
    "UNet2DModel": "images.unet",
    "GPT2LMHeadModel": "text.gpt2_network",
    "Adapter": "images.adapter",
}


def blueprint(model: nn.Module) -> dict[str, Any]:
    """{"kind": its class, "numbers": what it is built from}.

    Raises:
        MethodError: no model of this kind can be built in the sandbox.
    """
    kind = type(model).__name__
    config: Any = getattr(model, "config", None)
    if kind == "LatentDenoiser":
        return {"kind": kind, "numbers": {name: config[name] for name in DENOISER}}
    if kind == "LlamaForCausalLM":
        return {"kind": kind, "numbers": {k: getattr(config, v) for k, v in LLAMA.items()}}
    if kind in HOMES:
        return {"kind": kind, "numbers": prepare(kind).numbers(model)}
    raise MethodError(f"a {kind} cannot be handed into the sandbox")


def prepare(kind: str) -> Any:
    """The module that has the model class called `kind`."""
    return importlib.import_module(f"benchmark.tasks.{HOMES[kind]}")


def build(kind: str, numbers: dict[str, Any]) -> nn.Module:
    """A new model of this architecture; draws from torch's global generator."""
    home = prepare(kind)
    make = home.LatentDenoiser if kind == "LatentDenoiser" else home.build
    return make(**numbers).eval()


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
