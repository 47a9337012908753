"""The tasks of pairs: numbers of three digits with their names."""

from __future__ import annotations

from benchmark.tasks.assets import manifest
from benchmark.tasks.images.tasks import MNIST_SHA256
from benchmark.tasks.pairs.recipes import (
    STILL,
    NumeralsData,
    NumeralsEvaluation,
    NumeralsRecipe,
    NumeralsVerifier,
)
from benchmark.tasks.schedules import Schedule
from benchmark.tasks.task import Task

# In the order of their release.
OTHERS = (
    NumeralsRecipe(width=96, blocks=3, writing=48),
    NumeralsRecipe(width=160, blocks=3, lr=1e-2),
    NumeralsRecipe(blocks=5, writing=80),
)
STATIC = {"slant": 0.0, "wordings": STILL}


def numerals(schedule: Schedule, moves: dict | None = None, **changes: object) -> Task:
    """The numerals task under `schedule`; `moves` are fields of `NumeralsData`, `STATIC` for a
    world that stands still; `changes` are fields of `Task`."""
    sha = {name: part["sha256"] for name, part in manifest().items()}
    codec, reader = sha["digits-codec.safetensors"], sha["numerals-reader.safetensors"]
    fields: dict = {
        "name": f"numerals-{schedule.name}",
        "modality": "pair",
        "description": f"numbers with their names, a painter and a writer; {schedule.summary}",
        "schedule": schedule,
        "data": NumeralsData(MNIST_SHA256, codec, reader, **(moves or {})),
        "generator": NumeralsRecipe(),
        "evaluation": NumeralsEvaluation(reader),
        "verifier": NumeralsVerifier(sha["digits-verifier.safetensors"]),
        "n": 4_000,
        "generations": 8,
        "reserve": 400,
        "foreign": OTHERS if schedule.foreign else (),
    }
    return Task(**(fields | changes))
