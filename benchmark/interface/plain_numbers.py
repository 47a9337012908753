"""Whatever a method hands over as numbers, brought to one plain form or refused in a sentence.

Tensors, numpy arrays and lists of any dtype, layout and device are accepted where there is only one
thing that they can mean.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmark.basics.containment import describe_error, one_line
from benchmark.basics.device import is_trouble
from benchmark.basics.errors import Breach, MethodError

# Weights beyond these are brought near 1, which leaves their ratios: there is no room for sums.
SMALL, LARGE = 2.0**-60, 2.0**60


def plain_tensor(value: Any, what: str) -> Tensor:
    """`value` as an ordinary tensor: strided, on the CPU, without gradient; itself if it is one.

    Raises:
        MethodError: it holds no numbers; the sentence calls it `what`.
    """
    if type(value) is Tensor and _is_plain(value):
        return value
    try:
        return _plain_tensor(value)
    except (TypeError, ValueError, RuntimeError, NotImplementedError, OverflowError) as error:
        if is_trouble(error):
            raise
        raise MethodError(f"{what} cannot be read as numbers ({describe_error(error)})") from error


def _is_plain(tensor: Tensor) -> bool:
    odd = tensor.is_quantized or tensor.requires_grad or tensor.is_nested or tensor.is_inference()
    return tensor.layout == torch.strided and tensor.device.type == "cpu" and not odd


def _plain_tensor(value: Any) -> Tensor:
    if isinstance(value, Tensor):
        tensor = value.detach()
        if tensor.is_meta:
            raise ValueError("a meta tensor holds none")
        if tensor.is_quantized:
            tensor = tensor.dequantize()
        if tensor.layout != torch.strided:
            tensor = tensor.to_dense()
        tensor = tensor.cpu().as_subclass(Tensor).resolve_conj().resolve_neg()
        return tensor.clone() if tensor.is_inference() else tensor
    if isinstance(value, list | tuple | range):
        return torch.as_tensor(value, device="cpu")
    array = np.asarray(value)
    # A copy: neither a reversed array nor one of another byte order can be shared.
    return torch.from_numpy(array.astype(array.dtype.newbyteorder("="), order="C", copy=True))


def plain_columns(columns: dict[str, Any]) -> dict[str, Tensor]:
    """The columns of items.

    Raises:
        MethodError: one holds no numbers, or one number only.
    """
    plain = {name: plain_tensor(column, f"column {name!r}") for name, column in columns.items()}
    for name, column in plain.items():
        if not column.dim():
            raise MethodError(f"column {name!r} is a single number: give one row an item")
    return plain


def plain_positions(index: Any, size: int) -> Tensor:
    """`index` into `size` items as int64 positions from 0 on, or as a boolean mask.

    Raises:
        MethodError: it is not one whole number from -`size` to `size` - 1 for each item that is
            wanted, nor a mask of `size` values.
    """
    where = plain_tensor(index, "positions")
    if where.dim() != 1:
        raise MethodError(
            f"positions of shape {tuple(where.shape)}: give one dimension, as .flatten() does"
        )
    if where.dtype == torch.bool:
        if len(where) != size:
            raise MethodError(f"a mask of {len(where)} values cannot choose among {size} items")
        return where
    if not len(where):  # an empty list is a float tensor
        return where.long()
    if where.dtype == torch.uint8 or where.is_floating_point() or where.is_complex():
        raise MethodError(f"positions are int64 and masks bool: {where.dtype} could be either")
    where = where.long()
    low, high = (int(end) for end in where.aminmax())
    if low < -size or high >= size:
        raise MethodError(f"positions {low} to {high}: there are {size} items, 0 to {size - 1}")
    return where % size if low < 0 else where


def plain_count(value: Any, what: str) -> int:
    """`value`, the number of something, as an int: numpy's and torch's whole numbers are, too.

    Raises:
        MethodError: it is no whole number; the sentence calls it `what`.
    """
    try:
        if isinstance(value, bool):
            raise TypeError("a bool counts nothing")
        return operator.index(value)
    except (TypeError, ValueError, RuntimeError) as error:
        if is_trouble(error):
            raise
        # Said whatever the value's own words for itself do.
        kind = type(value).__name__
        said = repr(value) if isinstance(value, bool | float | str) else f"a {kind}"
        raise MethodError(f"{what} must be a whole number, got {one_line(said, 40)}") from error


def plain_number(value: Any) -> float:
    """`value` as a float, nan where it is no real number: numpy's and torch's are."""
    if isinstance(value, bool | str | bytes):
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        if is_trouble(error):
            raise
        return math.nan


def plain_weights(weights: Any, n: int) -> Tensor | dict[str, Tensor]:
    """Sampling rates of `n` items: `plain_rates`, or a dictionary of such by column.

    Raises:
        MethodError: see `plain_rates`.
    """
    if isinstance(weights, Mapping):
        return {str(column): plain_rates(rates, n) for column, rates in weights.items()}
    return plain_rates(weights, n)


def plain_rates(weights: Any, n: int) -> Tensor:
    """`weights` as a float32 or float64 tensor (n,) of its own, without gradient.

    Any real numbers will do. Only ratios matter, so very small and very large ones are scaled.

    Raises:
        MethodError: not one number for each of `n` items; not finite, negative, or all zero.
    """
    plain = plain_tensor(weights, f"give real weights of shape ({n},): what was given")
    if plain.shape != (n,) or plain.is_complex():
        got = f"{plain.dtype} {tuple(plain.shape)}".removeprefix("torch.")
        raise MethodError(f"give real weights of shape ({n},), one an item, not {got}")
    plain = plain.clone() if plain.dtype == torch.float32 else plain.to(torch.float64, copy=True)
    if not torch.isfinite(plain).all():
        raise MethodError("weights that are not finite cannot be sampling rates")
    largest = float(plain.max()) if n else 1.0
    if largest <= 0 or (plain < 0).any():
        raise MethodError("weights that are negative or all zero cannot be sampling rates")
    if not SMALL < largest < LARGE:
        plain = (plain.double() / largest).to(plain.dtype)
    return plain


def plain_loss(value: Any, like: Tensor) -> Tensor:
    """The value of a loss hook as the trainer averages it: other floating dtypes are cast.

    Raises:
        Breach: it is not shaped like `like`, or no gradient can reach the model through it.
    """
    floating = isinstance(value, Tensor) and value.is_floating_point()
    if not floating or value.shape != like.shape or value.layout != torch.strided:
        got = type(value).__name__
        if isinstance(value, Tensor):
            got = f"{value.layout} " * (value.layout != torch.strided)
            got += f"{value.dtype} {tuple(value.shape)}"
        raise Breach(f"must return a {like.dtype} {tuple(like.shape)} tensor, got {got}")
    if value.is_meta:
        raise Breach("returned a loss on the meta device, which holds no numbers")
    if not value.requires_grad:
        raise Breach(
            "returned a loss that does not depend on what it was given: without detach(), "
            "no_grad() or .item(), a gradient can flow through it"
        )
    return value.to(device=like.device, dtype=like.dtype)
