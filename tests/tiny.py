"""The tasks of the CPU suites at two sizes.

Tiny: whatever tests the harness computes lineages of networks of a few thousand weights, trained
for four steps, and an evaluator of two numbers. Toys: few steps of the real networks under the real
evaluators, for what generators and metrics promise, and for the same tests of the harness again in
`make test-all`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from benchmark.basics.seeds import stream
from benchmark.interface.generator import Generator
from benchmark.interface.items import Items
from benchmark.tasks.images.recipes import FlowRecipe
from benchmark.tasks.pairs.recipes import NumeralsRecipe
from benchmark.tasks.parts import Era, Source
from benchmark.tasks.suites import Suite, load_suite, shorten_task, shrink_task
from benchmark.tasks.task import Task
from benchmark.tasks.text.recipes import CausalRecipe

# By the class of its recipe, what makes a generator tiny: a modality adds its own.
SMALLER: dict[type, dict[str, Any]] = {
    FlowRecipe: {"width": 16, "blocks": 1, "batch": 16, "steps": 4, "sampling_steps": 4},
    CausalRecipe: {
        "base": "", "width": 16, "layers": 1, "heads": 2, "inner": 32, "batch": 16, "steps": 4,
    },
    NumeralsRecipe: {
        "width": 16, "blocks": 1, "reading": 8, "writing": 8, "batch": 16, "steps": 4,
        "sampling_steps": 2,
    },
}  # fmt: skip


@dataclass(frozen=True)
class TwoNumbers:
    """An evaluation that records the model and what it published, each as one number."""

    primary: str

    def build(self) -> Recorder:
        return Recorder(self.primary)


class Recorder:
    """The model's held-out loss, under the name of the primary metric, and a fingerprint."""

    def __init__(self, primary: str) -> None:
        self.primary = primary

    def profile(
        self, generator: Generator, model: nn.Module, samples: Items, era: Era
    ) -> dict[str, float]:
        fingerprint = int(samples.digest()[:8], 16)
        return {
            self.primary: generator.loss(model, era.heldout),
            "fingerprint": float(fingerprint),
        }


def tiny(task: Task) -> Task:
    """The same task with tiny networks and little of everything, under its own evaluator."""
    task = shorten_task(task, 2)
    return replace(
        task,
        n=40,
        reserve=10,
        data=_less(task.data, heldout=40),
        generator=_smaller(task.generator),
        foreign=tuple(map(_smaller, task.foreign)),
    )


def recorded(task: Task) -> Task:
    """The same task under the evaluator of two numbers."""
    return replace(task, evaluation=TwoNumbers(task.evaluation.primary))


def _smaller(recipe: Any) -> Any:
    return _less(recipe, **SMALLER[type(recipe)])


def _less(recipe: Any, **changes: Any) -> Any:
    return replace(recipe, **changes)


def by_name(suite: Suite) -> dict[str, Task]:
    return {task.name: task for task in suite.tasks}


_SMALL = (*load_suite("closed").tasks, *load_suite("small").tasks)
# One open and one closed task of each modality; the open ones need everything that a task can have.
WEB = tuple(task.name for task in _SMALL if task.schedule.foreign)
REPLACE = tuple(task.name for task in _SMALL if task.schedule.name == "replace")

# At least one method for each hook and for each kind of access.
ONE_A_HOOK = (
    "sims", "verifier_filter", "likelihood_surprising", "truncated_cross_entropy",
    "watermark_green_list", "accumulate_subsample",
)  # fmt: skip
TINY = Suite("quick", "tiny", tuple(recorded(tiny(task)) for task in _SMALL), (0,))
TOY = Suite("quick", "toy", tuple(map(shrink_task, _SMALL)), (0,))
SHORT = Suite("quick", "short", tuple(replace(t, generations=1) for t in TINY.tasks), (0,))
# Where the profile is what is looked at: the closed tasks under their own evaluators.
PROFILED = Suite("quick", "profiled", tuple(tiny(t) for t in _SMALL if t.name in REPLACE), (0,))
SIZES = {"tiny": TINY, "toy": TOY}
TOY_TASKS = by_name(TOY)


def era_of(source: Source, n: int, reserve: int, *purpose: object, t: int = 0) -> Era:
    """Era `t` of a source's world, its random numbers being those of `purpose`."""
    return source.world(n, reserve, lambda t, what: stream(*purpose, t, what))(t)
