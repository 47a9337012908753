"""A model that a hook handed over, brought to the form in which it is stored and resumed.

Only weights are kept: the architecture is the generator's. So whatever a hook did to weights (other
dtypes, layouts and devices, ties, masks, parametrisations, wrappers) is read off as numbers, and
whatever else changes what the model computes is refused, because a resumed lineage would lack it.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.prune import BasePruningMethod
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm
from torch.optim.swa_utils import AveragedModel

from benchmark.basics.containment import one_line
from benchmark.basics.errors import Breach, MethodError
from benchmark.interface.generator import Sampling
from benchmark.interface.plain_numbers import plain_number, plain_tensor

# Old-style masks and norms compute a weight in a hook before every forward pass.
COMPUTED = (BasePruningMethod, SpectralNorm, WeightNorm)
WRAPPERS = (nn.DataParallel, nn.parallel.DistributedDataParallel, AveragedModel)
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
PLAIN = (bool, int, float, str)
ALL_TOKENS = (1 << 16) - 1  # as many as any vocabulary has


def plain_model(given: Any, like: nn.Module) -> nn.Module:
    """A copy of `like` with the weights of `given`, which is left as it is.

    Parts of `given` that only hold weights and are none of the architecture's are left out, such as
    a buffer that was added.

    Raises:
        MethodError: it is another model, computes something else, or a weight is missing or
            unreadable.
    """
    found = _unwrapped(given)
    kind = type(like)
    if not isinstance(found, nn.Module) or parametrize.type_before_parametrizations(found) != kind:
        name = type(given).__name__
        raise MethodError(f"a {name} is no model of the lineage: give a {kind.__name__}")
    with torch.inference_mode(False), torch.no_grad():
        _compute_weights(found)
        _check_parts(found, like)
        stored, plain = found.state_dict(), copy.deepcopy(like)
        weights = {
            name: _weight(found, stored, name, tensor).to(tensor.device, tensor.dtype)
            for name, tensor in plain.state_dict().items()
        }
        plain.load_state_dict(weights)
        for name, tensor in plain.state_dict().items():
            if not torch.equal(tensor.nan_to_num(), weights[name].nan_to_num()):
                raise MethodError(
                    f"a model whose {name!r} is not what it is tied to in this architecture cannot "
                    f"be stored: change both"
                )
    return plain


def _unwrapped(model: Any) -> Any:
    """What is inside of compiled and parallel models and of averages."""
    while True:
        if isinstance(model, WRAPPERS):
            model = model.module
        elif isinstance(model, nn.Module) and "_orig_mod" in model._modules:  # torch.compile
            model = model._modules["_orig_mod"]
        else:
            return model


def _compute_weights(model: nn.Module) -> None:
    """Masked and normed weights are those of the last forward pass: compute them now."""
    for module in model.modules():
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, COMPUTED):
                hook(module, ())


def _check_parts(model: nn.Module, like: nn.Module) -> None:
    """Raises MethodError if `model` computes something else than `like` would with its weights."""
    parts = {
        path: module
        for path, module in model.named_modules()
        if "parametrizations" not in path.split(".")
    }
    own = dict(like.named_modules())
    for path in sorted(set(parts) ^ set(own)):
        what = "adds" if path in parts else "lacks"
        raise MethodError(
            f"a model that {what} the part {path!r} cannot be stored: only weights of the "
            f"architecture are"
        )
    for path, part in own.items():
        was, now = _behaviour(part), _behaviour(parts[path])
        for what in was | {name: None for name in now if name in ("hook", "forward")}:
            if not _same(was.get(what), now.get(what)):
                raise MethodError(
                    f"a model whose part {path or type(like).__name__!r} has another {what} cannot "
                    f"be stored: only weights are, so that a continued lineage would lack it"
                )


def _behaviour(module: nn.Module) -> dict[str, Any]:
    """What a part computes besides its weights: its class, its numbers and switches (`eps`), what
    it has in place of its class's `forward`, its hooks, and buffers that are not stored."""
    facts: dict[str, Any] = {"class": parametrize.type_before_parametrizations(module)}
    for name, value in vars(module).items():
        if name != "training" and not name.startswith("_") and isinstance(value, PLAIN):
            facts[name] = value
    if "forward" in vars(module):
        facts["forward"] = vars(module)["forward"]
    hooks = [h for name in HOOKS for h in getattr(module, name).values()]
    hooks = [h for h in hooks if not isinstance(h, COMPUTED)]
    if hooks:
        facts["hook"] = hooks
    for name in module._non_persistent_buffers_set:
        facts[f"buffer {name}"] = module._buffers.get(name)
    return facts


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        if other.is_meta or one.shape != other.shape:
            return False
        # In another dtype, as `model.half()` leaves it, it is still the same up to rounding.
        return one.dtype != other.dtype or torch.equal(one, other.to(one.device))
    return type(one) is type(other) and bool(one == other)


def _weight(model: nn.Module, stored: dict[str, Any], name: str, like: Tensor) -> Tensor:
    """The weight `name` as an ordinary tensor, computed where it is masked or parametrised."""
    found = stored.get(name)
    if not isinstance(found, Tensor):
        path, _, last = name.rpartition(".")
        found = getattr(model.get_submodule(path), last, None)
    if not isinstance(found, Tensor):
        raise MethodError(f"a model without its weight {name!r} cannot be stored")
    plain = plain_tensor(found, f"a model's weight {name!r}")
    if plain.is_complex() or plain.shape != like.shape:
        raise MethodError(
            f"a model whose weight {name!r} is {plain.dtype} {tuple(plain.shape)} cannot be "
            f"stored: it must have {tuple(like.shape)} real numbers"
        )
    return plain


def plain_sampling(how: Any, like: nn.Module | None) -> Sampling:
    """`how` with plain numbers in range and its negative model as `plain_model` has it, where it is
    known what models are `like`.

    Raises:
        Breach: a number is out of range, or what should be a function or a model is none.
    """
    if not isinstance(how, Sampling):
        raise Breach(f"returned {type(how).__name__}: return a Sampling(...)")
    positive = {"temperature": how.temperature, "top_p": how.top_p}
    for name, value in positive.items():
        if not 0 < plain_number(value) < math.inf:
            raise Breach(f"returned {name} {_said(value)}: it must be above 0")
    guidance, top_k = plain_number(how.guidance), plain_number(how.top_k)
    if not math.isfinite(guidance) or not top_k >= 0 or top_k % 1:
        raise Breach(
            f"returned guidance {_said(how.guidance)} and top_k {_said(how.top_k)}: guidance must "
            f"be finite, top_k 0 or more"
        )
    if guidance < 0 and how.negative is not None:
        raise Breach(
            f"returned guidance {_said(how.guidance)} with a negative model: it must be 0 or more, "
            f"or another model than the generation's is what writes"
        )
    for name, mark in {"logits": how.logits, "pixels": how.pixels}.items():
        if mark is not None and not callable(mark):
            raise Breach(f"returned {type(mark).__name__} as {name}: give a function")
    negative = how.negative
    if negative is not None and like is not None:
        negative = plain_model(negative, like)
    return Sampling(
        temperature=plain_number(how.temperature),
        top_p=plain_number(how.top_p),
        top_k=int(min(top_k, ALL_TOKENS)),
        guidance=guidance,
        negative=negative,
        logits=how.logits,
        pixels=how.pixels,
    )


def _said(value: Any) -> str:
    """What a sentence calls a value that should be a number."""
    return one_line(repr(value), 40) if isinstance(value, PLAIN) else f"a {type(value).__name__}"
