"""Any task at a toy size: the same data, generators and schedule, with little of each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchmark.tasks.task import Task


def toy(task: Task) -> Task:
    """The same task with few items, steps and generations: seconds become tenths."""
    return replace(
        task,
        n=120,
        reserve=12,
        generations=2,
        data=_less(task.data, heldout=40),
        generator=_less(task.generator, steps=4),
        foreign=tuple(_less(recipe, steps=4) for recipe in task.foreign),
    )


def _less(recipe: Any, **changes: int) -> Any:
    return replace(recipe, **changes)
