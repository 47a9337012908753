"""Analytic tasks: any schedule of the real tasks, with generators that are exact fits."""

from __future__ import annotations

import math

from benchmark.basics.errors import InputError
from benchmark.tasks.parts import DataRecipe, EvaluatorRecipe, GeneratorRecipe
from benchmark.tasks.schedules import Fresh, Schedule
from benchmark.tasks.task import Task
from benchmark.theory.least_squares import LinearData, LinearEvaluation, LinearRecipe
from benchmark.theory.normal import NormalData, NormalEvaluation, NormalRecipe
from benchmark.theory.pairs import PairData, PairEvaluation, PairRecipe
from benchmark.theory.unigram import UnigramData, UnigramEvaluation, UnigramRecipe


def gaussian_task(
    schedule: Schedule,
    n: int,
    generations: int,
    dim: int,
    ddof: int = 0,
    spread: float = 1.0,
    speed: float | None = None,
) -> Task:
    """Gaussians fitted per coordinate; the arguments are those of `benchmark.theory.gaussian`.

    Raises:
        InputError: a number is out of range.
    """
    at_least(dim=(dim, 1), ddof=(ddof, 0))
    if ddof > 1 or not 0 < spread < float("inf"):
        raise InputError(f"ddof is 0 or 1 and spread is positive; got {ddof} and {spread}")
    if speed is not None and not math.isfinite(speed):
        raise InputError(f"speed is a finite number or None; got {speed}")
    if speed is None and isinstance(schedule, Fresh):
        speed = 0.0  # its real items are new by definition
    data = NormalData(dim, speed=speed)
    recipe = NormalRecipe(dim, n, ddof, spread)
    return _task("gaussian", schedule, data, recipe, NormalEvaluation(), n, generations)


def regression_task(
    schedule: Schedule, n: int, generations: int, dim: int, replicates: int, noise: float = 1.0
) -> Task:
    """Least squares; the arguments are those of `benchmark.theory.regression`.

    Raises:
        InputError: a number is out of range.
    """
    at_least(dim=(dim, 1), replicates=(replicates, 1), n=(n, dim))
    if not 0 < noise < float("inf"):
        raise InputError(f"noise is positive; got {noise}")
    data = LinearData(dim, replicates, noise)
    recipe = LinearRecipe(dim, replicates, n, noise)
    return _task("regression", schedule, data, recipe, LinearEvaluation(), n, generations)


def categorical_task(
    schedule: Schedule,
    n: int,
    generations: int,
    words: int,
    replicates: int,
    beta: float = 1.0,
    cut: int | None = None,
) -> Task:
    """Unigram models; the arguments are those of `benchmark.theory.categorical`.

    Raises:
        InputError: a number is out of range.
    """
    at_least(words=(words, 1), replicates=(replicates, 1), cut=(1 if cut is None else cut, 1))
    data, scores = UnigramData(words, replicates, beta), UnigramEvaluation(words, beta)
    recipe = UnigramRecipe(words, replicates, n, cut)
    return _task("categorical", schedule, data, recipe, scores, n, generations)


def pair_task(
    schedule: Schedule,
    n: int,
    generations: int,
    captions: int,
    replicates: int,
    beta: float = 1.0,
    frozen_writer: bool = False,
) -> Task:
    """Pairs of caption and picture; the arguments are those of `benchmark.theory.pairs`.

    Raises:
        InputError: a number is out of range.
    """
    at_least(captions=(captions, 2), replicates=(replicates, 1))
    data, scores = PairData(captions, replicates, beta), PairEvaluation(captions, beta)
    recipe = PairRecipe(captions, replicates, n, frozen_writer)
    return _task("pairs", schedule, data, recipe, scores, n, generations)


def at_least(**values: tuple[int, int]) -> None:
    """Check name=(value, least).

    Raises:
        InputError: a value is below its least.
    """
    for name, (value, least) in values.items():
        if value < least:
            raise InputError(f"{name} must be at least {least}; got {value}")


def _task(
    family: str,
    schedule: Schedule,
    data: DataRecipe,
    generator: GeneratorRecipe,
    evaluation: EvaluatorRecipe,
    n: int,
    generations: int,
) -> Task:
    """`generations` counts models; a task counts those after generation 0."""
    at_least(n=(n, 2), generations=(generations, 1))
    return Task(
        name=f"{family}-{schedule.name}",
        modality=family,
        description=f"{family} items, exact fit; {schedule.summary}",
        schedule=schedule,
        data=data,
        generator=generator,
        evaluation=evaluation,
        n=n,
        generations=generations - 1,
        reserve=max(1, n // 10),
        foreign=(generator,) * 3 if schedule.foreign else (),
    )
