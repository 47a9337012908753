"""The Gaussian closed forms: G0 to G3, the drift of every schedule, order, and contraction."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmark.interface.mitigation import Mitigation
from benchmark.theory import formulas
from benchmark.theory.experiments import Experiment, Quantity
from benchmark.theory.lineages import find_class, gaussian
from benchmark.theory.probes import FirstHalf, Shifted

N = 20
LONG = np.arange(1, 21)  # t
SHORT = np.arange(1, 9)
# Where draws are shared by all coordinates, more seeds say more than more coordinates.
WIDE, MANY = {"dim": 1_000, "seeds": 32}, {"dim": 400, "seeds": 128}

# From (means, variances), both (generations, dim).
STATISTICS = {
    "E var": lambda fits: fits[1].mean(1),
    "E mean^2": lambda fits: (fits[0] ** 2).mean(1),
    "E var + E mean^2": lambda fits: (fits[1] + fits[0] ** 2).mean(1),
    "E log var": lambda fits: np.log(fits[1]).mean(1),
    "E mean": lambda fits: fits[0].mean(1),
}


def gaussians() -> list[Experiment]:
    """All experiments on Gaussian items."""
    return [*_replace(), *_accumulation(), *_schedules(), *_order(), *_contraction()]


def _experiment(
    schedule: str,
    method: str | type[Mitigation],
    *quantities: Quantity,
    dim: int,
    seeds: int,
    **options: Any,
) -> Experiment:
    named = method if isinstance(method, str) else method.__name__
    setting = [schedule, named, *(f"{name} {value:g}" for name, value in options.items())]
    size = {"n": N, "generations": len(quantities[0].exact), "dim": dim}
    run = partial(gaussian, schedule, find_class(method), **size, **options)
    return Experiment(", ".join(setting), run, quantities, seeds)


def _quantity(
    form: str, symbol: str, exact: np.ndarray, panel: str | None = None, at: int = -1
) -> Quantity:
    return Quantity(form, symbol, STATISTICS[symbol], exact, at, panel)


def _conserved(t: np.ndarray) -> Quantity:
    return _quantity("G0", "E var + E mean^2", np.ones(len(t)))


def _drifts(form: str, exact: np.ndarray, panel: str | None = None) -> tuple[Quantity, ...]:
    """Judged at t = 3, where the last two models differ most, and at the end."""
    early = _quantity(form, "E mean^2", exact, at=2)
    return _conserved(exact), early, _quantity(form, "E mean^2", exact, panel)


def _replace() -> list[Experiment]:
    """Shumailov et al. 2024; Alemohammad et al. 2024 (sampling bias)."""

    def variance(form: str, ddof: int = 0, spread: float = 1.0) -> Quantity:
        exact = formulas.replace_variance(LONG, N, ddof, spread)
        return _quantity(form, "E var", exact, "variance")

    def drift(form: str, ddof: int = 0, spread: float = 1.0, panel: str | None = None) -> Quantity:
        return _quantity(form, "E mean^2", formulas.replace_drift(LONG, N, ddof, spread), panel)

    plain = (_conserved(LONG), variance("G1"), drift("G1", panel="drift"))
    logs = _quantity("G2", "E log var", formulas.log_variance(LONG, N), "log variance")
    unbiased = (variance("G2", 1), drift("G2", 1), logs)
    narrow = (variance("G2", 1, 0.9), drift("G2", 1, 0.9))
    wide = (variance("G2", 0, 1.05), drift("G2", 0, 1.05))
    return [
        _experiment("replace", "nothing", *plain, **WIDE),
        _experiment("replace", "nothing", *unbiased, ddof=1, **WIDE),
        _experiment("replace", "nothing", *narrow, ddof=1, spread=0.9, **WIDE),
        _experiment("replace", "nothing", *wide, spread=1.05, **WIDE),
    ]


def _accumulation() -> list[Experiment]:
    """Gerstgrasser et al. 2024 (unbounded), Kazdan et al. 2024 (subsampled)."""
    exact = formulas.accumulation_variance(LONG, N)
    variance = _quantity("G3", "E var", exact, "variance")
    drift = _quantity("G3", "E mean^2", 1 - exact, "drift")
    exact = formulas.subsample_drift(SHORT, N)
    return [
        _experiment("replace", "accumulate", _conserved(LONG), variance, drift, **WIDE),
        _experiment("replace", "accumulate_subsample", *_drifts("S1", exact), **MANY),
        _experiment("accumulate", "nothing", *_drifts("S1", exact, "drift"), **MANY),
    ]


def _schedules() -> list[Experiment]:
    """A tenth of real items, the growing web, and what is real in it."""
    real = N // 10
    fixed = _drifts("S2", formulas.fixed_real_drift(SHORT, N, real), "drift")
    fresh = _drifts("S3", formulas.fresh_drift(SHORT, N, real), "drift")
    web = _drifts("S4", formulas.web_drift(SHORT, N), "drift")
    only_real = _quantity("S5", "E mean^2", formulas.oracle_drift(SHORT, N))
    return [
        _experiment("fixed_real", "nothing", *fixed, real_share=0.1, **MANY),
        _experiment("fresh", "nothing", *fresh, real_share=0.1, **MANY),
        _experiment("web", "nothing", *web, **MANY),
        _experiment("web", "oracle", _conserved(SHORT), only_real, **MANY),
    ]


def _order() -> list[Experiment]:
    """Order tells nothing of provenance: the first half of a crawl is a random half."""
    half = _quantity("S6", "E mean^2", formulas.half_crawl_drift(SHORT, N, N // 2))
    return [_experiment("fresh", FirstHalf, half, real_share=0.5, **MANY)]


def _contraction() -> list[Experiment]:
    """lambda/(1 + lambda) per retraining with lambda synthetic items a real one, here 1, 4 and 9;
    Bertrand et al. 2024 ask for less than 1/2."""
    t = np.arange(1, 6)
    experiments = []
    for share in (0.5, 0.2, 0.1):
        ratio = (1 - share) / share
        left = np.where(t < 2, 0.0, (ratio / (1 + ratio)) ** (t - 2.0))
        quantity = _quantity("B1", "E mean", left, "contraction")
        experiments.append(_experiment("fixed_real", Shifted, quantity, real_share=share, **MANY))
    return experiments
