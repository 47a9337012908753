"""Images: latent flow matching on MNIST."""

from __future__ import annotations

from benchmark.assets import manifest
from benchmark.recipes import DigitsData, DigitVerifier, FlowRecipe, ImageEvaluation
from benchmark.schedules import Schedule
from benchmark.tasks.base import Task

MNIST_SHA256 = "1f75c140503b3082c96134f5593303f3133e59989a92e21f060c644c655c3722"
GENERATOR = FlowRecipe()


def digits(schedule: Schedule, **changes: object) -> Task:
    """The digits task under `schedule`; `changes` are fields of `Task` (the quick scale)."""
    sha = {name: part["sha256"] for name, part in manifest().items()}
    fields: dict = {
        "name": f"digits-{schedule.name}",
        "modality": "image",
        "description": f"MNIST digits, latent flow matching; {schedule.summary}",
        "schedule": schedule,
        "data": DigitsData(sha256=MNIST_SHA256, codec=sha["digits-codec.safetensors"]),
        "generator": GENERATOR,
        "evaluation": ImageEvaluation(features=sha["digits-features.safetensors"]),
        "verifier": DigitVerifier(network=sha["digits-verifier.safetensors"]),
        "n": 3_600,
        "generations": 10,
        "reserve": 360,
        "foreign": (FlowRecipe(width=128), FlowRecipe(width=256, blocks=3, lr=5e-3))
        if schedule.foreign
        else (),
    }
    return Task(**(fields | changes))
