"""The web: publishes items, remembers who made each, and hands out unlabelled crawls."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from benchmark.basics.errors import InputError
from benchmark.interface.items import Items
from benchmark.interface.sources import FOREIGN, REAL
from benchmark.tasks.parts import Laundering, World
from benchmark.tasks.schedules import Draw, Maker, Schedule

Foreign = Callable[[int, int], Items]  # (t, count) -> what foreign models published for crawl t


class Crawl(NamedTuple):
    """Shuffled items and, for the harness only, who made each: `REAL`, the generation i >= 0 of
    this lineage's model, or `FOREIGN`; int64 (n,)."""

    items: Items
    provenance: Tensor


class Web:
    """What one lineage finds.

    Args:
        world: its real items.
        schedule: what crawls consist of from generation 1 on; generation 0's is real.
        n: items in a crawl.
        foreign: what others publish, where the schedule has foreign models.
        laundering: what happens to the lineage's items before they are crawled, if anything.
    """

    def __init__(
        self,
        world: World,
        schedule: Schedule,
        n: int,
        foreign: Foreign,
        laundering: Laundering | None = None,
    ) -> None:
        self.world, self.schedule, self.n, self.foreign = world, schedule, n, foreign
        self._launder = laundering.build() if laundering else None
        self._published: dict[int, Items] = {}
        self._models = 0

    def publish(self, items: Items, rng: torch.Generator) -> None:
        """Add what this lineage's newest model generated: generation 0's first, then 1's, ...

        `rng` is for laundering only.
        """
        self._published[self._models] = self._launder(items, rng) if self._launder else items
        self._models += 1

    def crawl(self, t: int, rng: torch.Generator) -> Crawl:
        """The crawl of generation `t`. Earlier generations are not asked for afterwards: what only
        their crawls draw from is let go."""
        if self.schedule.newest:
            # One more than is asked for: a schedule that is a generation late shall give wrong
            # numbers, which the theory suite's controls look for, and not an error.
            self._published = {i: s for i, s in self._published.items() if i >= t - 2}
        first = Draw(self.n, (Maker("real", 0),))
        parts: list[tuple[Items, int]] = []
        places: list[Tensor] = []
        before = 0
        for draw in self.schedule.draws(t, self.n) if t > 0 else [first]:
            if not draw.count:
                continue
            pool = self._pool(draw, t)
            size = sum(len(items) for items, _ in pool)
            if draw.count > size:
                raise InputError(
                    f"schedule {self.schedule.name!r} asks for {draw.count} of {size} "
                    f"items at generation {t}"
                )
            places.append(before + torch.randperm(size, generator=rng)[: draw.count])
            parts += pool
            before += size
        where = torch.cat(places)[torch.randperm(self.n, generator=rng)]
        made = torch.cat([torch.full((len(items),), source) for items, source in parts])
        return Crawl(Items.concat(items for items, _ in parts).take(where), made[where])

    def _pool(self, draw: Draw, t: int) -> list[tuple[Items, int]]:
        """What the makers of `draw` made, each part with its provenance."""
        parts: list[tuple[Items, int]] = []
        for maker in draw.makers:
            if maker.kind == "real":
                items, source = self.world(maker.at).real, REAL
            elif maker.kind == "foreign":
                items, source = self.foreign(t, draw.count), FOREIGN
            else:
                items, source = self._published[maker.at], maker.at
            # Where the world is the same for ever, its items count once.
            if not any(items is other for other, _ in parts):
                parts.append((items, source))
        return parts
