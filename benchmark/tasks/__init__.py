"""The tasks of every suite. A task's name is the same at every scale; its hash is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from typing import Any

from benchmark.errors import InputError
from benchmark.schedules import Replace, Web
from benchmark.tasks.base import Task
from benchmark.tasks.digits import digits
from benchmark.tasks.speeches import speeches


@dataclass(frozen=True)
class Suite:
    """A fixed list of tasks and seeds at one scale."""

    name: str
    description: str
    tasks: tuple[Task, ...]
    seeds: tuple[int, ...]

    def choose(self, pattern: str | None) -> tuple[Task, ...]:
        """The tasks whose name matches the glob `pattern` (all without one).

        Raises:
            InputError: no task matches.
        """
        chosen = tuple(t for t in self.tasks if pattern is None or fnmatch(t.name, pattern))
        if not chosen:
            names = ", ".join(task.name for task in self.tasks)
            raise InputError(f"no task of suite {self.name!r} matches {pattern!r}: it has {names}")
        return chosen


def _small() -> Suite:
    tasks = (digits(Replace()), digits(Web()), speeches(Replace()), speeches(Web()))
    return Suite("small", "the standard suite of a laptop: 2 cores, minutes a method", tasks,
                 seeds=(0, 1, 2))  # fmt: skip


def _quick() -> Suite:
    share = 4

    def fewer_steps(recipe: Any) -> Any:
        return replace(recipe, steps=recipe.steps // share)

    def shrink(task: Task) -> Task:
        return replace(
            task,
            generations=3,
            n=task.n // share,
            reserve=task.reserve // share,
            generator=fewer_steps(task.generator),
            foreign=tuple(map(fewer_steps, task.foreign)),
        )

    tasks = tuple(shrink(task) for task in _small().tasks)
    return Suite("quick", "a first try: any CPU, about a minute; too small to rank", tasks, (0,))


_SUITES: dict[str, Callable[[], Suite]] = {"quick": _quick, "small": _small}
SUITE_NAMES = tuple(_SUITES)


def load_suite(name: str) -> Suite:
    """The suite called `name`.

    Raises:
        InputError: there is no such suite.
    """
    if name not in _SUITES:
        raise InputError(f"there is no suite {name!r}: choose one of {', '.join(_SUITES)}")
    return _SUITES[name]()


def load_task(name: str, suite: str = "small") -> Task:
    """The task called `name` at the scale of `suite`.

    Raises:
        InputError: there is no such task or suite.
    """
    tasks = load_suite(suite).tasks
    for task in tasks:
        if task.name == name:
            return task
    raise InputError(
        f"suite {suite!r} has no task {name!r}: choose one of {', '.join(t.name for t in tasks)}"
    )
