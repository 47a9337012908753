"""A task: everything that decides a lineage's numbers but the method and the seed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from benchmark.tasks.parts import (
    CheckableData,
    DataRecipe,
    EvaluatorRecipe,
    GeneratorRecipe,
    Laundering,
    ReserveBias,
    VerifierRecipe,
    check_share,
)
from benchmark.tasks.schedules import Schedule

if TYPE_CHECKING:
    import torch

OPTIONS = ("adoption", "laundering", "reserve_bias")


@dataclass(frozen=True)
class Budget:
    """Auxiliary work a mitigation may do in one generation, in multiples of the task's own.

    Attributes:
        forward_passes: items scored or embedded, in multiples of n.
        items_generated: extra items sampled, in multiples of n.
    """

    forward_passes: float = 40.0
    items_generated: float = 4.0


@dataclass(frozen=True)
class Task:
    """A fixed contamination schedule and evaluation protocol over fixed data and recipes.

    Attributes:
        n: items in a crawl and in a publication.
        generations: generations after generation 0.
        reserve: trusted real items, disjoint from everything else.
        foreign: recipes of the generators that publish besides the lineage, in the order of their
            release, if the schedule has any. Trained once on real items of their era; they never
            mitigate.
        adoption: share of every foreign generator's publications that carries the lineage's own
            watermark, as under a common standard; the mark is the one of generation 0.
        laundering: what happens to the lineage's items between publishing and crawling. A
            generation's profile is of what it wrote.
        reserve_bias: the trusted items are not a fair sample.
    """

    name: str
    modality: str
    description: str
    schedule: Schedule
    data: DataRecipe
    generator: GeneratorRecipe
    evaluation: EvaluatorRecipe
    n: int
    generations: int
    reserve: int
    verifier: VerifierRecipe | None = None
    foreign: tuple[GeneratorRecipe, ...] = ()
    budget: Budget = Budget()
    adoption: float | None = None
    laundering: Laundering | None = None
    reserve_bias: ReserveBias | None = None

    def __post_init__(self) -> None:
        if self.adoption is not None:
            check_share("adoption", self.adoption)

    def rng(self, seed: int, t: int, purpose: str) -> torch.Generator:
        """Random numbers of generation `t` of a lineage; nothing else depends on their use."""
        from benchmark.basics.seeds import stream

        return stream(self.hash, seed, t, purpose)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the resolved definition (schedule, data checksums, recipes, frozen parts).

        The description is left out: better words must not orphan results. So are options that are
        not set: a new option must not, either.
        """
        unset = {name for name in OPTIONS if getattr(self, name) is None}
        left_out = unset | {"description"}
        definition = {k: v for k, v in _plain(self).items() if k not in left_out}
        text = json.dumps(definition, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def check_data(tasks: Iterable[Task]) -> None:
    """
    Raises:
        InputError: data that only a later lineage would look at are not on this machine.
        CorruptFile: they are not the ones the task was frozen with.
    """
    for recipe in dict.fromkeys(task.data for task in tasks):
        if isinstance(recipe, CheckableData):
            recipe.check()


def _plain(value: Any) -> Any:
    """Dataclasses as dictionaries that name their class."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"class": type(value).__name__, **fields}
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return value
