"""What crosses: numbers, tensors, items, training sets, samplings and models' weights.

A value becomes JSON whose tensors are named by their position in the message. Anything else, such
as what a broken hook returns, crosses as the name of its type only.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Collection
from typing import Any, Protocol

from torch import Tensor, nn

from benchmark.interface.generator import Sampling
from benchmark.interface.items import Items, TrainingSet
from benchmark.runs.sandbox.wire import WireError

# Dataclasses that cross with all their fields; of these, what must be a number and what is called.
RECORDS = {"training": TrainingSet, "sampling": Sampling}
NUMBERS = {"temperature", "top_p", "guidance"}
CALLABLES = {"logits", "pixels"}
MOST = 1 << 64  # of a whole number
DEPTH = 6  # values within values
COLUMNS, COLUMN = 16, r"[a-z]\w{0,31}"


class Side(Protocol):
    """How one side sends and receives what is not plain data."""

    def pack_items(self, items: Items) -> None: ...
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
        side.pack_items(value)
        return {"items": {name: pack_value(c, tensors, side) for name, c in value.columns.items()}}
    if isinstance(value, dict) and _are_plain(value):
        return {"named": {name: pack_value(v, tensors, side) for name, v in value.items()}}
    if isinstance(value, list | tuple):
        return {"list": [pack_value(v, tensors, side) for v in value]}
    for kind, record in RECORDS.items():
        if isinstance(value, record):
            fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(record)}
            for name in CALLABLES & fields.keys():
                if fields[name] is not None:
                    fields[name] = side.pack_callable(fields[name])
            return {kind: {name: pack_value(v, tensors, side) for name, v in fields.items()}}
    packed = side.pack_model(value, tensors) if isinstance(value, nn.Module) else None
    return {"odd": type(value).__name__} if packed is None else {"model": packed}


def unpack_value(packed: Any, tensors: list[Tensor], side: Side, depth: int = DEPTH) -> Any:
    """The value that `pack_value` made `packed` and `tensors` of.

    Raises:
        WireError: it is not the work of `pack_value`.
    """
    if packed is None or isinstance(packed, bool | float | str):
        return packed
    if isinstance(packed, int):
        if abs(packed) >= MOST:
            raise WireError("a number of more than 64 bits came")
        return packed
    if not isinstance(packed, dict) or len(packed) != 1 or not depth:
        raise WireError("a value of no known kind came")
    ((kind, inside),) = packed.items()

    def unpacked(inner: Any) -> Any:
        return unpack_value(inner, tensors, side, depth - 1)

    if kind == "tensor":
        return tensors[check_natural(inside, len(tensors))]
    if kind == "items" and isinstance(inside, dict):
        return _items({name: unpacked(c) for name, c in inside.items()})
    if kind in RECORDS and isinstance(inside, dict):
        return _record(kind, {name: unpacked(v) for name, v in inside.items()}, side)
    if kind == "named" and isinstance(inside, dict) and _are_plain(inside):
        return {name: unpacked(v) for name, v in inside.items()}
    if kind == "list" and isinstance(inside, list):
        return [unpacked(v) for v in inside]
    if kind == "model":
        return side.unpack_model(inside, tensors)
    if kind == "odd":
        return type(clean_identifier(inside), (), {})()
    raise WireError("a value of no known kind came")


def _are_plain(names: Collection[Any]) -> bool:
    """Whether these can be the names of an item's columns."""
    few = 0 < len(names) <= COLUMNS
    return few and all(isinstance(n, str) and re.fullmatch(COLUMN, n) for n in names)


def _items(columns: dict[str, Any]) -> Items:
    if not _are_plain(columns):
        raise WireError("items came whose columns have no plain names")
    if not all(isinstance(c, Tensor) and c.dim() for c in columns.values()):
        raise WireError("items came whose columns are not tensors of at least one dimension")
    return Items(**columns)


def _record(kind: str, fields: dict[str, Any], side: Side) -> Any:
    record = RECORDS[kind]
    if set(fields) != {f.name for f in dataclasses.fields(record)}:
        raise WireError(f"a {record.__name__} came with other fields than its own")
    for name in NUMBERS & fields.keys():
        if not is_number(fields[name]):
            raise WireError(f"{record.__name__}.{name} must be a finite number")
    if "top_k" in fields:
        check_natural(fields["top_k"], 1 << 16, "Sampling.top_k")
    if not isinstance(fields.get("negative"), nn.Module | None):
        raise WireError("Sampling.negative must be a model")
    for name in CALLABLES & fields.keys():
        if fields[name] is not None:
            fields[name] = side.unpack_callable(check_natural(fields[name], 1 << 31))
    return record(**fields)


def is_number(value: Any) -> bool:
    """Whether `value` is a finite int or float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < MOST if isinstance(value, int) else math.isfinite(value)


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
