"""The tasks of icons and their names."""

from __future__ import annotations

from benchmark.tasks.assets import manifest
from benchmark.tasks.icons.recipes import IconsData, IconsEvaluation, IconsRecipe, IconsVerifier
from benchmark.tasks.schedules import Schedule
from benchmark.tasks.task import Task

ICONS_SHA256 = "ac751a7e04321bd2d83d5e8b5af01416d7cd6ffd405e01aa73032bfb189f77b8"

# Fonts of one family at most, for the others repeat their icons.
FAMILIES = (
    "materialdesignicons6-", "phosphor-", "remixicon-", "fontawesome6-solid-",
    "fontawesome6-regular-", "codicon-",
)  # fmt: skip

# In the order of their release.
OTHERS = (
    IconsRecipe(widths=(48, 96, 192), writing=192),
    IconsRecipe(widths=(64, 128, 192), depth=3),
    IconsRecipe(layers=1, writing=320),
)


def icons(schedule: Schedule, outlined: tuple[float, float] | None = (0.2, 0.6)) -> Task:
    """Icons under `schedule`, in a world in which more and more are drawn by thin strokes (see
    `IconsData`)."""
    sha = {name: part["sha256"] for name, part in manifest().items()}
    return Task(
        name=f"icons-{schedule.name}",
        modality="pair",
        description=f"icons with their names, a UNet painter and a writer; {schedule.summary}",
        schedule=schedule,
        data=IconsData(ICONS_SHA256, FAMILIES, outlined=outlined),
        generator=IconsRecipe(),
        evaluation=IconsEvaluation(sha["icons-reader.safetensors"]),
        verifier=IconsVerifier(sha["icons-verifier.safetensors"]),
        n=6_000,
        generations=8,
        reserve=600,
        foreign=OTHERS if schedule.foreign else (),
    )
