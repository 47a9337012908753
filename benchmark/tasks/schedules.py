"""Contamination schedules: what the crawl of generation t >= 1 consists of.

A schedule is pure: from (t, n) it says how many items to draw from which sources. `REAL` is the
real pool R, `i >= 0` the samples S_i that model i published, `FOREIGN` the other generators'
samples, `NEW` real items that no crawl held before. Where the world moves, `REAL` and `NEW` are the
real items of the crawl's era, `ERAS` those of this and all earlier ones; where it stands still,
`ERAS` is `REAL`. Drawing is the web's work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from benchmark.interface.sources import FOREIGN, NEW, REAL

ERAS = -4


@dataclass(frozen=True)
class Draw:
    """`count` items drawn uniformly without replacement from the union of `sources`."""

    count: int
    sources: tuple[int, ...]


@dataclass(frozen=True)
class Schedule:
    """Base class; `name` is the word of the design's table, `summary` says it in a line."""

    name: ClassVar[str]
    summary: ClassVar[str]
    foreign: ClassVar[bool] = False  # whether foreign generators publish
    newest: ClassVar[bool] = False  # whether of the lineage's items only the last model's are drawn

    def draws(self, t: int, n: int) -> list[Draw]:
        """What the crawl of generation `t` >= 1 holds; counts add up to `n`."""
        raise NotImplementedError

    def real_needed(self, n: int, generations: int) -> int:
        """Size of the real pool that `generations` generations after generation 0 need."""
        return n


@dataclass(frozen=True)
class Replace(Schedule):
    """n of S_{t-1} (Shumailov et al. 2024 A; MAD's fully synthetic loop)."""

    name: ClassVar[str] = "replace"
    summary: ClassVar[str] = "each crawl is the last model's output"
    newest: ClassVar[bool] = True

    def draws(self, t: int, n: int) -> list[Draw]:
        return [Draw(n, (t - 1,))]


@dataclass(frozen=True)
class Web(Schedule):
    """Unlabelled and growing: synthetic share 1 - fading^t, `foreign_share` of it foreign."""

    name: ClassVar[str] = "web"
    summary: ClassVar[str] = "a growing share of each crawl is own and foreign models' output"
    foreign: ClassVar[bool] = True
    newest: ClassVar[bool] = True
    fading: float = 0.6
    foreign_share: float = 1 / 3

    def draws(self, t: int, n: int) -> list[Draw]:
        synthetic = round(n * (1 - self.fading**t))
        foreign = round(synthetic * self.foreign_share)
        return [
            Draw(n - synthetic, (REAL,)),
            Draw(synthetic - foreign, (t - 1,)),
            Draw(foreign, (FOREIGN,)),
        ]


@dataclass(frozen=True)
class Accumulate(Schedule):
    """n drawn uniformly from R_0 + ... + R_t + S_0 + ... + S_{t-1}; where the world stands still,
    from R + S_0 + ... (accumulate-subsample, Kazdan et al. 2024)."""

    name: ClassVar[str] = "accumulate"
    summary: ClassVar[str] = "each crawl is drawn from real data and all models' output"

    def draws(self, t: int, n: int) -> list[Draw]:
        return [Draw(n, (ERAS, *range(t)))]


@dataclass(frozen=True)
class FixedReal(Schedule):
    """a*n of R + (1-a)*n of S_{t-1} (MAD's synthetic augmentation; Bertrand et al. 2024)."""

    name: ClassVar[str] = "fixed_real"
    summary: ClassVar[str] = "each crawl keeps a fixed share of real data"
    newest: ClassVar[bool] = True
    real_share: float = 0.1

    def draws(self, t: int, n: int) -> list[Draw]:
        real = round(n * self.real_share)
        return [Draw(real, (REAL,)), Draw(n - real, (t - 1,))]


@dataclass(frozen=True)
class Fresh(Schedule):
    """a*n new real items + (1-a)*n of S_{t-1} (MAD's fresh-data loop)."""

    name: ClassVar[str] = "fresh"
    summary: ClassVar[str] = "each crawl brings a share of new real data"
    newest: ClassVar[bool] = True
    real_share: float = 0.1

    def draws(self, t: int, n: int) -> list[Draw]:
        real = round(n * self.real_share)
        return [Draw(real, (NEW,)), Draw(n - real, (t - 1,))]

    def real_needed(self, n: int, generations: int) -> int:
        return n + generations * round(n * self.real_share)


SCHEDULES = {cls.name: cls for cls in (Replace, Web, Accumulate, FixedReal, Fresh)}
