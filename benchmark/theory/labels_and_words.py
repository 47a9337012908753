"""The closed forms of linear regression and of unigram models."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmark.theory import formulas
from benchmark.theory.experiments import Experiment, Quantity
from benchmark.theory.least_squares import TRUE_WEIGHT
from benchmark.theory.lineages import categorical, regression
from benchmark.theory.probes import Uniform
from benchmark.theory.unigram import zipf


def regressions() -> list[Experiment]:
    """Gerstgrasser et al. 2024: the risk grows without bound, or by at most pi^2/6."""
    n, generations, dim, replicates, noise = 20, 10, 5, 200, 0.5
    t = np.arange(1, generations + 1)

    def risk(weights: np.ndarray) -> np.ndarray:
        return ((weights - TRUE_WEIGHT) ** 2).sum(2).mean(1)

    experiments = []
    for method in ("nothing", "accumulate"):
        run = partial(regression, "replace", method, n, generations, dim, replicates, noise=noise)
        exact = formulas.regression_risk(t, n, dim, noise, method == "accumulate")
        quantity = Quantity("L1", "risk", risk, exact, panel="regression")
        experiments.append(Experiment(f"regression, replace, {method}", run, (quantity,)))
    return experiments


def unigrams() -> list[Experiment]:
    """Wright-Fisher (D1), Zipf tails (D2), mixing with fresh data (C1), its risk (R1), and how many
    numbers are left (N1)."""
    return [
        _wright_fisher(),
        _unseen(None),
        _unseen(20),
        _tail_exponent(),
        _mixing(),
        *(_risk(share) for share in (0.1, 0.5)),
        _numbers_left(),
    ]


def _wright_fisher() -> Experiment:
    n, generations, words, replicates = 50, 10, 10, 500
    t, law = np.arange(1, generations + 1), zipf(words, 1.0)
    run = partial(categorical, "replace", "nothing", n, generations, words, replicates)

    def diversity(q: np.ndarray) -> np.ndarray:
        return (1 - (q**2).sum(2)).mean(1)

    def rarest_lost(q: np.ndarray) -> np.ndarray:
        return (q[:, :, -1] == 0).mean(1)

    lost = formulas.lost(t, n, law)[:, -1]
    return Experiment(
        "unigram, replace, nothing",
        run,
        (
            Quantity(
                "D1",
                "E[1 - sum p^2]",
                diversity,
                formulas.diversity(t, n, law),
                -1,
                "words",
                "replace: 1 - $\\sum p^2$",
            ),
            Quantity("D1", "P(rarest word lost)", rarest_lost, lost, 0),
            Quantity(
                "D1",
                "P(rarest word lost)",
                rarest_lost,
                lost,
                -1,
                "words",
                "replace: P(rarest word lost)",
            ),
        ),
    )


def _unseen(cut: int | None) -> Experiment:
    """The true mass of the words that a model never saw or that it cut."""
    n, words, replicates, beta = 100, 200, 50, 1.5
    law = zipf(words, beta)
    run = partial(categorical, "replace", "nothing", n, 1, words, replicates, beta=beta, cut=cut)
    quantity = Quantity(
        "D2", "unseen mass", partial(_missing, law), np.array([formulas.unseen(n, law, cut)])
    )
    kept = "" if cut is None else f", cut at rank {cut}"
    return Experiment(f"Zipf {beta:g}, n {n}{kept}", run, (quantity,))


def _tail_exponent() -> Experiment:
    """d log(unseen mass)/d log n, which tends to -(1 - 1/beta) in every generation."""
    small, large, generations, words, replicates, beta = 100, 1_000, 3, 1_000, 100, 3.0
    t, law = np.arange(1, generations + 1), zipf(words, beta)

    def slope(few: np.ndarray, many: np.ndarray) -> np.ndarray:
        return np.log(many / few) / np.log(large / small)

    def run(seed: int) -> np.ndarray:
        def fits(n: int) -> np.ndarray:
            return categorical("replace", "nothing", n, generations, words, replicates, seed, beta)

        return slope(_missing(law, fits(small)), _missing(law, fits(large)))

    exact = slope(formulas.lost(t, small, law) @ law, formulas.lost(t, large, law) @ law)
    quantity = Quantity("D2", "exponent of unseen mass", lambda slopes: slopes, exact)
    return Experiment(f"Zipf {beta:g}, n {small} to {large}", run, (quantity,))


def _mixing() -> Experiment:
    n, generations, words, replicates, share = 200, 6, 10, 100, 0.3
    t, law = np.arange(1, generations + 1), zipf(words, 1.0)
    run = partial(
        categorical, "fresh", Uniform, n, generations, words, replicates, real_share=share
    )

    def distance(q: np.ndarray) -> np.ndarray:
        return ((q - law) ** 2 / law).sum(2).mean(1)

    exact = formulas.chi_square(t, n, round(n * share), law, np.full(words, 1 / words))
    quantity = Quantity(
        "C1", "E chi^2", distance, exact, panel="words", label="$\\chi^2$, fresh from t = 2"
    )
    return Experiment(f"fresh, Uniform, real_share {share:g}", run, (quantity,))


def _risk(share: float) -> Experiment:
    """Squared distance of the fitted from the true law, `share` of each crawl new real items."""
    n, generations, words, replicates = 50, 10, 10, 200
    t, law = np.arange(1, generations + 1), zipf(words, 1.0)
    run = partial(
        categorical, "fresh", "nothing", n, generations, words, replicates, real_share=share
    )

    def distance(q: np.ndarray) -> np.ndarray:
        return ((q - law) ** 2).sum(2).mean(1)

    exact = formulas.mixing_risk(t, n, round(n * share), law)
    quantity = Quantity("R1", "E|p_t - p|^2", distance, exact)
    return Experiment(f"unigram, fresh, real_share {share:g}", run, (quantity,))


def _numbers_left() -> Experiment:
    """Different numbers among n draws of 1..999 by the law 1/k, and of what their models draw."""
    n, generations, numbers, replicates = 2_000, 3, 999, 4
    t, law = np.arange(1, generations + 1), zipf(numbers, 1.0)
    run = partial(categorical, "replace", "nothing", n, generations, numbers, replicates)

    def left(q: np.ndarray) -> np.ndarray:
        return (q > 0).sum(2).mean(1)

    exact = (1 - formulas.lost(t, n, law)).sum(1)
    first = Quantity("N1", "numbers left", left, exact, 0)
    last = Quantity("N1", "numbers left", left, exact)
    return Experiment(f"numbers 1..{numbers}, n {n}", run, (first, last))


def _missing(law: np.ndarray, q: np.ndarray) -> np.ndarray:
    return ((q == 0) @ law).mean(1)
