"""The script behind docs/scaling.md runs: every measurement that it makes, once and small."""

import pytest

from tests.speed import scaling


@pytest.mark.slow
def test_every_measurement_of_the_scaling_page_can_be_made():
    length = scaling.GENERATIONS  # the longest one: every era of it must hold enough
    lineages = (("lineage", task, length, 250) for task in scaling.TASKS)
    calls = [("grid", 1, 1), ("products",), *lineages]
    grid, product, *lineages = scaling.measured(*calls)
    assert grid > 0
    assert product > 0
    for points in lineages:
        assert len(points) == length + 1
        (first, memory), (second, _), *_ = points
        assert 0 < first < second
        assert memory > 100
