"""All closed forms that the engine must reproduce."""

from __future__ import annotations

from benchmark.theory.experiments import Experiment
from benchmark.theory.gaussians import gaussians
from benchmark.theory.labels_and_words import regressions, unigrams


def catalogue() -> list[Experiment]:
    """Every experiment; docs/theory.md says where each closed form comes from."""
    return [*gaussians(), *regressions(), *unigrams()]
