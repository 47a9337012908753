"""Contamination schedules: what the crawl of generation t >= 1 consists of.

A schedule is pure: from (t, n) it says how many items to draw of which makers: R_i, the real items
of era i; S_i, what model i published; F, what foreign models publish. Drawing is the web's work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple


class Maker(NamedTuple):
    """Who made items: the world in era `at`, the lineage's model `at`, or foreign models."""

    kind: Literal["real", "own", "foreign"]
    at: int = 0


@dataclass(frozen=True)
class Draw:
    """`count` items drawn uniformly without replacement from the union of what `makers` made."""

    count: int
    makers: tuple[Maker, ...]


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


@dataclass(frozen=True)
class Replace(Schedule):
    """n of S_{t-1} (Shumailov et al. 2024 A; MAD's fully synthetic loop)."""

    name: ClassVar[str] = "replace"
    summary: ClassVar[str] = "each crawl is the last model's output"
    newest: ClassVar[bool] = True

    def draws(self, t: int, n: int) -> list[Draw]:
        return [Draw(n, (Maker("own", t - 1),))]


@dataclass(frozen=True)
class Web(Schedule):
    """Unlabelled and growing: a share a_t = floor + (1 - floor) fading^t of R_t; of the rest
    `foreign_share` of F, else S_{t-1}.

    Attributes:
        floor: people who still write.
        every: generations between two releases of foreign models, the first at t = 0.
    """

    name: ClassVar[str] = "web"
    summary: ClassVar[str] = "a growing share of each crawl is own and foreign models' output"
    foreign: ClassVar[bool] = True
    newest: ClassVar[bool] = True
    floor: float = 0.25
    fading: float = 0.6
    foreign_share: float = 1 / 3
    every: int = 3

    def draws(self, t: int, n: int) -> list[Draw]:
        real = round(n * (self.floor + (1 - self.floor) * self.fading**t))
        foreign = round((n - real) * self.foreign_share)
        return [
            Draw(real, (Maker("real", t),)),
            Draw(n - real - foreign, (Maker("own", t - 1),)),
            Draw(foreign, (Maker("foreign"),)),
        ]


@dataclass(frozen=True)
class Accumulate(Schedule):
    """n drawn uniformly from R_0 + ... + R_t + S_0 + ... + S_{t-1} (accumulate-subsample, Kazdan et
    al. 2024)."""

    name: ClassVar[str] = "accumulate"
    summary: ClassVar[str] = "each crawl is drawn from real data and all models' output"

    def draws(self, t: int, n: int) -> list[Draw]:
        real = (Maker("real", i) for i in range(t + 1))
        return [Draw(n, (*real, *(Maker("own", i) for i in range(t))))]


@dataclass(frozen=True)
class FixedReal(Schedule):
    """a*n of R_t + (1-a)*n of S_{t-1} (MAD's synthetic augmentation; Bertrand et al. 2024), where
    R_t is the same for ever if the world is."""

    name: ClassVar[str] = "fixed_real"
    summary: ClassVar[str] = "each crawl keeps a fixed share of real data"
    newest: ClassVar[bool] = True
    real_share: float = 0.1

    def draws(self, t: int, n: int) -> list[Draw]:
        real = round(n * self.real_share)
        return [Draw(real, (Maker("real", t),)), Draw(n - real, (Maker("own", t - 1),))]


@dataclass(frozen=True)
class Fresh(Schedule):
    """a*n of R_t + (1-a)*n of S_{t-1} (MAD's fresh-data loop)."""

    name: ClassVar[str] = "fresh"
    summary: ClassVar[str] = "each crawl brings a share of new real data"
    newest: ClassVar[bool] = True
    real_share: float = 0.1

    def draws(self, t: int, n: int) -> list[Draw]:
        real = round(n * self.real_share)
        return [Draw(real, (Maker("real", t),)), Draw(n - real, (Maker("own", t - 1),))]


SCHEDULES = {cls.name: cls for cls in (Replace, Web, Accumulate, FixedReal, Fresh)}
