"""The table, its filters and exports, and the paired comparison."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark.basics.errors import InputError
from benchmark.results import references
from benchmark.results.references import read_with_references
from benchmark.results.standings import rank_results
from benchmark.submission.card import Card
from benchmark.submission.record import record_state
from leaderboard.board.entries import Board, read_board
from leaderboard.board.filters import (
    Filters,
    choose_first_suite,
    list_kinds,
    list_task_choices,
)
from leaderboard.board.pairs import compare_pair
from leaderboard.board.source import HERE
from leaderboard.board.table import (
    TASK,
    describe_row,
    export_frame,
    make_frame,
    order_rows,
    select_rows,
    select_whole,
)
from leaderboard.board.views import View, list_places, read_view
from leaderboard.page.tabs import pictures, table
from tests.board import toys
from tests.stored import skip_if_stale

pytestmark = pytest.mark.usefixtures("frozen")
HOSTILE = Card(
    name="anchor",
    summary="An ordinary summary.",
    authors=['=HYPERLINK("http://x")', "<img src=x onerror=alert(1)>"],
    access=["RESERVE"],
    hyper_parameters={},
    licence="MIT",
)
TEXTS = [task.name for task in toys.SMALL if task.modality == "text"]
OTHERS = [task.name for task in toys.SMALL if task.modality != "text"]


@pytest.fixture(scope="module")
def board(tmp_path_factory, frozen):
    """A few entries, one of which applies to texts only; one card is hostile."""
    root = tmp_path_factory.mktemp("board")
    toys.store(
        root,
        toys.result("anchor", 0.3),
        toys.result("keeper", 0.5, access=("ARCHIVE",), noise=0.03),
        toys.result("reader", 0.7, access=("MODEL",), absent=OTHERS),
        toys.result("neon", 0.1, access=("MODEL",), noise=0.02),
    )
    found = read_board(root)
    assert not found.refused
    small = [replace(e, card=HOSTILE) if e.name == "anchor" else e for e in found.entries["small"]]
    return Board(found.root, {"small": small})


def test_the_board_says_of_results_what_score_says(board, tmp_path):
    files = [entry.path for entry in board.entries["small"] if not entry.reference]
    found = {s.method: s for s in rank_results(read_with_references(files))}
    table = make_frame(board, "small")
    assert set(table["method"]) == set(found)
    for row in table.to_dict("records"):
        said = found[row["method"]]
        assert row["score"] == said.score
        assert (row["low"], row["high"]) == said.interval
        assert row["real_items"] == said.costs.real_items


def test_the_published_board_is_read_whole(monkeypatch):
    """With the references that come with the benchmark."""
    skip_if_stale()
    monkeypatch.setattr(references, "FOLDER", Path(references.__file__).parent)
    published = read_board(HERE)
    assert [r.file for r in published.refused] == ["known_seeds.json"]  # made to be
    for suite in published.entries:
        assert len(make_frame(published, suite)) == len(published.entries[suite])


def test_what_does_not_apply_is_never_a_measured_0(board, tmp_path):
    row = make_frame(board, "small").set_index("method").loc["reader"]
    assert row[[TASK + name for name in OTHERS]].isna().all()
    assert row["not_applicable"] == ", ".join(OTHERS)
    assert row["score"] == pytest.approx(np.mean([row[TASK + name] for name in TEXTS]))
    assert pd.isna(row["tier"])
    assert row["ranks"] == ""
    assert make_frame(board, "small")["method"].iloc[-1] == "reader"  # below who applies to all
    texts = make_frame(board, "small", "text").set_index("method")
    assert texts.loc["reader", "tier"] >= 1
    images = make_frame(board, "small", "image").set_index("method")
    assert np.isnan(images.loc["reader", "score"])
    assert describe_row(row.to_dict()) == f"n/a: {', '.join(OTHERS)}"
    file = export_frame(make_frame(board, "small"), tmp_path / "t.csv")
    line = next(line for line in file.read_text().splitlines() if line.startswith('"reader"') or
                ',"reader",' in line)  # fmt: skip
    assert line.count('"n/a"') == len(OTHERS)
    said = compare_pair(board, "small", "anchor", "reader").sentence
    assert f"Not applicable, so left out: {', '.join(OTHERS)}." in said
    assert "no task in common" in compare_pair(board, "small", "anchor", "reader", "image").sentence


def test_fewer_tasks_are_ranked_anew(board):
    assert list_task_choices("small")[:3] == ("all", *sorted({t.modality for t in toys.SMALL}))[:3]
    every, text = make_frame(board, "small"), make_frame(board, "small", "text")
    columns = [TASK + name for name in TEXTS]
    assert text["score"].to_numpy() == pytest.approx(text[columns].mean(axis=1).to_numpy())
    assert text["method"].tolist() != every["method"].tolist()
    one = make_frame(board, "small", toys.TEXT)
    assert one["score"].to_numpy() == pytest.approx(one[TASK + toys.TEXT].to_numpy())
    with pytest.raises(InputError, match="no tasks 'video'"):
        make_frame(board, "small", "video")


def test_filters_hide_rows_and_change_no_rank(board):
    table = make_frame(board, "small")
    few = select_rows(table, Filters("small", access=("reserve",)))
    assert few["method"].tolist() == ["clean", "anchor", "nothing"]
    both = select_rows(table, Filters("small", access=("reserve", "model")))  # and all in between
    assert {*both["method"]} == {"clean", "nothing", "anchor", "neon", "reader"}
    assert {*select_rows(table, Filters("small", access=("blind",)))["method"]} == {
        "clean", "nothing",
    }  # fmt: skip
    for column in ("tier", "ranks"):
        assert few[column].tolist() == [
            table.set_index("method")[column][name] for name in few["method"]
        ]
    assert select_rows(table, Filters("small", search="ANCHOR"))["method"].tolist() == ["anchor"]
    assert select_rows(table, Filters("small", search="hyperlink"))["method"].tolist() == ["anchor"]
    assert select_rows(table, Filters("small", search="(?i)x")).empty
    none = select_rows(table, Filters("small", trust=("re-scored",)))
    assert none["method"].tolist() == ["clean", "nothing"]


def test_rows_are_sorted_by_what_a_header_names(board):
    table = make_frame(board, "small")
    best = order_rows(table, toys.TEXT)["method"].tolist()
    assert best == table.sort_values(TASK + toys.TEXT, ascending=False)["method"].tolist()
    image = order_rows(table, f"-{toys.IMAGE}")  # the worst first, and n/a last either way
    assert image["method"].iloc[-1] == "reader"
    assert image["method"].iloc[0] == "nothing"
    assert order_rows(table, "method")["method"].is_monotonic_increasing
    assert order_rows(table, "") is table


def test_a_view_survives_its_address(board):
    kinds = list_kinds(board, "small")[1:3]
    chosen = Filters("small", "text", kinds, ("re-run",), "a & b=c", "-score")
    assert Filters.of_query(chosen.query(), board) == chosen
    for view in (
        View(chosen),
        View(Filters("small"), "method", {"method": "anchor", "task": toys.TEXT}),
        View(Filters("small"), "pictures", {"methods": "anchor,keeper", "cost": "scored"}),
        View(Filters("small"), "stress"),
    ):
        assert read_view(view.address, board) == view
    assert View(Filters("small")).address == "?suite=small"
    assert read_view("?__theme=dark&utm_source=x", board) == View(Filters("small"))
    old = read_view("?access=archive+%2B+reserve", board)  # once the name of a tier
    assert old.filters.access == ("archive", "reserve")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("?suite=x", "no suite 'x' here, only small"),
        ("?tab=x", "no page 'x' here, only table, pictures"),
        ("?tab=method&method=x", "no entry 'x'"),
        ("?tab=compare&a=anchor&b=x", "no entry 'x'"),
        ("?tab=pictures&methods=anchor,x", "no entry 'x'"),
        ("?tab=method&task=x", "no task 'x'"),
        ("?tab=method&measure=x", "no measure 'x'"),
        ("?tab=pictures&cost=x", "no cost 'x'"),
        ("?tasks=x", "no tasks='x'"),
        ("?access=x", "no access='x' to choose here, only blind, archive"),
        ("?trust=x", "no trust='x'"),
        ("?sort=x", "no sort='x'"),
    ],
)
def test_an_address_that_does_not_exist_is_refused_with_what_there_is(board, address, said):
    with pytest.raises(InputError, match=said):
        read_view(address, board)
    with pytest.raises(InputError, match="no result to show"):
        choose_first_suite(Board(HERE, {}))


def test_a_choice_left_over_from_another_suite_is_dropped(board):
    left = Filters("gone", "other-task", ("reserve", "x"), ("x",), "q" * 999, "other-task")
    found = Filters.settle(left, board)
    assert (found.suite, found.tasks, found.sort) == ("small", "all", "")
    assert (found.access, found.trust, len(found.search)) == (("reserve",), (), 100)


def test_one_seed_shows_no_interval(board):
    one = [
        replace(e, recoveries={task: of[:1] for task, of in e.recoveries.items()}, seeds=(0,))
        for e in board.entries["small"]
    ]
    single = Board(board.root, {"small": one})
    row = make_frame(single, "small").set_index("method").loc["anchor"]
    assert (row["ranks"], row["tier"], np.isnan(row["low"])) == ("", pd.NA, True)
    assert "one seed tells no more" in compare_pair(single, "small", "anchor", "nothing").sentence


def test_a_re_run_in_a_suite_of_one_seed_makes_no_tiers(tmp_path):
    """It has an interval of its own seeds; nobody is told apart from anybody."""
    names = {"anchor": 0.6, "keeper": 0.4, "neon": 0.2, "twin": 0.1}
    paths = {name: toys.store(tmp_path, toys.result(name, of, "quick"))
             for name, of in names.items()}  # fmt: skip
    toys.rerun(paths["keeper"], 0.4)
    record_state(paths["anchor"], "measured", "ours")
    board = read_board(tmp_path)
    found = make_frame(board, "quick").set_index("method")
    assert found["tier"].isna().all()
    assert (found["ranks"] == "").all()
    assert found.index[found["low"].notna()].tolist() == ["keeper"]
    _, count, scores, *_ = table.draw_tab(board, View(Filters("quick")))
    assert "n = 1 or 3 seeds: no interval with one, no tiers." in count
    assert "Tier" not in scores
    assert "rank" not in scores.replace("ranked", "")
    toys.rerun(paths["neon"], 0.2)  # two of them can be compared, by themselves
    pair = compare_pair(read_board(tmp_path), "quick", "keeper", "neon")
    assert pair.sentence.startswith("keeper is better than neon")
    assert (pair.tests, pair.levels, pair.reason) == (1, (None, None), "")


def test_pictures_keep_who_applies_to_all_chosen_tasks(board):
    """Under a choice of tasks, others do not matter: neither to who is drawn nor to the note."""
    picked = [["reader"], toys.TEXT, "heldout_loss", "samples"]
    note, costs = (
        {tasks: pictures.draw_tab(board, Filters("small", tasks), picked)[place]
         for tasks in ("all", "text")}
        for place in (1, 4)
    )  # fmt: skip
    assert "do not apply to all of them" in note["all"]
    assert "do not apply" not in note["text"]
    assert "reader" not in str(costs["all"])
    assert "reader" in str(costs["text"])
    texts = make_frame(board, "small", "text")
    assert "reader" in set(select_whole(texts)["method"])
    assert texts.set_index("method")["not_applicable"]["reader"] == ", ".join(OTHERS)


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
        export_frame(table, file / f"table{suffix}")


def test_the_paired_test(board):
    found = compare_pair(board, "small", "anchor", "keeper")
    table = make_frame(board, "small").set_index("method")["score"]
    assert found.difference == pytest.approx(table["anchor"] - table["keeper"])
    low, high = found.interval
    assert low < found.difference < high < 0
    assert found.sentence.startswith("keeper is better than anchor")
    back = compare_pair(board, "small", "keeper", "anchor")
    assert (back.p, back.difference) == pytest.approx((found.p, -found.difference))
    assert back.sentence.startswith("keeper is better than anchor")
    assert found.separated == back.separated
    assert "cannot be told apart" in compare_pair(board, "small", "anchor", "anchor").sentence
    assert list(compare_pair(board, "small", "anchor", "nothing", "text").tasks) == TEXTS


def test_what_a_re_run_measured_is_not_paired(board):
    other = replace(board.entry("small", "anchor"), seeds=(71, 72, 73), method="again")
    both = Board(board.root, {"small": [*board.entries["small"], other]})
    found = compare_pair(both, "small", "anchor", "again")
    assert not found.paired
    assert found.difference == 0
    low, high = found.interval
    assert low < 0 < high
    assert compare_pair(board, "small", "anchor", "anchor").interval == (0, 0)


def test_five_thousand_methods_are_shown_and_filtered_at_once(board):
    rng = np.random.default_rng(0)
    some = board.entry("small", "anchor")
    count = len(some.seeds)
    entries = [
        replace(
            some,
            method=f"method_{i}",
            recoveries={task: rng.normal(0.3, 0.3, count).tolist() for task in some.recoveries},
        )
        for i in range(500)
    ]
    board = Board(some.path.parent, {"small": entries})
    # Ranking is done when results are read; here ten times the same is enough.
    table = pd.concat([make_frame(board, "small")] * 10, ignore_index=True)
    begun = time.process_time()
    chosen = Filters("small", access=("reserve",), search="method_77")
    found = order_rows(select_rows(table, chosen), "-samples")
    assert time.process_time() - begun < 0.5
    assert set(found["method"]) == {"method_77"}


def test_a_question_has_its_results_in_a_tab_of_its_own(tmp_path):
    """With references that came with the results."""
    for name in ("nothing", "clean"):
        file = tmp_path / "references" / "stress" / "anchor" / f"{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(toys.result(name, suite="stress", origin="own").to_json())
    toys.store(tmp_path, toys.result("anchor", suite="stress", origin="own"))
    toys.store(tmp_path, toys.result("anchor"))
    board = read_board(tmp_path)
    assert not board.refused
    for address in ("?tab=stress", "?suite=stress", "?suite=stress&tab=stress"):
        view = read_view(address, board)
        assert (view.tab, view.filters.suite) == ("stress", "stress")
    question, count, scores, *_ = table.draw_tab(board, view)
    assert "What breaks it?" in question
    assert "digits-web-laundered" in scores
    assert "1 method, ranked by all tasks; n = 3 seeds" in count
    places = list_places(board, view)
    assert places["table"] == "?suite=small"
    assert places["method"] == "?suite=stress&tab=method"
    assert list_places(board, read_view("", board))["stress"] == "?suite=stress"
    missing = table.draw_tab(board, read_view("?tab=closed", board))
    assert "There is no result of suite closed yet" in missing[1]
    assert "autophagy run" in missing[1]
