"""An experiment: lineages of one setting over many seeds, and the closed forms they must meet."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

BOUND = 4.0  # |z| from here on is a failure
FEWEST = 16  # seeds from which a standard error is taken


@dataclass(frozen=True)
class Quantity:
    """A number of every generation whose expectation has a closed form.

    Attributes:
        form: the closed form's name in docs/theory.md, such as "G1".
        symbol: what is measured, such as "E var".
        statistic: what a run returned -> (generations,) means over replicates.
        exact: (generations,) the closed form.
        at: index of the generation that is judged.
        panel: the panel of the figure that shows it, if any.
        label: its name there; the experiment's setting without one.
    """

    form: str
    symbol: str
    statistic: Callable[[Any], np.ndarray]
    exact: np.ndarray
    at: int = -1
    panel: str | None = None
    label: str | None = None


@dataclass(frozen=True)
class Experiment:
    """`run(seed=...)` gives what the statistics of `quantities` are computed from; `seeds` of them.

    A row's standard error is taken over seeds, because all replicates of one run share its draws.
    """

    setting: str
    run: Callable[..., Any]
    quantities: tuple[Quantity, ...]
    seeds: int = 32

    def with_share(self, share: float) -> Experiment:
        """The same with a share of its seeds, but no fewer than `FEWEST`."""
        return replace(self, seeds=min(self.seeds, max(FEWEST, round(share * self.seeds))))


@dataclass(frozen=True)
class Row:
    """One closed form, judged: |z| < `BOUND` passes. `t` counts from 1, the fit to real items."""

    form: str
    setting: str
    quantity: str
    seeds: int
    t: int
    measured: float
    exact: float
    standard_error: float
    z: float

    @property
    def passed(self) -> bool:
        return abs(self.z) < BOUND  # false for NaN


@dataclass(frozen=True)
class Measurement:
    """A quantity's mean and standard error over seeds, both (generations,)."""

    setting: str
    seeds: int
    quantity: Quantity
    mean: np.ndarray
    standard_error: np.ndarray

    @property
    def label(self) -> str:
        return self.quantity.label or self.setting

    @property
    def row(self) -> Row:
        """The judged generation."""
        at = self.quantity.at % len(self.mean)
        measured, error = float(self.mean[at]), float(self.standard_error[at])
        exact = float(self.quantity.exact[at])
        z = (measured - exact) / error if error > 0 else math.nan
        symbol, form = self.quantity.symbol, self.quantity.form
        return Row(form, self.setting, symbol, self.seeds, at + 1, measured, exact, error, z)


def measure(
    experiment: Experiment, advance: Callable[[], object] = lambda: None
) -> list[Measurement]:
    """Run the experiment, calling `advance` after each of its seeds."""
    runs = []
    for seed in range(experiment.seeds):
        result = experiment.run(seed=seed)
        runs.append([quantity.statistic(result) for quantity in experiment.quantities])
        advance()
    measurements = []
    for quantity, values in zip(experiment.quantities, zip(*runs, strict=True), strict=True):
        table = np.array(values)  # (seeds, generations)
        error = table.std(0, ddof=1) / math.sqrt(len(table))
        measurements.append(
            Measurement(experiment.setting, len(table), quantity, table.mean(0), error)
        )
    return measurements
