"""The generators that the lineage does not control: trained once, on real data, no mitigation."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from benchmark.interface.generator import Sampling
from benchmark.interface.items import Items, TrainingSet
from benchmark.lineage.cache import Cache
from benchmark.lineage.once import state_of
from benchmark.tasks.parts import Splits
from benchmark.tasks.task import Task


def foreign_items(
    task: Task, seed: int, splits: Splits, marks: Sampling, cache: Cache
) -> Iterator[Items]:
    """What each foreign generator published: half a crawl of its own samples.

    A share `task.adoption` of them is sampled with `marks`, the lineage's own watermark.
    """
    for index in range(len(task.foreign)):
        yield _published(task, seed, index, splits, marks, cache)


def _published(
    task: Task, seed: int, index: int, splits: Splits, marks: Sampling, cache: Cache
) -> Items:
    generator = task.foreign[index].build()
    count = math.ceil(task.n / 2)
    key = f"{task.hash}|{seed}|{index}"

    def trained() -> tuple[nn.Module, torch.Generator]:
        rng = task.rng(seed, 0, f"foreign {index}")
        return generator.train(TrainingSet(splits.real.take(slice(0, task.n))), rng), rng

    def plain() -> dict[str, Tensor]:
        model, rng = trained()
        return generator.sample(model, count, rng, Sampling()).columns

    items = Items(**cache.get("foreign-samples", key, plain).tensors)
    adopters = round(count * (task.adoption or 0))
    if not adopters or marks == Sampling():
        return items
    model = generator.blank()
    kept = cache.get("foreign-model", key, lambda: state_of(trained()[0]))
    model.load_state_dict(kept.tensors)
    rng = task.rng(seed, 0, f"adopter {index}")
    marked = generator.sample(model.eval(), adopters, rng, marks)
    return Items.concat([marked, items.take(slice(adopters, None))])
