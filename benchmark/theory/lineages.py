"""What every generation of an analytic task learnt, computed by the loop of the real tasks."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from benchmark.basics.cache import NoCache
from benchmark.basics.errors import Diverged, InputError, MethodError
from benchmark.basics.spelling import ask_nearest
from benchmark.interface.find import find_method
from benchmark.interface.mitigation import Mitigation
from benchmark.lineage.loop import DIVERGED, OK, run_lineage
from benchmark.lineage.marks import Written
from benchmark.lineage.store import LineageMemory
from benchmark.tasks.schedules import SCHEDULES, Schedule
from benchmark.tasks.task import Task
from benchmark.theory.tasks import (
    at_least,
    categorical_task,
    gaussian_task,
    pair_task,
    regression_task,
)

Method = str | Path | type[Mitigation]
Fits = dict[str, np.ndarray]


def gaussian(
    schedule: str,
    method: Method = "nothing",
    n: int = 20,
    generations: int = 20,
    dim: int = 10_000,
    seed: int = 0,
    ddof: int = 0,
    spread: float = 1.0,
    speed: float | None = None,
    **schedule_options: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Means and variances of Gaussians fitted to N(0, 1) items and then to each other's samples.

    Coordinates are independent replicates, except that a schedule or method that draws items
    draws them for all coordinates at once.

    Args:
        schedule: a name of the design's table, such as "replace" or "fixed_real".
        method: a baseline's name, a file, or a subclass of `Mitigation`.
        n: items in a crawl.
        generations: models in all; the first is fitted to real items (t = 1 of the formulas).
        dim: coordinates.
        seed: of the lineage.
        ddof: 0 for the maximum-likelihood variance, 1 for the unbiased one.
        spread: factor of the standard deviation in sampling (its square is MAD's lambda).
        speed: moves the mean of the real items by this much in every coordinate a generation, from
            0 at the first fit, and makes those of every crawl new (at speed 0, too). Without it the
            world stands still, and a schedule may draw the first crawl's real items again.
        schedule_options: `real_share` (fixed_real, fresh), `floor`, `fading` and
            `foreign_share` (web).

    Returns:
        (means, variances), float64 (generations, dim) each.

    Raises:
        InputError: an unknown schedule, option or method, or a number out of range.
        MethodError: the method failed.
        Diverged: a model is not finite.
    """
    world = find_schedule(schedule, schedule_options)
    fits = _fits(gaussian_task(world, n, generations, dim, ddof, spread, speed), method, seed)
    return fits["mean"], fits["var"]


def regression(
    schedule: str,
    method: Method = "nothing",
    n: int = 20,
    generations: int = 10,
    dim: int = 5,
    replicates: int = 1_000,
    seed: int = 0,
    noise: float = 1.0,
    **schedule_options: float,
) -> np.ndarray:
    """Weights of least-squares fits to labels given by the previous fit (Gerstgrasser et al. 2024).

    Args:
        n: rows of the design; at least dim.
        dim: covariates.
        replicates: independent regressions, run side by side.
        noise: standard deviation of the labels' noise.

    The other arguments and what is raised are those of `gaussian`.

    Returns:
        float64 (generations, replicates, dim); every true weight is 1.
    """
    world = find_schedule(schedule, schedule_options)
    task = regression_task(world, n, generations, dim, replicates, noise)
    return _fits(task, method, seed)["weight"]


def categorical(
    schedule: str,
    method: Method = "nothing",
    n: int = 50,
    generations: int = 10,
    words: int = 10,
    replicates: int = 1_000,
    seed: int = 0,
    beta: float = 1.0,
    cut: int | None = None,
    **schedule_options: float,
) -> np.ndarray:
    """Word frequencies of unigram models fitted to words of p_i ~ i^-beta, then to each other's.

    Args:
        words: size of the vocabulary.
        replicates: independent languages, run side by side.
        beta: exponent of the true law; 0 is uniform.
        cut: a model gives probability only to the words of rank 1 to `cut`.

    The other arguments and what is raised are those of `gaussian`.

    Returns:
        float64 (generations, replicates, words) by rank in the true law; rows add up to 1.
    """
    world = find_schedule(schedule, schedule_options)
    task = categorical_task(world, n, generations, words, replicates, beta, cut)
    return _fits(task, method, seed)["probability"]


def pairs(
    schedule: str,
    method: Method = "nothing",
    n: int = 40,
    generations: int = 10,
    captions: int = 5,
    replicates: int = 1_000,
    seed: int = 0,
    beta: float = 1.0,
    frozen_writer: bool = False,
    **schedule_options: float,
) -> Fits:
    """A writer of captions k, p_k ~ k^-beta, and a painter of a Gaussian picture for each caption,
    fitted to pairs and then to each other's (after Gao and Li 2025).

    Args:
        captions: how many there are; at least 2.
        replicates: independent pairs of writer and painter, run side by side.
        beta: exponent of the captions' true law; 0 is uniform.
        frozen_writer: captions are published as often as the first crawl held them, for ever.

    The other arguments and what is raised are those of `gaussian`.

    Returns:
        `probability` of each caption, `mean` and `var` of its pictures, float64 (generations,
        replicates, captions) each; the true means are `benchmark.theory.pairs.means_of`, the true
        variance is 1. A lost caption has 0 for all three.
    """
    world = find_schedule(schedule, schedule_options)
    task = pair_task(world, n, generations, captions, replicates, beta, frozen_writer)
    return _fits(task, method, seed)


def find_class(method: Method) -> type[Mitigation]:
    """The mitigation of that name, in that file, or the class itself.

    Raises:
        InputError: there is none.
    """
    if isinstance(method, type) and issubclass(method, Mitigation):
        return method
    return find_method(method).load()


def find_schedule(name: str, options: dict[str, float]) -> Schedule:
    """The schedule called `name`; its options are shares between 0 and 1.

    Raises:
        InputError: no such schedule or option, or an option out of range.
    """
    if name not in SCHEDULES:
        near = ask_nearest(name, SCHEDULES)
        raise InputError(
            f"there is no schedule {name!r}{near}: choose one of {', '.join(SCHEDULES)}"
        )
    known = [f.name for f in dataclasses.fields(SCHEDULES[name]) if f.type == "float"]
    for option, value in options.items():
        if option not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise InputError(f"schedule {name!r} has no option {option!r}: {has}")
        if not 0 <= value <= 1:
            raise InputError(f"{option} is a share between 0 and 1; got {value}")
    kind: Any = SCHEDULES[name]
    chosen: Schedule = kind(**options)
    return chosen


class _Models(LineageMemory):
    """A lineage in memory that keeps the models only."""

    def save(
        self, t: int, record: dict[str, Any], written: Written, state: dict[str, Tensor]
    ) -> None:
        self.models[t] = state
        self.end(t, record)


def _fits(task: Task, method: Method, seed: int) -> Fits:
    """The fitted numbers of all generations, stacked by name."""
    at_least(seed=(seed, 0))
    store = _Models()
    last = run_lineage(task, find_class(method), seed, store, NoCache())[-1]
    if last["status"] != OK:
        raise (Diverged if last["status"] == DIVERGED else MethodError)(last["message"])
    models = [store.model(t) for t in range(task.generations + 1)]
    return {name: np.stack([m[name].numpy() for m in models]) for name in models[0]}
