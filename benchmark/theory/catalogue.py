"""All closed forms that the engine must reproduce."""

from __future__ import annotations

from benchmark.theory.captions import captioned_pictures
from benchmark.theory.experiments import Experiment
from benchmark.theory.gaussians import gaussians
from benchmark.theory.labels_and_words import regressions, unigrams
from benchmark.theory.moving import moving_worlds


def catalogue() -> list[Experiment]:
    """Every experiment; docs/theory.md says where each closed form comes from."""
    return [
        *gaussians(),
        *regressions(),
        *unigrams(),
        *moving_worlds(),
        *captioned_pictures(),
    ]
