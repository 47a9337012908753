"""What crosses: numbers, tensors, items, training sets, samplings and models' weights.

A value becomes JSON whose tensors are named by their position in the message. Anything else, such
as what a broken hook returns, crosses as the name of its type only.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any, Protocol

from torch import Tensor, nn

from benchmark.interface.generator import Sampling
from benchmark.interface.items import Items, TrainingSet
from benchmark.runs.sandbox.wire import WireError

NUMBERS = ("temperature", "top_p", "guidance")
CALLABLES = ("logits", "pixels")


class Side(Protocol):
    """How one side sends and receives what is not plain data."""

    def pack_model(self, model: nn.Module, tensors: list[Tensor]) -> Any: ...
    def unpack_model(self, packed: Any, tensors: list[Tensor]) -> nn.Module: ...
    def pack_callable(self, function: Callable[..., Any]) -> int: ...
    def unpack_callable(self, number: int) -> Callable[..., Any]: ...


def pack_value(value: Any, tensors: list[Tensor], side: Side) -> Any:
    """`value` as JSON; its tensors are appended to `tensors`."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Tensor):
        tensors.append(value)
        return {"tensor": len(tensors) - 1}
    if isinstance(value, Items):
        return {"items": {name: pack_value(c, tensors, side) for name, c in value.columns.items()}}
    if isinstance(value, TrainingSet):
        parts = (value.items, value.weights, value.steps)
        return {"training": [pack_value(part, tensors, side) for part in parts]}
    if isinstance(value, dict) and all(isinstance(name, str) for name in value):
        return {"named": {name: pack_value(v, tensors, side) for name, v in value.items()}}
    if isinstance(value, list | tuple):
        return {"list": [pack_value(v, tensors, side) for v in value]}
    if isinstance(value, Sampling):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(Sampling)}
        for name in CALLABLES:
            if fields[name] is not None:
                fields[name] = side.pack_callable(fields[name])
        return {"sampling": {name: pack_value(v, tensors, side) for name, v in fields.items()}}
    packed = side.pack_model(value, tensors) if isinstance(value, nn.Module) else None
    return {"odd": type(value).__name__} if packed is None else {"model": packed}


def unpack_value(packed: Any, tensors: list[Tensor], side: Side) -> Any:
    """The value that `pack_value` made `packed` and `tensors` of.

    Raises:
        WireError: it is not the work of `pack_value`.
    """
    if packed is None or isinstance(packed, bool | int | float | str):
        return packed
    if not isinstance(packed, dict) or len(packed) != 1:
        raise WireError("a value of no known kind came")
    ((kind, inside),) = packed.items()
    if kind == "tensor":
        return tensors[check_natural(inside, len(tensors))]
    if kind == "items" and isinstance(inside, dict):
        columns = {name: unpack_value(c, tensors, side) for name, c in inside.items()}
        if not all(isinstance(c, Tensor) and c.dim() for c in columns.values()):
            raise WireError("items came whose columns are not tensors of at least one dimension")
        return Items(**columns)
    if kind == "training" and isinstance(inside, list) and len(inside) == 3:
        items, weights, steps = (unpack_value(v, tensors, side) for v in inside)
        return TrainingSet(items, weights, steps)
    if kind == "named" and isinstance(inside, dict):
        return {name: unpack_value(v, tensors, side) for name, v in inside.items()}
    if kind == "list" and isinstance(inside, list):
        return [unpack_value(v, tensors, side) for v in inside]
    if kind == "sampling" and isinstance(inside, dict):
        return _sampling({name: unpack_value(v, tensors, side) for name, v in inside.items()}, side)
    if kind == "model":
        return side.unpack_model(inside, tensors)
    if kind == "odd":
        return type(clean_identifier(inside), (), {})()
    raise WireError("a value of no known kind came")


def _sampling(fields: dict[str, Any], side: Side) -> Sampling:
    if set(fields) != {f.name for f in dataclasses.fields(Sampling)}:
        raise WireError("a Sampling came with other fields than its own")
    for name in NUMBERS:
        if not is_number(fields[name]):
            raise WireError(f"Sampling.{name} must be a finite number")
    check_natural(fields["top_k"], 1 << 16, "Sampling.top_k")
    if not isinstance(fields["negative"], nn.Module | None):
        raise WireError("Sampling.negative must be a model")
    for name in CALLABLES:
        if fields[name] is not None:
            fields[name] = side.unpack_callable(check_natural(fields[name], 1 << 31))
    return Sampling(**fields)


def is_number(value: Any) -> bool:
    """Whether `value` is a finite int or float."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def check_natural(value: Any, below: int, what: str = "a position") -> int:
    """`value`, if it is a whole number from 0 to `below` - 1.

    Raises:
        WireError: it is not.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < below:
        raise WireError(f"{what} must be a whole number from 0 to {below - 1}")
    return value


def clean_identifier(text: Any) -> str:
    """`text`, if it can name a class; a plain word otherwise."""
    return text if isinstance(text, str) and text.isidentifier() and len(text) < 65 else "object"


def clean_text(text: Any, most: int = 1000) -> str:
    """`text` without what a terminal would obey, cut to `most` characters."""
    kept = "".join(c if c.isprintable() or c == "\n" else "?" for c in str(text)[:most])
    return kept.strip()
