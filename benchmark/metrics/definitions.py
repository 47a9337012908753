"""Eight published definitions of model collapse, each as a criterion on a lineage's profile.

Schaeffer et al. 2025 (arXiv 2503.03150) count eight definitions that contradict one another. None
comes with a threshold. The ones here are three and the same for all: a change counts if it is
larger than the clean lineage's own fluctuation (`NOISE`) and not negligible (`MATERIAL`); it is
catastrophic from `CATASTROPHE` on. A lineage that trains on real data for ever shows what a world
that moves does on its own, the straight line through its values, and what noise does, which is
what is left. Changes are from that line, relative to the mean.

Needs neither torch nor the harness.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, linear_regression

NOISE = 3.0  # standard deviations of the clean lineage's values about their line
MATERIAL = 0.1  # of the clean lineage's mean
CATASTROPHE = 0.25  # of the clean lineage's mean
SUSTAINED = 0.25  # increase a generation, second half over first: 0.06 if it shrinks like 1/t^2

Curves = Mapping[str, Sequence[float]]
Numbers = dict[str, float]


@dataclass(frozen=True)
class Definition:
    """One way in which the literature uses the word.

    Attributes:
        name: short, unique.
        sentence: what collapse is, by this definition.
        entries: the profile entries that it is read from; empty if no lineage can show it.
        criterion: in words, what is compared with what.
    """

    name: str
    sentence: str
    entries: tuple[str, ...]
    criterion: str


@dataclass(frozen=True)
class Verdict:
    """Whether a definition holds of a lineage.

    Attributes:
        definition: the definition.
        holds: None where it cannot be told; `reason` says why.
        numbers: what the criterion compared.
        reason: empty unless `holds` is None.
    """

    definition: Definition
    holds: bool | None
    numbers: Numbers
    reason: str = ""


def _percent(share: float) -> str:
    return f"{100 * share:g}%"


_BEYOND_NOISE = f"by more than {NOISE:g} standard deviations of the clean lineage's values"
_LARGER = f"exceeds the clean lineage's line by at least {{}} and {_BEYOND_NOISE}"
_SMALLER = f"is below the clean lineage's line by at least {_percent(MATERIAL)} and {_BEYOND_NOISE}"

CATASTROPHIC = Definition(
    "catastrophic risk",
    "The population risk increases catastrophically.",
    ("heldout_loss",),
    f"the last held-out loss {_LARGER.format(_percent(CATASTROPHE))}",
)
INCREASE = Definition(
    "any increase of risk",
    "The population risk increases at all.",
    ("heldout_loss",),
    f"the last held-out loss exceeds the clean lineage's line {_BEYOND_NOISE}",
)
DIVERGENCE = Definition(
    "diverging risk",
    "The population risk diverges as generations go on.",
    ("heldout_loss",),
    "the risk increases, and over the second half of the generations its increase a generation is "
    f"at least {_percent(SUSTAINED)} of that over the first half; finitely many generations can "
    "suggest a divergence, not prove it",
)
SCALING = Definition(
    "changed scaling law",
    "The risk follows another scaling law in the amount of data than on real data.",
    (),
    "needs lineages at several amounts of data",
)
VARIANCE = Definition(
    "collapsing variance",
    "The variance of the model's distribution shrinks towards zero.",
    ("variance_ratio",),
    f"the last variance ratio {_SMALLER}",
)
ENTANGLEMENT = Definition(
    "entangled modes",
    "Distinct modes of the real data run into one another.",
    ("entanglement",),
    f"the last entanglement {_LARGER.format(_percent(MATERIAL))}",
)
TAILS = Definition(
    "vanishing tails",
    "The tails of the real data disappear.",
    ("tail_mass",),
    f"the last tail mass {_SMALLER}",
)
HALLUCINATION = Definition(
    "hallucinated data",
    "The model produces data that the real distribution does not contain.",
    ("precision",),
    f"the last precision {_SMALLER}",
)


def judge_lineage(curves: Curves, clean_curves: Curves) -> list[Verdict]:
    """A verdict on each definition, in the order of Schaeffer et al.

    Args:
        curves: for each profile entry its values over generations 0..T of one lineage.
        clean_curves: the same of the reference clean, for the same task and seed.

    Raises:
        ValueError: a value is not finite.
    """
    return [_verdict(definition, rule, curves, clean_curves) for definition, rule in _RULES]


Rule = Callable[[Sequence[float], Sequence[float]], tuple[bool, Numbers]]


def _verdict(
    definition: Definition, rule: Rule | None, curves: Curves, clean_curves: Curves
) -> Verdict:
    if rule is None:
        return Verdict(definition, None, {}, "not measurable from one lineage")
    (entry,) = definition.entries
    values, clean = curves.get(entry, ()), clean_curves.get(entry, ())
    if not values or not clean:
        return Verdict(definition, None, {}, f"the profile has no {entry}")
    if len(values) < 3 or len(clean) < 3:
        return Verdict(definition, None, {}, "fewer than three generations")
    if not all(map(math.isfinite, (*values, *clean))):
        raise ValueError(f"{entry} has values that are not finite")
    return Verdict(definition, *rule(values, clean))


def _rises(material: float) -> Rule:
    """The last value is above the clean lineage's line, by more than noise and `material`."""
    return lambda values, clean: _moved(values, clean, +1, material)


def _falls(material: float) -> Rule:
    """The last value is below the clean lineage's line, by more than noise and `material`."""
    return lambda values, clean: _moved(values, clean, -1, material)


def _moved(
    values: Sequence[float], clean: Sequence[float], sign: int, material: float
) -> tuple[bool, Numbers]:
    mean, line = fmean(clean), _line(clean)
    rest = [value - line(t) for t, value in enumerate(clean)]
    noise = math.sqrt(sum(x * x for x in rest) / (len(clean) - 2))
    change = values[-1] - line(len(values) - 1)
    # Equal clean values have no noise, but their mean is rounded.
    beyond = sign * change > max(NOISE * noise, 1e-12 * abs(mean))
    numbers = {"last": values[-1], "clean": mean, "noise": noise, "change": change}
    return beyond and sign * change >= material * abs(mean), numbers


def _line(clean: Sequence[float]) -> Callable[[float], float]:
    """The straight line through the values of generations 0, 1, ... (least squares)."""
    slope, intercept = linear_regression(range(len(clean)), clean)
    return lambda t: intercept + slope * t


def _diverges(values: Sequence[float], clean: Sequence[float]) -> tuple[bool, Numbers]:
    increased, numbers = _moved(values, clean, +1, 0.0)
    middle, last = len(values) // 2, len(values) - 1
    line = _line(clean)
    above = [value - line(t) for t, value in enumerate(values)]
    increase = above[last] - above[middle]
    first, second = (above[middle] - above[0]) / middle, increase / (last - middle)
    numbers |= {"first half": first, "second half": second}
    growing = increase > NOISE * numbers["noise"] and second >= SUSTAINED * first
    return increased and growing, numbers


_RULES: tuple[tuple[Definition, Rule | None], ...] = (
    (CATASTROPHIC, _rises(CATASTROPHE)),
    (INCREASE, _rises(0.0)),
    (DIVERGENCE, _diverges),
    (SCALING, None),
    (VARIANCE, _falls(MATERIAL)),
    (ENTANGLEMENT, _rises(MATERIAL)),
    (TAILS, _falls(MATERIAL)),
    (HALLUCINATION, _falls(MATERIAL)),
)
DEFINITIONS = tuple(definition for definition, _ in _RULES)
