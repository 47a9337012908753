"""The figure of docs/findings.md on what memory is worth is of the lineages beside it."""

import json

import numpy as np
import pytest

from tests.findings.figure import PANELS, draw
from tests.findings.methods import METHODS
from tests.findings.table import (
    Lineages,
    fill_page,
    read_lineages,
    recoveries,
    write_table,
)
from tests.findings.world_speed import LINEAGES, PAGE, SPEEDS


@pytest.fixture
def made() -> Lineages:
    """Two seeds at two speeds; a method is worth .5 at one and -1 at the other."""
    found: Lineages = {}
    for seed in (0, 1):
        for speed, worth in ((0.0, 0.5), (3.0, -1.0)):
            clean, gaps = np.full(9, 3.0 + seed), np.linspace(0, 1 + seed, 9)
            found[speed, "clean", seed] = clean
            found[speed, "newest crawl", seed] = clean + gaps
            found[speed, "oracle", seed] = clean + (1 - worth) * gaps
    return found


def test_recovery_is_one_for_clean_zero_for_the_newest_crawl_and_what_was_made_between(made):
    for method, worth in (("clean", [1, 1]), ("newest crawl", [0, 0]), ("oracle", [0.5, 0.5])):
        assert recoveries(made, 0.0, method) == pytest.approx(worth)
    assert recoveries(made, 3.0, "oracle") == pytest.approx([-1, -1])
    assert recoveries(made, 3.0, "random half") == []


def test_a_seed_without_its_references_is_left_out(made):
    del made[3.0, "clean", 0]
    assert len(recoveries(made, 3.0, "oracle")) == 1


def test_table_and_figure_show_what_is_there(made, tmp_path):
    assert write_table(made, ["oracle"]).splitlines()[2:] == [
        "| oracle | 0.50 (0.50 0.50) | -1.00 (-1.00 -1.00) |"
    ]
    draw(made, tmp_path / "one.svg")
    draw(made, tmp_path / "two.svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_every_method_is_drawn():
    drawn = [method for methods in PANELS.values() for method in methods]
    assert sorted([*drawn, "newest crawl", "clean"]) == sorted(METHODS)


def test_the_page_holds_the_table_of_the_stored_lineages():
    found = read_lineages(LINEAGES)
    lines = [json.loads(line) for line in LINEAGES.read_text("utf-8").splitlines()]
    assert len(found) == len(lines)
    assert {speed for speed, _, _ in found} <= set(SPEEDS)
    page = PAGE.read_text("utf-8")
    assert fill_page(page, write_table(found, list(METHODS)[2:]), LINEAGES.name) == page, (
        "python -m tests.findings.world_speed"
    )
