"""The tasks of suite `large`: loops of fine-tuning pretrained models.

Declared, and tested at a toy size only: see docs/standard.md.
"""

from __future__ import annotations

from benchmark.hub.recipes import (
    PictureEvaluation,
    PicturesData,
    PictureVerifier,
    StoriesData,
    StoryEvaluation,
    StoryVerifier,
)
from benchmark.hub.repos import HubRepo
from benchmark.hub.tuned import LoraRecipe, TunedTextRecipe
from benchmark.schedules import Schedule
from benchmark.tasks.base import Task
from benchmark.tasks.standard import DINOV2, GPT2, TOKENS

SIZE = 320
IMAGENETTE = HubRepo(
    "datasets",
    "frgfm/imagenette",
    "71d56d3317fc1b08bc9384a11cae095625600392",
    ("320px/imagenette-train.parquet", "320px/imagenette-validation.parquet"),
    (
        (
            "320px/imagenette-train.parquet",
            "daedcf465274b05cc839bc88ef3130bb5262f5178f4ecd2a995a9b799a00a9f5",
        ),
    ),
)
NAMES = (
    "tench", "English springer", "cassette player", "chain saw", "church", "French horn",
    "garbage truck", "gas pump", "golf ball", "parachute",
)  # fmt: skip
WIKITEXT = HubRepo(
    "datasets",
    "Salesforce/wikitext",
    "b08601e04326c79dfdd32d625aee71d232d685c3",
    ("wikitext-103-raw-v1/train-*.parquet", "wikitext-103-raw-v1/validation-*.parquet"),
)
STABLE_DIFFUSION = HubRepo(
    "models",
    "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "451f4fe16113bff5a5d2269ed5ad43b0592e9a14",
    (
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
        "vae/config.json",
        "vae/diffusion_pytorch_model.safetensors",
        "text_encoder/config.json",
        "text_encoder/model.safetensors",
        "tokenizer/merges.txt",
        "tokenizer/vocab.json",
        "tokenizer/special_tokens_map.json",
        "tokenizer/tokenizer_config.json",
        "scheduler/scheduler_config.json",
    ),
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

PICTURES = PicturesData(
    IMAGENETTE, heldout=1_000, column="image", size=SIZE, codec=STABLE_DIFFUSION
)


def imagenette(schedule: Schedule) -> Task:
    """Ten classes of ImageNet under `schedule`."""
    others = (
        LoraRecipe(STABLE_DIFFUSION, NAMES, rank=4, prompt="{}"),
        LoraRecipe(STABLE_DIFFUSION, NAMES, steps=1_000, guidance=5.0),
    )
    return Task(
        name=f"imagenette-{schedule.name}",
        modality="image",
        description=f"Imagenette, Stable Diffusion 1.5 tuned by LoRA; {schedule.summary}",
        schedule=schedule,
        data=PICTURES,
        generator=LoraRecipe(STABLE_DIFFUSION, NAMES),
        evaluation=PictureEvaluation(DINOV2),
        verifier=PictureVerifier(PICTURES, DINOV2),
        n=1_000,
        generations=5,
        reserve=200,
        foreign=others if schedule.foreign else (),
    )


def wikitext(schedule: Schedule) -> Task:
    """WikiText-103 under `schedule`."""
    others = (TunedTextRecipe(DISTILGPT2, TOKENS), TunedTextRecipe(GPT2, TOKENS, steps=500))
    return Task(
        name=f"wikitext-{schedule.name}",
        modality="text",
        description=f"WikiText-103, a pretrained GPT-2 tuned; {schedule.summary}",
        schedule=schedule,
        data=StoriesData(WIKITEXT, TOKENS, stories=400_000, heldout=450, scanned=8),
        generator=TunedTextRecipe(GPT2, TOKENS),
        evaluation=StoryEvaluation(GPT2, TOKENS),
        verifier=StoryVerifier(DISTILGPT2, TOKENS),
        n=10_000,
        generations=5,
        reserve=1_000,
        foreign=others if schedule.foreign else (),
    )
