"""The generators that the lineage does not control: trained once, on real data, no mitigation."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from benchmark.interface.generator import Sampling
from benchmark.interface.items import Items, TrainingSet
from benchmark.interface.mitigation import Mitigation
from benchmark.interface.round import Ledger
from benchmark.lineage.granted import Grants
from benchmark.lineage.hooks import checked_sampling, make_instance
from benchmark.lineage.workshop import Workshop, copy_state
from benchmark.tasks.parts import Splits


class ForeignModels:
    """The foreign generators of one lineage.

    Only under adoption does anything of the lineage reach them: its watermark, as under a common
    standard.
    """

    def __init__(self, workshop: Workshop, grants: Grants, method: type[Mitigation]) -> None:
        self._workshop, self._grants, self._method = workshop, grants, method

    def release(self, t: int, splits: Splits) -> Iterator[Items]:
        """What is released before crawl `t`: of each generator half a crawl of its own samples.

        All are released at t = 1, because nobody crawls foreign items before. A share
        `task.adoption` of each is sampled with the lineage's own mark.
        """
        task = self._workshop.task
        if t != 1 or not task.schedule.foreign:
            return
        marks = Sampling() if task.adoption is None else self._adopted_marks(splits.reserve)
        for index in range(len(task.foreign)):
            yield self._publish(index, splits.real.take(slice(0, task.n)), marks)

    def _adopted_marks(self, reserve: Items) -> Sampling:
        """The marks of the method's own sampling, which is asked for as at generation 0."""
        first = self._workshop.train(0, TrainingSet(self._grants.crawls[0])).model
        round_ = self._grants.open_round(0, reserve, first, Ledger(), "adopters")
        how = checked_sampling(make_instance(self._method, 0), round_)
        return Sampling(logits=how.logits, pixels=how.pixels)

    def _publish(self, index: int, real: Items, marks: Sampling) -> Items:
        workshop = self._workshop
        task, cache, key = workshop.task, workshop.cache, workshop.key(index)
        generator = task.foreign[index].build()
        count = math.ceil(task.n / 2)

        def train() -> tuple[nn.Module, torch.Generator]:
            rng = workshop.rng(0, f"foreign {index}")
            return generator.train(TrainingSet(real), rng), rng

        def sample() -> dict[str, Tensor]:
            model, rng = train()
            return generator.sample(model, count, rng, Sampling()).columns

        items = Items(**cache.get("foreign-samples", key, sample).tensors)
        adopters = round(count * (task.adoption or 0))
        if not adopters or marks == Sampling():
            return items
        model = generator.blank()
        kept = cache.get("foreign-model", key, lambda: copy_state(train()[0]))
        model.load_state_dict(kept.tensors)
        rng = workshop.rng(0, f"adopter {index}")
        marked = generator.sample(model.eval(), adopters, rng, marks)
        return Items.concat([marked, items.take(slice(adopters, None))])
