"""Recovery by hand-computed cases."""

import pytest

from benchmark.score import recovery

ORACLE = [1.0, 1.0, 1.0, 1.0]
NOTHING = [1.0, 2.0, 3.0, 4.0]  # gaps 1, 2, 3


def test_references_score_0_and_1():
    assert recovery(NOTHING, NOTHING, ORACLE) == 0
    assert recovery(ORACLE, NOTHING, ORACLE) == 1


def test_share_of_the_degradation_avoided():
    assert recovery([1.0, 1.5, 2.0, 2.5], NOTHING, ORACLE) == 0.5


def test_above_1_and_below_0_are_possible():
    assert recovery([1.0, 0.0, 1.0, 1.0], NOTHING, ORACLE) == pytest.approx(7 / 6)
    assert recovery([1.0, 4.0, 5.0, 6.0], NOTHING, ORACLE) == -1


def test_generation_0_does_not_count():
    assert recovery([99.0, 1.5, 2.0, 2.5], NOTHING, ORACLE) == 0.5


def test_gaps_are_to_the_oracle_of_the_same_generation():
    assert recovery([1, 3, 5], [1, 4, 7], [1, 2, 3]) == 0.5


def test_a_failed_lineage_fills_up_with_the_worst_gap_and_scores_at_most_0():
    assert recovery([1.0, 1.0], NOTHING, ORACLE) == 0  # 1 - (0 + 3 + 3) / 6
    assert recovery([1.0, 11.0], NOTHING, ORACLE) == -4  # 1 - (10 + 10 + 10) / 6
    assert recovery([1.0, 1.0, 1.0], NOTHING, ORACLE) == 0  # would be .5: at most 0
    assert recovery([], NOTHING, ORACLE) == -0.5  # 1 - (3 + 3 + 3) / 6


def test_incomplete_or_equal_references_are_refused():
    with pytest.raises(ValueError, match="all generations"):
        recovery(NOTHING, NOTHING[:3], ORACLE)
    with pytest.raises(ValueError, match="nothing to recover"):
        recovery(NOTHING, ORACLE, ORACLE)
