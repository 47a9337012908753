"""The eight definitions of collapse on curves whose answer is known."""

import subprocess
import sys

import pytest

from benchmark.metrics.definitions import DEFINITIONS, Verdict, judge_lineage

STILL = [1.0, 1.01, 0.99, 1.0, 1.01, 0.99, 1.0, 1.01, 0.99, 1.0, 1.0]
ENTRIES = ("heldout_loss", "variance_ratio", "entanglement", "tail_mass", "precision")
ORACLE = dict.fromkeys(ENTRIES, STILL)


def verdicts(**changed: list[float]) -> dict[str, Verdict]:
    return {v.definition.name: v for v in judge_lineage(ORACLE | changed, ORACLE)}


def holding(**changed: list[float]) -> set[str]:
    return {name for name, verdict in verdicts(**changed).items() if verdict.holds}


def ramp(last: float) -> list[float]:
    return [1 + (last - 1) * t / 10 for t in range(11)]


def test_there_are_eight_each_with_a_sentence_and_entries():
    assert len(DEFINITIONS) == 8
    assert len({d.name for d in DEFINITIONS}) == 8
    assert all(d.sentence.endswith(".") and d.criterion for d in DEFINITIONS)
    assert [d.name for d in DEFINITIONS if not d.entries] == ["changed scaling law"]


def test_the_oracle_itself_has_not_collapsed():
    assert holding() == set()


def test_no_lineage_shows_a_scaling_law():
    verdict = verdicts()["changed scaling law"]
    assert verdict.holds is None
    assert verdict.reason == "not measurable from one lineage"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"heldout_loss": ramp(1.02)}, set()),  # within the oracle's own fluctuation
        ({"heldout_loss": ramp(1.1)}, {"any increase of risk", "diverging risk"}),
        (
            {"heldout_loss": ramp(1.3)},
            {"any increase of risk", "diverging risk", "catastrophic risk"},
        ),
        ({"heldout_loss": ramp(0.5)}, set()),
        ({"variance_ratio": ramp(0.8)}, {"collapsing variance"}),
        ({"variance_ratio": ramp(0.95)}, set()),  # beyond noise, but negligible
        ({"variance_ratio": ramp(1.5)}, set()),
        ({"entanglement": ramp(1.2)}, {"entangled modes"}),
        ({"tail_mass": ramp(0.1)}, {"vanishing tails"}),
        ({"tail_mass": ramp(1.4)}, set()),
        ({"precision": ramp(0.7)}, {"hallucinated data"}),
    ],
)
def test_one_changed_curve_decides_its_own_definitions_only(changed, expected):
    assert holding(**changed) == expected


def test_a_bounded_increase_does_not_diverge():
    """Unbounded accumulation of linear regression: steps 1/t^2, at most pi^2/6 in all."""
    bounded = [1 + 0.5 * sum(1 / i**2 for i in range(1, t + 1)) for t in range(11)]
    assert holding(heldout_loss=bounded) == {"any increase of risk", "catastrophic risk"}


def test_a_noisy_oracle_hides_a_small_change():
    noisy = {"tail_mass": [1.0, 0.8, 1.2, 0.9, 1.1]}
    fallen = {"tail_mass": [1.0, 0.9, 0.85, 0.8, 0.7]}
    by_name = {v.definition.name: v for v in judge_lineage(fallen, noisy)}
    assert by_name["vanishing tails"].holds is False
    assert by_name["vanishing tails"].numbers["change"] == pytest.approx(-0.36)


def test_a_world_that_moves_is_not_a_collapse():
    """What clean data do, too, is no change; what comes on top of it is."""
    moving = {key: [value + 0.05 * t for t, value in enumerate(STILL)] for key in ENTRIES}
    assert {v.definition.name for v in judge_lineage(moving, moving) if v.holds} == set()
    worse = moving | {"heldout_loss": [a + b - 1 for a, b in zip(
        moving["heldout_loss"], ramp(1.4), strict=True)]}  # fmt: skip
    held = {v.definition.name for v in judge_lineage(worse, moving) if v.holds}
    assert held == {"any increase of risk", "diverging risk", "catastrophic risk"}


def test_missing_and_short_curves_are_not_measurable_and_infinite_ones_are_refused():
    missing = judge_lineage({"precision": [1.0, 0.9]}, {"precision": [1.0, 1.0]})
    reasons = {v.definition.name: v.reason for v in missing}
    assert all(v.holds is None for v in missing)
    assert reasons["vanishing tails"] == "the profile has no tail_mass"
    assert reasons["hallucinated data"] == "fewer than three generations"
    with pytest.raises(ValueError, match="not finite"):
        verdicts(precision=[1.0, 0.5, float("nan")])


def test_verdicts_do_not_depend_on_the_unit_of_a_curve():
    scaled = {name: [7 * v for v in values] for name, values in ORACLE.items()}
    for last in (0.5, 0.95, 1.02, 1.1, 1.3):
        curves = dict.fromkeys(ENTRIES, ramp(last))
        larger = {name: [7 * v for v in values] for name, values in curves.items()}
        assert [v.holds for v in judge_lineage(curves, ORACLE)] == [
            v.holds for v in judge_lineage(larger, scaled)
        ]


def test_the_module_needs_no_torch():
    code = "import sys, benchmark.metrics.definitions; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
