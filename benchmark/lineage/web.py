"""The web: publishes items, remembers who made each, and hands out unlabelled crawls."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from benchmark.basics.errors import InputError
from benchmark.interface.items import Items
from benchmark.interface.sources import FOREIGN, NEW, REAL
from benchmark.tasks.parts import Laundering
from benchmark.tasks.schedules import ERAS, Schedule


class Crawl(NamedTuple):
    """Shuffled items and, for the harness only, who made each: `REAL`, the generation i >= 0 of
    this lineage's model, or `FOREIGN`; int64 (n,)."""

    items: Items
    provenance: Tensor


class Web:
    """The simulated world of one lineage.

    Args:
        real: the real pool R. Generation 0 crawls its first `n` items; `NEW` items come after them.
        schedule: what later crawls consist of.
        n: items in a crawl.
        laundering: what happens to the lineage's items before they are crawled, if anything.
    """

    def __init__(
        self,
        real: Items,
        schedule: Schedule,
        n: int,
        laundering: Laundering | None = None,
    ) -> None:
        if len(real) < n:
            raise InputError(f"the real pool holds {len(real)} items, a crawl needs {n}")
        self.schedule, self.n = schedule, n
        self._launder = laundering.build() if laundering else None
        self._eras = [real.take(slice(0, n))]
        self._unseen = real.take(slice(n, None))
        self._foreign: list[Items] = []
        self._published: dict[int, Items] = {}
        self._models = 0

    def move(self, real: Items) -> None:
        """The next era begins: `real` are its items, which no crawl held before."""
        self._eras.append(real)

    def publish(self, items: Items, rng: torch.Generator) -> None:
        """Add what this lineage's newest model generated: generation 0's first, then 1's, ...

        `rng` is for laundering only.
        """
        self._published[self._models] = self._launder(items, rng) if self._launder else items
        self._models += 1

    def publish_foreign(self, items: Items) -> None:
        """Add what one foreign generator published, where the schedule has any."""
        self._foreign.append(items)

    def crawl(self, t: int, rng: torch.Generator) -> Crawl:
        """The crawl of generation `t`. Earlier generations are not asked for afterwards: what only
        their crawls draw from is let go."""
        parts: list[tuple[Items, int]] = []
        places: list[Tensor] = []
        before = 0
        if t == 0:
            parts.append((self._eras[0], REAL))
            places.append(torch.arange(self.n))
        else:
            if self.schedule.newest:
                # One more than is asked for: a schedule that is a generation late shall give wrong
                # numbers, which the theory suite's controls look for, and not an error.
                self._published = {i: s for i, s in self._published.items() if i >= t - 2}
            for draw in self.schedule.draws(t, self.n):
                pool = self._pool(draw.sources, t, draw.count)
                size = sum(len(items) for items, _ in pool)
                if draw.count > size:
                    raise InputError(
                        f"schedule {self.schedule.name!r} asks for {draw.count} of {size} "
                        f"items at generation {t}"
                    )
                # `NEW` items are used up in order; everything else is drawn anew each time.
                used_up = draw.sources == (NEW,)
                drawn = torch.arange(size) if used_up else torch.randperm(size, generator=rng)
                places.append(before + drawn[: draw.count])
                parts += pool
                before += size
        where = torch.cat(places)[torch.randperm(self.n, generator=rng)]
        made = torch.cat([torch.full((len(items),), source) for items, source in parts])
        return Crawl(Items.concat(items for items, _ in parts).take(where), made[where])

    def _pool(self, sources: tuple[int, ...], t: int, count: int) -> list[tuple[Items, int]]:
        """Items with the provenance of all of them."""
        parts: list[tuple[Items, int]] = []
        for source in sources:
            if source == REAL or (source == NEW and len(self._eras) > 1):
                parts.append((self._eras[-1], REAL))
            elif source == ERAS:
                parts.extend((items, REAL) for items in self._eras)
            elif source == NEW:
                start = (t - 1) * count
                parts.append((self._unseen.take(slice(start, start + count)), REAL))
            elif source == FOREIGN:
                parts.extend((items, FOREIGN) for items in self._foreign)
            else:
                parts.append((self._published[source], source))
        return parts
