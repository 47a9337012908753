"""The table, its filters and exports, and the paired comparison."""

import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark.basics.errors import InputError
from benchmark.results.references import read_with_references
from benchmark.results.standings import rank_results
from benchmark.submission.card import Card
from leaderboard.board.entries import Board, read_board
from leaderboard.board.filters import (
    Filters,
    choose_first_suite,
    list_access_tiers,
    list_task_choices,
)
from leaderboard.board.pairs import compare_pair
from leaderboard.board.table import TASK, export_frame, format_frame, make_frame, select_rows

ROOT = Path(__file__).parents[2] / "leaderboard"
FEW = ("nothing", "clean", "anchor", "accumulate_subsample", "neon")
HOSTILE = Card(
    name="anchor",
    summary="An ordinary summary.",
    authors=['=HYPERLINK("http://x")', "<img src=x onerror=alert(1)>"],
    access=["RESERVE"],
    hyper_parameters={},
    licence="MIT",
)


@pytest.fixture(scope="module")
def board():
    """A few of the published entries, so that a new result changes no test; one card is hostile."""
    found = read_board(ROOT)
    few = [entry for entry in found.entries["small"] if entry.name in FEW]
    small = [replace(e, card=HOSTILE) if e.name == "anchor" else e for e in few]
    return Board(found.root, {"small": small})


def test_the_published_board_is_that_of_its_results():
    """Golden: the table says of every stored result what `autophagy score` says."""
    board = read_board(ROOT)
    assert not board.refused
    for suite, entries in board.entries.items():
        files = sorted((ROOT / "results" / suite).glob("*.json"))
        assert {e.name for e in entries} == {f.stem for f in files} | {"nothing", "clean"}
        found = rank_results(read_with_references(files))
        table = make_frame(board, suite)
        assert table["method"].tolist() == [s.method for s in found]
        assert table["score"].tolist() == [s.score for s in found]
        one_seed = {pd.NA: None}
        assert [one_seed.get(tier, tier) for tier in table["tier"]] == [s.tier for s in found]
        spans = list(zip(table["low"], table["high"], strict=True))
        assert [None if low != low else (low, high) for low, high in spans] == [
            s.interval for s in found
        ]
        assert table["real_items"].tolist() == [s.costs.real_items for s in found]


def test_fewer_tasks_are_ranked_anew(board):
    assert list_task_choices("small")[:3] == ("all", "image", "text")
    every, text = make_frame(board, "small"), make_frame(board, "small", "text")
    columns = [TASK + "speeches-replace", TASK + "speeches-web"]
    assert text["score"].to_numpy() == pytest.approx(text[columns].mean(axis=1).to_numpy())
    assert text["method"].tolist() != every["method"].tolist()
    one = make_frame(board, "small", "digits-web")
    assert one["score"].to_numpy() == pytest.approx(one[TASK + "digits-web"].to_numpy())
    with pytest.raises(InputError, match="no tasks 'video'"):
        make_frame(board, "small", "video")


def test_filters_hide_rows_and_change_no_rank(board):
    table = make_frame(board, "small")
    few = select_rows(table, Filters("small", access=("reserve",)))
    assert few["method"].tolist() == ["clean", "anchor", "nothing"]
    for column in ("tier", "ranks"):
        assert few[column].tolist() == [
            table.set_index("method")[column][name] for name in few["method"]
        ]
    assert select_rows(table, Filters("small", search="ANCHOR"))["method"].tolist() == ["anchor"]
    assert select_rows(table, Filters("small", search="hyperlink"))["method"].tolist() == ["anchor"]
    assert select_rows(table, Filters("small", search="(?i)x")).empty
    none = select_rows(table, Filters("small", trust=("re-scored",)))
    assert none["method"].tolist() == ["clean", "nothing"]


def test_filters_survive_an_address(board):
    tiers = list_access_tiers(board, "small")[1:3]
    chosen = Filters("small", "text", tiers, ("re-run",), "a & b=c")
    assert Filters.of_query(chosen.query(), board) == chosen
    wrong = {"suite": "x", "tasks": "y", "access": "z,other", "trust": ",", "search": "q" * 999}
    found = Filters.of_query(wrong, board)
    assert (found.suite, found.tasks, found.access, found.trust) == ("small", "all", (), ())
    assert len(found.search) == 100
    assert Filters("small").query() == {"suite": "small"}
    with pytest.raises(InputError, match="no result to show"):
        choose_first_suite(Board(ROOT, {}))


def test_what_a_reader_sees(board):
    seen = format_frame(make_frame(board, "small"))
    assert seen.columns[:5].tolist() == ["Tier", "Method", "Score", "95% interval", "Ranks"]
    for name in ("Score", "digits-web", "CPU min", "Real items used"):
        assert pd.api.types.is_numeric_dtype(seen[name]), name
    row = seen.set_index("Method").loc["nothing"]
    assert row["95% interval"] == "by definition"
    assert re.fullmatch(
        r"-?\d\.\d\d to -?\d\.\d\d", seen["95% interval"][seen.Method == "anchor"].item()
    )
    assert format_frame(pd.DataFrame()).empty


def test_one_seed_shows_no_interval(board):
    one = [
        replace(e, recoveries={task: of[:1] for task, of in e.recoveries.items()})
        for e in board.entries["small"]
    ]
    single = Board(ROOT, {"small": one})
    seen = format_frame(make_frame(single, "small")).set_index("Method").loc["anchor"]
    assert (seen["95% interval"], seen["Ranks"], seen["Tier"]) == ("-", "", pd.NA)
    assert "one seed tells no more" in compare_pair(single, "small", "anchor", "nothing").sentence


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_exports_hold_the_table(board, tmp_path, suffix):
    table = make_frame(board, "small")
    file = export_frame(table, tmp_path / f"table{suffix}")
    again = pd.read_csv(file) if suffix == ".csv" else pd.read_parquet(file)
    assert again["score"].to_numpy() == pytest.approx(table["score"].to_numpy())
    author = again.set_index("method")["authors"]["anchor"]
    assert author.startswith("'=" if suffix == ".csv" else "=HYPERLINK")
    with pytest.raises(InputError, match="end it with"):
        export_frame(table, tmp_path / "table.xlsx")
    with pytest.raises(InputError, match="cannot write"):
        export_frame(table, tmp_path / "none" / f"table{suffix}")


def test_the_paired_test(board):
    found = compare_pair(board, "small", "anchor", "accumulate_subsample")
    table = make_frame(board, "small").set_index("method")["score"]
    assert found.difference == pytest.approx(table["anchor"] - table["accumulate_subsample"])
    low, high = found.interval
    assert low < found.difference < high < 0
    assert found.sentence.startswith("accumulate_subsample is better than anchor")
    back = compare_pair(board, "small", "accumulate_subsample", "anchor")
    assert (back.p, back.difference) == pytest.approx((found.p, -found.difference))
    assert back.sentence.startswith("accumulate_subsample is better than anchor")
    assert "cannot be told apart" in compare_pair(board, "small", "anchor", "anchor").sentence
    assert list(compare_pair(board, "small", "anchor", "nothing", "text").tasks) == [
        "speeches-replace",
        "speeches-web",
    ]


def test_five_thousand_methods_are_shown_and_filtered_at_once():
    rng = np.random.default_rng(0)
    some = read_board(ROOT).entry("small", "anchor")
    entries = [
        replace(
            some,
            method=f"method_{i}",
            recoveries={task: rng.normal(0.3, 0.3, 3).tolist() for task in some.recoveries},
        )
        for i in range(500)
    ]
    board = Board(ROOT, {"small": entries})
    # Ranking is done when results are read; here ten times the same is enough.
    table = pd.concat([make_frame(board, "small")] * 10, ignore_index=True)
    begun = time.process_time()
    assert len(format_frame(table)) == 5_000
    first = time.process_time() - begun
    begun = time.process_time()
    found = format_frame(select_rows(table, Filters("small", search="method_77")))
    filtered = time.process_time() - begun
    assert set(found["Method"]) == {"method_77"}
    assert first < 2
    assert filtered < 0.5
