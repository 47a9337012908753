"""The image tasks: MNIST on a laptop, CIFAR-10 on a GPU, Imagenette on several."""

from __future__ import annotations

from dataclasses import replace

from benchmark.hub.repos import HubRepo
from benchmark.tasks.assets import manifest
from benchmark.tasks.images.recipes import (
    DigitsData,
    DigitVerifier,
    FlowRecipe,
    ImageEvaluation,
    LoraRecipe,
    PictureEvaluation,
    PicturesData,
    PictureVerifier,
    PixelDiffusionRecipe,
)
from benchmark.tasks.schedules import Schedule
from benchmark.tasks.task import Task

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


IMAGENETTE_PICTURES = PicturesData(
    IMAGENETTE, heldout=1_000, column="image", size=SIZE, codec=STABLE_DIFFUSION
)


def imagenette(schedule: Schedule, slant: float = 4.8, hue: float = 16.0) -> Task:
    """Ten classes of ImageNet under `schedule`, in a world that moves as that of `cifar10`: as far
    in fewer generations."""
    others = (
        LoraRecipe(STABLE_DIFFUSION, NAMES, rank=4, prompt="{}"),
        LoraRecipe(STABLE_DIFFUSION, NAMES, steps=1_000, guidance=5.0),
    )
    return Task(
        name=f"imagenette-{schedule.name}",
        modality="image",
        description=f"Imagenette, Stable Diffusion 1.5 tuned by LoRA; {schedule.summary}",
        schedule=schedule,
        data=replace(IMAGENETTE_PICTURES, slant=slant, hue=hue, eras=5),
        generator=LoraRecipe(STABLE_DIFFUSION, NAMES),
        evaluation=PictureEvaluation(DINOV2),
        verifier=PictureVerifier(IMAGENETTE_PICTURES, DINOV2),
        n=1_000,
        generations=5,
        reserve=200,
        foreign=others if schedule.foreign else (),
    )


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


def cifar10(schedule: Schedule, slant: float = 3.0, hue: float = 10.0) -> Task:
    """CIFAR-10 under `schedule`, in a world that leans by `slant` degrees a generation and whose
    colours turn by `hue`."""
    others = (
        PixelDiffusionRecipe(widths=(64, 128, 192, 192)),
        PixelDiffusionRecipe(widths=(96, 160, 256), attention=(False, True, False)),
        PixelDiffusionRecipe(layers=1),
    )
    return Task(
        name=f"cifar10-{schedule.name}",
        modality="image",
        description=f"CIFAR-10, flow matching on pixels; {schedule.summary}",
        schedule=schedule,
        data=replace(PICTURES, slant=slant, hue=hue),
        generator=UNET,
        evaluation=PictureEvaluation(DINOV2),
        verifier=PictureVerifier(PICTURES, DINOV2),
        n=20_000,
        generations=8,
        reserve=2_000,
        foreign=others if schedule.foreign else (),
    )


MNIST_SHA256 = "1f75c140503b3082c96134f5593303f3133e59989a92e21f060c644c655c3722"


GENERATOR = FlowRecipe()


# In the order of their release.
OTHERS = (
    FlowRecipe(width=128),
    FlowRecipe(width=256, blocks=3, lr=5e-3),
    FlowRecipe(width=160, blocks=6),
)


def digits(schedule: Schedule, slant: float = 3.0, **changes: object) -> Task:
    """The digits task under `schedule`, in a world that leans by `slant` degrees a generation;
    `changes` are fields of `Task`."""
    sha = {name: part["sha256"] for name, part in manifest().items()}
    fields: dict = {
        "name": f"digits-{schedule.name}",
        "modality": "image",
        "description": f"MNIST digits, latent flow matching; {schedule.summary}",
        "schedule": schedule,
        "data": DigitsData(MNIST_SHA256, sha["digits-codec.safetensors"], slant=slant),
        "generator": GENERATOR,
        "evaluation": ImageEvaluation(features=sha["digits-features.safetensors"]),
        "verifier": DigitVerifier(network=sha["digits-verifier.safetensors"]),
        "n": 2_000,
        "generations": 8,
        "reserve": 200,
        "foreign": OTHERS if schedule.foreign else (),
    }
    return Task(**(fields | changes))
