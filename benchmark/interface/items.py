"""Items: what the web publishes and a generator is trained on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import torch
from torch import Tensor
from xxhash import xxh3_64_intdigest, xxh3_128_digest

from benchmark.basics.errors import MethodError
from benchmark.basics.files import bytes_of, make_dense, tensor_digest
from benchmark.interface.plain_numbers import (
    plain_columns,
    plain_count,
    plain_positions,
    plain_weights,
)


class Items:
    """N items held as named columns, each a tensor whose first dimension is N.

    Images: `image` uint8 (N, C, H, W), C 1 or 3, and `label` int64 (N,). Text: `tokens` int64
    (N, L). Analytic tasks: `x` float64 (N, d). Items of several modalities (an image with its
    caption) are items with several columns. A column may be given as a numpy array or a list.
    """

    # Tensors, or the unions' parts that nobody has joined yet; whether the tensors were ever handed
    # out; and what they were like when `watch` began, once that matters.
    __slots__ = ("_before", "_columns", "_handed_out", "_parts", "_size", "_watched")

    def __init__(self, **given: Any) -> None:
        if not given:
            raise MethodError("Items need at least one column, such as image=... or tokens=...")
        columns = plain_columns(given)
        sizes = {name: len(column) for name, column in columns.items()}
        if len(set(sizes.values())) != 1:
            raise MethodError(f"the columns of Items differ in length: {sizes}")
        # One layout for all, so that neither strides nor storage tell where an item came from.
        self._columns = {name: make_dense(columns[name]) for name in sorted(columns)}
        self._size = next(iter(sizes.values()))
        self._parts: tuple[Items, ...] = ()
        self._before: bytes | None = None
        self._handed_out = self._watched = False

    @property
    def columns(self) -> dict[str, Tensor]:
        """The tensors by name, in alphabetical order."""
        if not self._handed_out:
            self._handed_out = True
            if self._watched:
                self._before = self._checksum()
        return read_columns(self)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, column: str) -> Tensor:
        return self.columns[column]

    def __repr__(self) -> str:
        inside = ", ".join(
            f"{k}: {v.dtype} {tuple(v.shape)}" for k, v in read_columns(self).items()
        )
        return f"Items({inside})"

    def take(self, index: Any) -> Items:
        """The items at `index`, copied: whole numbers (a tensor, numpy array or list; negative ones
        count from the end), a boolean mask, or a slice.

        Raises:
            MethodError: positions that cannot be, see `plain_positions`.
        """
        if isinstance(index, slice):
            return Items(
                **{name: column[index].clone() for name, column in read_columns(self).items()}
            )
        where = plain_positions(index, len(self))
        if len(self._parts) > 1:
            where = where.nonzero()[:, 0] if where.dtype == torch.bool else where
            if len(where):
                return self._picked(where)
        columns = read_columns(self._parts[0] if self._parts else self)
        return Items(**{name: column[where] for name, column in columns.items()})

    def _picked(self, where: Tensor) -> Items:
        """`take` of a union whose parts nobody has joined: most of a large one stays untouched."""
        ascending, order = where.sort()
        ends = torch.tensor([len(part) for part in self._parts]).cumsum(0)
        cuts = torch.searchsorted(ascending, ends).diff(prepend=torch.zeros(1, dtype=torch.int64))
        chunks = [
            (part, chunk - (end - len(part)))
            for part, chunk, end in zip(
                self._parts, ascending.split(cuts.tolist()), ends.tolist(), strict=True
            )
            if len(chunk)
        ]
        columns = {}
        for name, like in self._columns.items():
            columns[name] = like.new_empty(len(where), *like.shape[1:])
            columns[name][order] = torch.cat([read_columns(part)[name][at] for part, at in chunks])
        return Items(**columns)

    def draw(self, k: int, rng: torch.Generator) -> Items:
        """`k` items drawn uniformly without replacement (all of them when k >= N).

        Raises:
            MethodError: `k` is not a whole number from 0 on.
        """
        if (k := plain_count(k, "the number of items to draw")) < 0:
            raise MethodError(f"the number of items to draw must not be negative, got {k}")
        return self.take(torch.randperm(len(self), generator=rng)[:k])

    def unique(self) -> Items:
        """Each distinct item once, in the order of first appearance."""
        rows = [bytes_of(column).numpy() for column in read_columns(self).values()]
        first: dict[bytes, int] = {}
        for i in range(len(self)):
            first.setdefault(b"".join(row[i].tobytes() for row in rows), i)
        return self.take(torch.tensor(list(first.values()), dtype=torch.int64))

    def same_kind(self, other: Items) -> bool:
        """Whether both have the same columns, dtypes and item shapes."""
        kinds = [
            {name: (like.dtype, like.shape[1:]) for name, like in items._columns.items()}
            for items in (self, other)
        ]
        return kinds[0] == kinds[1]

    def digest(self) -> str:
        """SHA-256 over names, dtypes, shapes and contents, in order."""
        return tensor_digest(read_columns(self))

    def fingerprints(self) -> list[int]:
        """(N,) a 64-bit hash of every item: of its first column, which seeds the next one's."""
        hashes: Iterable[int] = repeat(0, len(self))
        for column in read_columns(self).values():
            rows = bytes_of(column).numpy()
            if rows.shape[1]:
                rows = rows.view(f"V{rows.shape[1]}").ravel()
                hashes = map(xxh3_64_intdigest, rows.tolist(), hashes)
        return list(hashes)

    def watch(self) -> None:
        """From now on notice whether the tensors are changed in place."""
        self._watched = True
        self._before = self._checksum() if self._handed_out else None

    def changed(self) -> bool:
        """Whether they were changed since `watch`. Nobody can have changed what nobody was given:
        only tensors that were handed out are compared."""
        return self._before is not None and self._checksum() != self._before

    def _checksum(self) -> bytes:
        """Notices accidents and is far faster than `digest`, which also withstands malice."""
        try:
            return b"".join(
                f"{name}|{column.dtype}|{tuple(column.shape)}|{column.requires_grad}|".encode()
                + xxh3_128_digest(bytes_of(column).numpy().data)
                for name, column in read_columns(self).items()
            )
        except (AttributeError, TypeError, RuntimeError):  # there are no plain tensors any more
            return b""

    @staticmethod
    def concat(parts: Iterable[Items]) -> Items:
        """All items of `parts`, in order.

        The columns are joined when they are first asked for; `take` and `draw` do without.
        """
        parts = [part for union in parts for part in union._parts or (union,)]
        if not parts:
            raise MethodError("Items.concat needs at least one part")
        if not all(part.same_kind(parts[0]) for part in parts[1:]):
            raise MethodError("Items.concat got items of different kinds")
        union = Items(**parts[0]._columns)
        union._parts, union._size = tuple(parts), sum(map(len, parts))
        return union


@dataclass
class TrainingSet:
    """What one generation is trained on.

    Attributes:
        items: the items.
        weights: (N,) non-negative sampling rates, or None for equal ones: an item of twice the
            weight is in twice as many batches. Only ratios matter. Given as a tensor, numpy array
            or list of any real numbers, they are kept as float32 or float64, without gradient.
            Pairs: or a dictionary of such, {"image": ..., "tokens": ...}: how often a model that
            makes this column sees an item; a column that is left out has equal ones.
        steps: optimiser steps of the training; None for all that the generation has left. Those
            kept back are for `round.finetune` in `adjust` and `sampling`.
    """

    items: Items
    weights: Tensor | Mapping[str, Tensor] | None = None
    steps: int | None = None

    def __post_init__(self) -> None:
        """Raises MethodError for weights and steps that cannot be, see `plain_numbers`."""
        if self.steps is not None:
            self.steps = plain_count(self.steps, "steps")
        if self.weights is not None and isinstance(self.items, Items):
            self.weights = plain_weights(self.weights, len(self.items))

    def __len__(self) -> int:
        return len(self.items)

    def rates(self, column: str | None = None) -> Tensor | None:
        """The sampling rates for the model that makes `column`; without one, of a whole item.

        Raises:
            MethodError: they differ by column, and one model makes whole items.
        """
        if not isinstance(self.weights, Mapping):
            return self.weights
        if column is None:
            raise MethodError(
                "weights by column are for pairs, whose columns are made by a model each: give "
                "one tensor (N,)"
            )
        return self.weights.get(column)

    def digest(self) -> str:
        """SHA-256 of items and weights."""
        columns = dict(read_columns(self.items))
        if isinstance(self.weights, Mapping):
            columns |= {f"/weights/{name}": rates for name, rates in self.weights.items()}
        elif self.weights is not None:
            columns["/weights"] = self.weights
        return tensor_digest(columns)


def read_columns(items: Items) -> dict[str, Tensor]:
    """`items.columns`, for code that neither changes the tensors nor passes them on: they do not
    count as handed out."""
    if items._parts:
        items._columns = {
            name: torch.cat([read_columns(part)[name] for part in items._parts])
            for name in items._columns
        }
        items._parts = ()
    return items._columns
