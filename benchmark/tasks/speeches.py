"""Text: a causal language model on State of the Union addresses."""

from __future__ import annotations

from benchmark.assets import manifest
from benchmark.recipes import CausalRecipe, SpeechesData, SpeechVerifier, TextEvaluation
from benchmark.schedules import Schedule
from benchmark.tasks.base import Task

SOTU_SHA256 = "2644a545d314f36533acc3453860e3d296bc8a71d0dc64e3cb420615cf55540e"
GENERATOR = CausalRecipe()


def speeches(schedule: Schedule, **changes: object) -> Task:
    """The speeches task under `schedule`; `changes` are fields of `Task` (the quick scale)."""
    sha = {name: part["sha256"] for name, part in manifest().items()}
    fields: dict = {
        "name": f"speeches-{schedule.name}",
        "modality": "text",
        "description": f"State of the Union addresses, causal LM; {schedule.summary}",
        "schedule": schedule,
        "data": SpeechesData(sha256=SOTU_SHA256, tokenizer=sha["speeches-tokenizer.json"]),
        "generator": GENERATOR,
        "evaluation": TextEvaluation(reference=sha["speeches-reference.safetensors"]),
        "verifier": SpeechVerifier(network=sha["speeches-verifier.safetensors"]),
        "n": 1_000,
        "generations": 10,
        "reserve": 100,
        "foreign": (CausalRecipe(width=64), CausalRecipe(layers=1, inner=384))
        if schedule.foreign
        else (),
    }
    return Task(**(fields | changes))
