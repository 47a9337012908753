"""Items of two kinds, whose shares move with the world."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from benchmark.basics.errors import InputError
from benchmark.interface.items import Items


def share_of(way: tuple[float, float] | None, t: int, eras: int) -> float | None:
    """The share of a kind in era `t` of `eras`, on the `way` from the first one's to the last's;
    None where there is no way."""
    if way is None:
        return None
    first, last = way
    return first + (last - first) * t / eras


class Kinds:
    """Items of a kind and others, handed out one after the other: one comes again only when all of
    its kind were handed out.

    Raises:
        InputError: a kind that is asked for has no item.
    """

    def __init__(self, items: Items, rows: Tensor, kind: Tensor, what: str) -> None:
        """Of `items` those of `rows`; `kind` (N,) says which items are of the kind, `what` names
        one in a message."""
        self.items, self.rows, self.what = items, rows, what
        self.kinds = [rows[kind[rows]], rows[~kind[rows]]]

    def choose(self, count: int, shares: Sequence[float | None], rng: torch.Generator) -> Items:
        """`count` items of the last of the eras whose `shares` of the kind are given, after those
        of the eras before, in random order. Without shares every item is alike."""
        if shares[-1] is None:
            queues = [(self.rows, [count] * len(shares))]
        else:
            of_kind = [round(count * (share or 0.0)) for share in shares]
            queues = [(self.kinds[0], of_kind), (self.kinds[1], [count - s for s in of_kind])]
        chosen = []
        for rows, counts in queues:
            if counts[-1] and not len(rows):
                raise InputError(f"no {self.what} of a kind that an era asks for exists")
            begin = sum(counts[:-1])
            chosen.append(rows[(torch.arange(counts[-1]) + begin) % max(len(rows), 1)])
        order = torch.cat(chosen)
        return self.items.take(order[torch.randperm(count, generator=rng)])
