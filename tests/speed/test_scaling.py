"""The script behind docs/scaling.md runs: every measurement that it makes, once and small."""

import pytest

from tests.speed import scaling


@pytest.mark.slow
def test_every_measurement_of_the_scaling_page_can_be_made():
    calls = [("grid", 1, 1), ("products",), *(("lineage", task, 1, 250) for task in scaling.TASKS)]
    grid, product, *lineages = scaling.measured(*calls)
    assert grid > 0
    assert product > 0
    for points in lineages:
        (first, memory), (second, _) = points
        assert 0 < first < second
        assert memory > 100
