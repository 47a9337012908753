"""The cache and the store of a lineage that several ranks train together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from torch import Tensor

from benchmark.basics.cache import Cache, Kept
from benchmark.basics.ranks import broadcast, rank
from benchmark.interface.items import Items
from benchmark.lineage.marks import Written
from benchmark.lineage.store import LineageStore


class SharedCache:
    """Rank 0's cache. What it has not got, all ranks make together."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache

    def get(self, kind: str, key: str, make: Callable[[], dict[str, Tensor]]) -> Kept:
        made: list[dict[str, Tensor]] = []

        def together() -> dict[str, Tensor]:
            broadcast("make")
            made.append(make())
            return made[0]

        if rank() == 0:
            kept = self.cache.get(kind, key, together)
            return kept if made else cast(Kept, broadcast(kept))
        answer = broadcast()
        return Kept(make(), 0.0) if answer == "make" else cast(Kept, answer)


class SharedStore:
    """Rank 0's store."""

    def __init__(self, store: LineageStore) -> None:
        self.store = store

    def record(self, t: int) -> dict[str, Any] | None:
        return cast(
            "dict[str, Any] | None", broadcast(self.store.record(t) if rank() == 0 else None)
        )

    def samples(self, t: int) -> Items:
        return cast(Items, broadcast(self.store.samples(t) if rank() == 0 else None))

    def model(self, t: int) -> dict[str, Tensor]:
        return cast("dict[str, Tensor]", broadcast(self.store.model(t) if rank() == 0 else None))

    def save(
        self, t: int, record: dict[str, Any], written: Written, state: dict[str, Tensor]
    ) -> None:
        if rank() == 0:
            self.store.save(t, record, written, state)

    def end(self, t: int, record: dict[str, Any]) -> None:
        if rank() == 0:
            self.store.end(t, record)
