"""The tasks of suite `standard`: CIFAR-10 in pixels, TinyStories by a GPT-2-style model.

A generation's numbers of items and steps are set for about an hour a method on one data-centre
GPU: see docs/standard.md for what was measured.
"""

from __future__ import annotations

from benchmark.hub.recipes import (
    PictureEvaluation,
    PicturesData,
    PictureVerifier,
    PixelDiffusionRecipe,
    StoriesData,
    StoriesRecipe,
    StoryEvaluation,
    StoryVerifier,
    Tokens,
)
from benchmark.hub.repos import HubRepo
from benchmark.schedules import Schedule
from benchmark.tasks.base import Task

CIFAR10 = HubRepo(
    "datasets",
    "uoft-cs/cifar10",
    "0b2714987fa478483af9968de7c934580d0bb9a2",
    ("plain_text/train-*.parquet", "plain_text/test-*.parquet"),
    (
        (
            "plain_text/train-00000-of-00001.parquet",
            "8428b53a88a11ac374111006708df51469e315a22ac6d66470afd9c78d2ae883",
        ),
        (
            "plain_text/test-00000-of-00001.parquet",
            "841389e6f2d64f28bf17310e430aebac20ec3ba611a3c5e231dc93c645ce84de",
        ),
    ),
)
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
DINOV2 = HubRepo(
    "models",
    "facebook/dinov2-small",
    "ed25f3a31f01632728cabb09d1542f84ab7b0056",
    ("config.json", "model.safetensors", "preprocessor_config.json"),
    (
        (
            "model.safetensors",
            "ae1e99fcefd534ed978cdeb8326f08030c96e28b7a81ffcbc98a857c84d14be1",
        ),
    ),
)

PICTURES = PicturesData(CIFAR10)
UNET = PixelDiffusionRecipe()
TOKENS = Tokens(GPT2_TOKENS)


def cifar10(schedule: Schedule) -> Task:
    """CIFAR-10 under `schedule`."""
    others = (
        PixelDiffusionRecipe(widths=(64, 128, 192, 192)),
        PixelDiffusionRecipe(widths=(96, 160, 256), attention=(False, True, False)),
    )
    return Task(
        name=f"cifar10-{schedule.name}",
        modality="image",
        description=f"CIFAR-10, flow matching on pixels; {schedule.summary}",
        schedule=schedule,
        data=PICTURES,
        generator=UNET,
        evaluation=PictureEvaluation(DINOV2),
        verifier=PictureVerifier(PICTURES, DINOV2),
        n=20_000,
        generations=8,
        reserve=2_000,
        foreign=others if schedule.foreign else (),
    )


def stories(schedule: Schedule) -> Task:
    """TinyStories under `schedule`."""
    others = (
        StoriesRecipe(TOKENS, width=256, heads=4),
        StoriesRecipe(TOKENS, layers=3),
    )
    return Task(
        name=f"stories-{schedule.name}",
        modality="text",
        description=f"TinyStories, GPT-2-style LM; {schedule.summary}",
        schedule=schedule,
        data=StoriesData(STORIES, TOKENS),
        generator=StoriesRecipe(TOKENS),
        evaluation=StoryEvaluation(GPT2, TOKENS),
        verifier=StoryVerifier(GPT2, TOKENS),
        n=20_000,
        generations=8,
        reserve=2_000,
        foreign=others if schedule.foreign else (),
    )
