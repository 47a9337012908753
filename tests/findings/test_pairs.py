"""The table of docs/findings.md on pairs is of the lineages and results that are stored."""

import pytest

from tests.findings import pairs
from tests.findings.table import fill_page


def curves(distance: list[float], agreement: float = 0.5) -> pairs.Curves:
    last = {"agreement": agreement, "numbers": 600.0, "recall": 0.7, "heldout_loss": 0.6}
    return dict.fromkeys(pairs.DISTANCES, distance) | {
        entry: [value] * len(distance) for entry, value in last.items()
    }


@pytest.fixture
def methods():
    """Two seeds; the control recovers a half and three quarters."""
    return {
        "nothing": {seed: curves([1, 3, 5]) for seed in (0, 1)},
        "clean": {seed: curves([1, 1, 1]) for seed in (0, 1)},
        "random half": {0: curves([1, 2, 3]), 1: curves([1, 1.5, 2], 0.9)},
    }


def test_the_best_is_on_top_with_its_interval_and_what_is_left_at_last(methods):
    rows = pairs.write_table(methods).splitlines()[2:]
    assert [row.split(" | ")[0] for row in rows] == ["| `clean`", "| random half", "| `nothing`"]
    assert rows[1].startswith("| random half | 2 | 0.62 (-0.96 to 2.21) |")
    assert rows[1].endswith("| 2.50 | 0.70 | 600 | 0.70 | 0.60 |")


def test_the_page_holds_the_table_of_what_is_stored():
    page = pairs.PAGE.read_text("utf-8")
    table = pairs.write_table(pairs.gather_methods())
    assert fill_page(page, table, pairs.LINEAGES.name) == page, "python -m tests.findings.pairs"
