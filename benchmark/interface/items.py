"""Items: what the web publishes and a generator is trained on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmark.basics.errors import MethodError
from benchmark.basics.files import bytes_of, tensor_digest


class Items:
    """N items held as named columns, each a tensor whose first dimension is N.

    Images: `image` uint8 (N, 1, H, W) and `label` int64 (N,). Text: `tokens` int64 (N, L).
    Analytic tasks: `x` float64 (N, d). Items of several modalities (an image with its caption)
    are items with several columns.
    """

    __slots__ = ("columns",)

    def __init__(self, **columns: Tensor) -> None:
        if not columns:
            raise MethodError("Items need at least one column, such as image=... or tokens=...")
        sizes = {name: len(column) for name, column in columns.items()}
        if len(set(sizes.values())) != 1:
            raise MethodError(f"the columns of Items differ in length: {sizes}")
        # One layout for all, so that neither strides nor storage tell where an item came from.
        self.columns = {name: _dense(columns[name]) for name in sorted(columns)}

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, column: str) -> Tensor:
        return self.columns[column]

    def __repr__(self) -> str:
        inside = ", ".join(f"{k}: {v.dtype} {tuple(v.shape)}" for k, v in self.columns.items())
        return f"Items({inside})"

    def take(self, index: Tensor | Sequence[int] | slice) -> Items:
        """The items at `index` (positions, a boolean mask, or a slice), copied."""
        if isinstance(index, slice):
            return Items(**{name: column[index].clone() for name, column in self.columns.items()})
        where = torch.as_tensor(index)
        where = where if where.numel() else where.long()  # an empty list is a float tensor
        return Items(**{name: column[where] for name, column in self.columns.items()})

    def draw(self, k: int, rng: torch.Generator) -> Items:
        """`k` items drawn uniformly without replacement (all of them when k >= N)."""
        return self.take(torch.randperm(len(self), generator=rng)[:k])

    def unique(self) -> Items:
        """Each distinct item once, in the order of first appearance."""
        rows = [bytes_of(column).numpy() for column in self.columns.values()]
        first: dict[bytes, int] = {}
        for i in range(len(self)):
            first.setdefault(b"".join(row[i].tobytes() for row in rows), i)
        return self.take(torch.tensor(list(first.values()), dtype=torch.int64))

    def same_kind(self, other: Items) -> bool:
        """Whether both have the same columns, dtypes and item shapes."""
        kinds = [
            {k: (v.dtype, v.shape[1:]) for k, v in items.columns.items()} for items in (self, other)
        ]
        return kinds[0] == kinds[1]

    def digest(self) -> str:
        """SHA-256 over names, dtypes, shapes and contents, in order."""
        return tensor_digest(self.columns)

    @staticmethod
    def concat(parts: Iterable[Items]) -> Items:
        """All items of `parts`, in order."""
        parts = [part for part in parts if part is not None]
        if not parts:
            raise MethodError("Items.concat needs at least one part")
        if not all(part.same_kind(parts[0]) for part in parts):
            raise MethodError("Items.concat got items of different kinds")
        return Items(**{name: torch.cat([p[name] for p in parts]) for name in parts[0].columns})


@dataclass
class TrainingSet:
    """What one generation is trained on.

    Attributes:
        items: the items.
        weights: (N,) non-negative weights of their losses, or None for equal weights. Only ratios
            matter: the trainer divides by the sum.
    """

    items: Items
    weights: Tensor | None = None

    def __len__(self) -> int:
        return len(self.items)

    def digest(self) -> str:
        """SHA-256 of items and weights."""
        columns = dict(self.items.columns)
        if self.weights is not None:
            columns["/weights"] = self.weights
        return tensor_digest(columns)


def _dense(tensor: Tensor) -> Tensor:
    """`tensor` itself if its strides are the usual ones of its shape, else a copy."""
    usual = torch.empty(tensor.shape, device="meta").stride()
    return (
        tensor if tensor.stride() == usual else tensor.clone(memory_format=torch.contiguous_format)
    )
