"""Two methods compared: one verdict, which is that of the table's tests, and why tiers differ."""

import itertools
import re
from dataclasses import replace

import numpy as np
import pytest

from leaderboard.board.entries import Board, read_board
from leaderboard.board.pairs import compare_pair
from leaderboard.board.table import rank_entries
from tests.board import toys
from tests.test_score import find_better

pytestmark = pytest.mark.usefixtures("frozen")


@pytest.fixture(scope="module")
def entry(tmp_path_factory, frozen):
    """Some entry, and the references."""
    root = tmp_path_factory.mktemp("board")
    toys.store(root, toys.result("anchor", 0.3))
    return read_board(root).entries["small"]


def make_board(entries, rows, trusted=True):
    """A board of methods with these recoveries, {name: (seeds,)}, alike on all tasks."""
    *references, some = entries
    made = [
        replace(some, method=name, trusted=trusted, recoveries=dict.fromkeys(some.recoveries, of))
        for name, of in rows.items()
    ]
    return Board(some.path.parent, {"small": [*references, *made]})


def draw(seed, count, spread):
    rng = np.random.default_rng(seed)
    return {
        f"m{i}": (0.1 * i + rng.normal(0, spread, len(toys.load_suite("small").seeds))).tolist()
        for i in range(count)
    }


@pytest.mark.parametrize("seed", [0, 1])
def test_the_verdict_is_that_of_the_tests_that_make_the_tiers(entry, seed):
    board = make_board(entry, draw(seed, 6, 0.08))
    ranked = rank_entries(board, "small")
    scores = np.array([[s.recoveries[task] for task in toys.TASKS] for s in ranked])
    better = find_better(scores)
    seen = set()
    for i, j in itertools.combinations(range(len(ranked)), 2):
        found = compare_pair(board, "small", ranked[i].method, ranked[j].method)
        assert found.separated == better[i, j], (ranked[i].method, ranked[j].method)
        assert found.tests == len(ranked) * (len(ranked) - 1) // 2
        seen.add(found.separated)
    assert seen == {True, False}


def test_an_interval_that_leaves_out_0_need_not_be_a_verdict(entry):
    board = make_board(entry, draw(0, 6, 0.08))
    names = [name for name in (e.name for e in board.entries["small"]) if name.startswith("m")]
    pairs = [compare_pair(board, "small", a, b) for a, b in itertools.combinations(names, 2)]
    torn = [p for p in pairs if not p.separated and (p.interval[0] > 0 or p.interval[1] < 0)]
    assert torn
    for pair in torn:
        assert "cannot be told apart" in pair.sentence
        assert "this comparison alone and leaves out 0" in pair.reason
    assert all(not p.reason for p in pairs if p.separated and p.levels[0] != p.levels[1])


def test_tiers_that_seem_to_say_something_else_are_explained(entry):
    shifts = (-0.02, -0.01, 0.0, 0.01, 0.02)
    noisy = (-0.3, 0.3, -0.1, 0.2, -0.1)
    rows = {
        "best": [0.6 + s for s in shifts],
        "noisy": [0.5 + n for n in noisy],
        "worse": [0.4 + s for s in shifts],
    }
    found = compare_pair(make_board(entry, rows), "small", "noisy", "worse")
    assert not found.separated
    assert found.levels[0] != found.levels[1]
    assert "worse is worse than best, the first of tier 2, but not than noisy" in found.reason


def test_entries_that_nobody_measured_are_told_apart_but_make_no_tier(entry):
    rows = {"one": [0.6, 0.61, 0.6, 0.62, 0.6], "two": [0.3, 0.31, 0.32, 0.3, 0.31]}
    found = compare_pair(make_board(entry, rows, trusted=False), "small", "one", "two")
    assert found.separated
    assert found.sentence.startswith("one is better than two")
    assert "one and two are only placed among them" in found.reason
    assert compare_pair(make_board(entry, rows), "small", "one", "two").reason == ""


def test_nothing_is_said_of_a_head_that_the_tests_do_not_say(entry):
    """Who follows a tier's first may be as noisy as its own: `noisy` is worse than nobody."""
    shifts = (-0.02, -0.01, 0.0, 0.01, 0.02)
    rows = {
        "best": [0.6 + s for s in shifts],
        "worse": [0.5 + s for s in shifts],
        "noisy": [0.45 + n for n in (-0.6, 0.6, -0.2, 0.4, -0.2)],
    }
    board = make_board(entry, rows)
    assert not compare_pair(board, "small", "best", "noisy").separated
    for names in (("best", "noisy"), ("noisy", "best")):
        found = compare_pair(board, "small", *names)
        assert found.reason == (
            "They stand in tiers 2 and 3: tier 2 ends with the first method that is worse than its "
            "own first (best), which is worse; noisy comes after that in the order of scores, "
            "though it cannot be told from best."
        )


def test_no_reason_contradicts_another_verdict(entry):
    """Of noisy methods, whoever is said to be worse than another is found so beside it."""
    seen = set()
    for seed in range(4):
        board = make_board(entry, draw(seed, 7, 0.12))
        names = [e.name for e in board.entries["small"]]
        for a, b in itertools.combinations(names, 2):
            reason = compare_pair(board, "small", a, b).reason
            said = re.search(r"(\w+) is worse than (\w+), the first", reason)
            if said:
                other = compare_pair(board, "small", *said.groups())
                assert other.sentence.startswith(f"{said[2]} is better than {said[1]}")
            denied = re.search(r"first \((\w+)\), which .*; (\w+) comes after", reason)
            if denied:
                assert not compare_pair(board, "small", *denied.groups()).separated
            seen |= {bool(said), bool(denied) and 2}
    assert seen >= {True, False, 2}


@pytest.mark.parametrize(
    ("placed", "worth", "other", "why"),
    [
        ("low", -0.6, "nothing", "low is worse than the first of every tier"),
        ("high", 1.3, "clean", r"high is better than its first \(clean\)"),
    ],
)
def test_what_is_only_placed_opens_no_tier(entry, placed, worth, other, why):
    rows = {placed: [worth + s for s in (-0.02, -0.01, 0.0, 0.01, 0.02)]}
    found = compare_pair(make_board(entry, rows, trusted=False), "small", placed, other)
    assert found.separated
    assert found.levels[0] == found.levels[1]
    assert re.search(f"{why}, but what is only placed opens no", found.reason)
    assert f"measured; {placed} is only placed among them" in found.reason
