"""The closed forms of pairs: what a writer and a painter lose (P1), and the joint distance (J1)."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmark.interface.mitigation import Mitigation
from benchmark.theory import formulas
from benchmark.theory.experiments import Experiment, Quantity
from benchmark.theory.lineages import Fits, find_class, pairs
from benchmark.theory.pairs import joint_moments, means_of
from benchmark.theory.probes import FrozenPainter, Permuted, variant
from benchmark.theory.unigram import zipf

N, CAPTIONS, REPLICATES, GENERATIONS = 40, 5, 800, 8
T = np.arange(1, GENERATIONS + 1)
LAW = zipf(CAPTIONS, 1.0)
TRUE = np.array([[2.0, 1.0], [1.0, 1.0]])  # covariance of picture and caption


def captioned_pictures() -> list[Experiment]:
    """All experiments on pairs."""
    return [*_loops(), *_permuted()]


def _loops() -> list[Experiment]:
    """Gao and Li 2025: writer and painter learnt, or one of them frozen."""

    def diversity(fits: Fits) -> np.ndarray:
        return (1 - (fits["probability"] ** 2).sum(2)).mean(1)

    def within(caption: int, fits: Fits) -> np.ndarray:
        return fits["var"][:, :, caption].mean(1)

    captions = Quantity("P1", "E[1 - sum p^2]", diversity, formulas.diversity(T, N, LAW))

    def pictures(caption: int, writer: str) -> Quantity:
        exact = formulas.picture_variance(T, N, LAW[caption], writer)
        name = ("commonest", "rarest")[caption]
        return Quantity(
            "P1", f"E var, {name} caption", partial(within, caption), exact, panel="pairs",
            label=f"{name} caption, writer {writer}",
        )  # fmt: skip

    def experiment(
        method: str | type[Mitigation], *quantities: Quantity, frozen_writer: bool = False
    ) -> Experiment:
        named = method if isinstance(method, str) else method.__name__
        named = "writer frozen" if frozen_writer else named
        run = partial(
            pairs, "replace", find_class(method), N, GENERATIONS, CAPTIONS, REPLICATES,
            frozen_writer=frozen_writer,
        )  # fmt: skip
        return Experiment(f"pairs, replace, {named}", run, quantities)

    still = np.full(GENERATIONS, formulas.picture_variance(T[:1], N, LAW[0], "frozen")[0])
    kept = Quantity("P1", "E var, commonest caption", partial(within, 0), still)
    return [
        experiment("nothing", captions, pictures(0, "learnt"), pictures(-1, "learnt")),
        experiment("nothing", pictures(0, "frozen"), pictures(-1, "frozen"), frozen_writer=True),
        experiment(FrozenPainter, captions, kept),
    ]


def _permuted() -> list[Experiment]:
    """Captions handed round among a share of real pairs: both marginals stay, the pairing goes."""
    n, generations, experiments = 200, 2, []
    means = means_of(CAPTIONS, 1.0)

    def moment(row: int, column: int, fits: Fits) -> np.ndarray:
        return joint_moments(fits, means)[:, row, column]

    def distance(fits: Fits) -> np.ndarray:
        return np.array([formulas.joint_frechet(TRUE, m) for m in joint_moments(fits, means)])

    for share in (0.05, 0.1, 0.25, 0.5, 1.0):
        # Of n pairs, a covariance is 1 - 1/n of the true one; a random permutation of m of them
        # leaves one in its place on average, which makes up for that.
        fitted = TRUE * (1 - 1 / n)
        fitted[0, 1] = fitted[1, 0] = 1 - share
        first, second = (formulas.joint_frechet(TRUE, m) for m in (TRUE * (1 - 1 / n), fitted))
        quantities = [
            Quantity("J1", "joint Frechet distance", distance, np.array([first, second])),
        ]
        if share < 1:
            exact, symbol = np.array([1 - 1 / n, 1 - share]), "cov(picture, caption)"
            quantities.append(Quantity("J1", symbol, partial(moment, 0, 1), exact))
        else:  # nothing is left of the covariance, all of the variance
            exact, symbol = np.full(2, TRUE[0, 0] * (1 - 1 / n)), "var of all pictures"
            quantities.append(Quantity("J1", symbol, partial(moment, 0, 0), exact))
        run = partial(
            pairs, "fresh", variant(Permuted, share=share), n, generations, CAPTIONS, 1_000,
            real_share=1.0,
        )  # fmt: skip
        setting = f"pairs, fresh, captions of {share:.0%} permuted"
        experiments.append(Experiment(setting, run, tuple(quantities)))
    return experiments
