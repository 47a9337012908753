"""The Gaussian closed forms of a world that moves (M0 to M3), and of a watermark in it (W1)."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmark.interface.mitigation import Mitigation
from benchmark.tasks.schedules import Schedule
from benchmark.theory import formulas
from benchmark.theory.experiments import Experiment, Quantity
from benchmark.theory.lineages import find_class, find_schedule, gaussian
from benchmark.theory.probes import AgeWeighted, Marked, variant

N, GENERATIONS, SPEED = 20, 8, 0.5
DIM, SEEDS = 200, 64
T = np.arange(GENERATIONS)  # of the design: 0 is the fit to real items
MU = SPEED * T


def moving_worlds() -> list[Experiment]:
    """All experiments in which the mean of the real items moves by `SPEED` a generation."""
    return [*_newest_model(), *_memories(), *_watermarks()]


def real_shares(schedule: Schedule, n: int, generations: int) -> np.ndarray:
    """(generations,) the share of real items in each crawl; the first one's is 1."""
    shares = [1.0]
    for t in range(1, generations):
        draws = schedule.draws(t, n)
        real = (d.count for d in draws if all(maker.kind == "real" for maker in d.makers))
        shares.append(sum(real) / n)
    return np.array(shares)


def _experiment(
    schedule: str,
    method: str | type[Mitigation],
    *quantities: Quantity,
    **options: Any,
) -> Experiment:
    named = method if isinstance(method, str) else method.__name__
    settings = [f"{name} {value:.2g}" for name, value in options.items()]
    run = partial(
        gaussian, schedule, find_class(method), N, GENERATIONS, DIM, speed=SPEED, **options
    )
    return Experiment(", ".join([schedule, named, *settings, "moving"]), run, quantities, SEEDS)


def _lag(form: str, exact: np.ndarray, label: str | None = None) -> Quantity:
    def statistic(fits: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        return fits[0].mean(1) - MU

    return Quantity(form, "lag", statistic, exact, panel="lag" if label else None, label=label)


def _square(form: str, exact: np.ndarray) -> Quantity:
    def statistic(fits: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        return ((fits[0] - MU[:, None]) ** 2).mean(1)

    return Quantity(form, "E lag^2", statistic, exact)


def _newest_model() -> list[Experiment]:
    """Clean data (M0), and what mixes real items with the newest model's (M1)."""
    # The mean itself: a lag of 0 leaves nothing to compare a standard error with.
    mean = Quantity("M0", "E mean", lambda fits: fits[0].mean(1), MU)
    clean = (mean, _square("M0", np.full(GENERATIONS, 1 / N)))
    experiments = [_experiment("web", "clean", *clean)]
    mixing: tuple[tuple[str, dict[str, float], str | None], ...] = (
        ("replace", {}, "replace"),
        ("fresh", {"real_share": 0.3}, "newest model, 30% real"),
        ("fixed_real", {"real_share": 0.1}, None),
        ("web", {"foreign_share": 0.0}, "newest model, web"),
    )
    for name, options, label in mixing:
        shares = real_shares(find_schedule(name, options), N, GENERATIONS)
        lag, square = formulas.moving_fit(shares, N, SPEED)
        quantities = (_lag("M1", lag, label), _square("M1", square))
        experiments.append(_experiment(name, "nothing", *quantities, **options))
    return experiments


def _memories() -> list[Experiment]:
    """The first crawl for ever (M2), and all crawls evenly or by age (M3)."""
    shares = real_shares(find_schedule("web", {"foreign_share": 0.0}), N, GENERATIONS)
    first = (_lag("M2", -MU, "first crawl"), _square("M2", MU**2 + 1 / N))
    even = _lag("M3", formulas.union_lag(shares, SPEED), "all crawls, web")
    aged = _lag("M3", formulas.union_lag(shares, SPEED, AgeWeighted.RATE), "all crawls by age, web")
    drawn = _lag("M3", formulas.drawn_union_lag(GENERATIONS, SPEED))
    return [
        _experiment("web", "first_crawl", *first, foreign_share=0.0),
        _experiment("web", "accumulate", even, foreign_share=0.0),
        _experiment("web", AgeWeighted, aged, foreign_share=0.0),
        _experiment("accumulate", "nothing", drawn),
    ]


def _watermarks() -> list[Experiment]:
    """What a crawl is worth in real items, by the share of marks that are overlooked."""
    share, experiments = 0.3, []
    real = round(N * share)

    def worth(fits: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        lag = fits[0].mean(1) - MU  # e_t = (1 - purity) (e_{t-1} - s)
        return np.append(N, real * (1 - lag[1:] / (lag[:-1] - SPEED)))

    for missed in (0.0, 0.1, 0.5, 1.0):
        pure = formulas.purity(N, real, missed)
        exact = np.append(N, np.full(GENERATIONS - 1, real * pure))
        quantities = [Quantity("W1", "worth in real items", worth, exact, at=1)]
        if missed == 0.5:
            shares = np.append(1.0, np.full(GENERATIONS - 1, pure))
            quantities.append(_lag("W1", formulas.moving_fit(shares, N, SPEED)[0]))
        probe = variant(Marked, missed=missed)
        experiments.append(_experiment("fresh", probe, *quantities, real_share=share))
    return experiments
