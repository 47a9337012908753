"""The tasks of icons and their names."""

from __future__ import annotations

from benchmark.tasks.assets import manifest
from benchmark.tasks.icons.recipes import IconsData, IconsEvaluation, IconsRecipe, IconsVerifier
from benchmark.tasks.schedules import Schedule
from benchmark.tasks.task import Task

ICONS_SHA256 = "3a3e5dd68b83eff1d54d2e09a8d85e555cedff92979a4ae99de2fd8c9c5e4e05"

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


def icons(schedule: Schedule, outlined: tuple[float, float] | None = (0.1, 0.5)) -> Task:
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
        n=3_200,
        generations=8,
        reserve=320,
        foreign=OTHERS if schedule.foreign else (),
    )
