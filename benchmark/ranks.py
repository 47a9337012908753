"""Several processes (ranks), one GPU each, that train one lineage together.

All of them run the same loop on the same random numbers. The parts of a training step's batch and
of a sampling are shared out; gradients are averaged by accelerate. Only rank 0 touches files: what
it reads it tells the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor
from torch import distributed as dist

from benchmark.cache import Cache, Kept
from benchmark.items import Items
from benchmark.storage import LineageStore


def count() -> int:
    """How many ranks there are: 1 outside of `launch`."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Which of them this process is, from 0 on."""
    return dist.get_rank() if count() > 1 else 0


def spread(make: Callable[..., Tensor], parts: Sequence[Any]) -> Tensor:
    """torch.cat(make(*part) for part in parts), the parts shared out among the ranks."""
    first, step = rank(), count()
    own = [make(*part) for part in parts[first::step]]
    if step == 1:
        return torch.cat(own)
    made: list[Any] = [None] * step
    dist.all_gather_object(made, [part.cpu() for part in own])
    return torch.cat([made[i % step][i // step] for i in range(len(parts))])


def told(value: Any = None) -> Any:
    """What rank 0 has; it gives `value`, the others nothing."""
    if count() == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box, src=0)
    return box[0]


class SharedCache:
    """Rank 0's cache. What it has not got, all ranks make together."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache

    def get(self, kind: str, key: str, make: Callable[[], dict[str, Tensor]]) -> Kept:
        made: list[dict[str, Tensor]] = []

        def together() -> dict[str, Tensor]:
            told("make")
            made.append(make())
            return made[0]

        if rank() == 0:
            kept = self.cache.get(kind, key, together)
            return kept if made else cast(Kept, told(kept))
        answer = told()
        return Kept(make(), 0.0) if answer == "make" else cast(Kept, answer)


class SharedStore:
    """Rank 0's store."""

    def __init__(self, store: LineageStore) -> None:
        self.store = store

    def record(self, t: int) -> dict[str, Any] | None:
        return cast("dict[str, Any] | None", told(self.store.record(t) if rank() == 0 else None))

    def samples(self, t: int) -> Items:
        return cast(Items, told(self.store.samples(t) if rank() == 0 else None))

    def model(self, t: int) -> dict[str, Tensor]:
        return cast("dict[str, Tensor]", told(self.store.model(t) if rank() == 0 else None))

    def save(self, t: int, record: dict[str, Any], items: Items, state: dict[str, Tensor]) -> None:
        if rank() == 0:
            self.store.save(t, record, items, state)

    def end(self, t: int, record: dict[str, Any]) -> None:
        if rank() == 0:
            self.store.end(t, record)
