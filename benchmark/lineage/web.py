"""The web: publishes items, remembers who made each, and hands out unlabelled crawls."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from benchmark.basics.errors import InputError
from benchmark.interface.items import Items
from benchmark.interface.sources import FOREIGN, NEW, REAL
from benchmark.tasks.parts import Laundering
from benchmark.tasks.schedules import Schedule


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
        self._real = real.take(slice(0, n))
        self._unseen = real.take(slice(n, None))
        self._foreign: list[Items] = []
        self._published: list[Items] = []

    def publish(self, items: Items, rng: torch.Generator) -> None:
        """Add what this lineage's newest model generated: generation 0's first, then 1's, ...

        `rng` is for laundering only.
        """
        self._published.append(self._launder(items, rng) if self._launder else items)

    def publish_foreign(self, items: Items) -> None:
        """Add what one foreign generator published, where the schedule has any."""
        self._foreign.append(items)

    def crawl(self, t: int, rng: torch.Generator) -> Crawl:
        """The crawl of generation `t`."""
        if t == 0:
            parts, made = [self._real], [torch.full((self.n,), REAL)]
        else:
            parts, made = [], []
            for draw in self.schedule.draws(t, self.n):
                pool, provenance = self._pool(draw.sources, t, draw.count)
                if draw.count > len(pool):
                    raise InputError(
                        f"schedule {self.schedule.name!r} asks for {draw.count} of {len(pool)} "
                        f"items at generation {t}"
                    )
                # `NEW` items are used up in order; everything else is drawn anew each time.
                if draw.sources != (NEW,):
                    chosen = torch.randperm(len(pool), generator=rng)[: draw.count]
                    pool, provenance = pool.take(chosen), provenance[chosen]
                parts.append(pool)
                made.append(provenance)
        order = torch.randperm(self.n, generator=rng)
        return Crawl(Items.concat(parts).take(order), torch.cat(made)[order])

    def _pool(self, sources: tuple[int, ...], t: int, count: int) -> tuple[Items, Tensor]:
        parts: list[tuple[Items, int]] = []
        for source in sources:
            if source == REAL:
                parts.append((self._real, REAL))
            elif source == NEW:
                start = (t - 1) * count
                parts.append((self._unseen.take(slice(start, start + count)), REAL))
            elif source == FOREIGN:
                parts.extend((items, FOREIGN) for items in self._foreign)
            else:
                parts.append((self._published[source], source))
        provenance = [torch.full((len(items),), made) for items, made in parts]
        return Items.concat(items for items, _ in parts), torch.cat(provenance)
