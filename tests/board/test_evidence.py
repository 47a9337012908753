"""Tables and figures of how far the board can be believed."""

import pytest

from benchmark.basics.errors import InputError
from benchmark.report.figures import apply_look
from benchmark.results.schema import Result
from benchmark.submission.record import record_state
from benchmark.tasks.suites import load_suite
from leaderboard.board.entries import read_board
from leaderboard.board.filters import Filters
from leaderboard.board.predictions import predict_main
from leaderboard.board.views import View
from leaderboard.page.tabs import table
from leaderboard.publishing.documents import fill_document
from leaderboard.publishing.evidence import (
    tabulate_access,
    tabulate_agreement,
    tabulate_ranks,
    tabulate_selection,
)
from leaderboard.publishing.figures import draw_figures
from tests.board import toys

RECOVERIES = {"anchor": 0.3, "accumulate": 0.1, "golden_ratio": 0.5, "neon": -0.1, "guidance": 0.8}


@pytest.fixture
def board(tmp_path, frozen):
    for name, recovery in RECOVERIES.items():
        record_state(toys.store(tmp_path, toys.result(name, recovery)), "measured", "ours")
    return read_board(tmp_path)


def test_agreement_says_how_alike_seeds_tasks_and_suites_rank(board):
    rows = {what: (value, of) for what, value, of in tabulate_agreement(board, "small", ["quick"])}
    assert rows["halves of the seeds"] == ("1.00 (least 1.00)", "5 methods")
    assert rows["pairs told apart"] == ("100%", "10 of 10 pairs")
    assert not any("quick" in what for what in rows)  # nobody was run on both
    assert len(rows) == 2 + len(toys.SMALL) * (len(toys.SMALL) - 1) // 2


def test_tier_mates_that_are_told_apart_are_a_share_of_the_tier_mates(tmp_path, frozen):
    for i in range(6):
        some = toys.result(f"m{i}", 0.3 + 0.002 * i, noise=0.05 * i)
        record_state(toys.store(tmp_path, some), "measured", "ours")
    rows = {row[0]: row[1:] for row in tabulate_agreement(read_board(tmp_path), "small", [])}
    told, _, of = rows["tier-mates told apart"][1].partition(" of ")
    assert int(of) > 0
    assert rows["tier-mates told apart"][0] == f"{int(told) / int(of):.0%}"


def test_ranks_are_those_of_the_scores(board):
    rows = tabulate_ranks(board, "small")
    assert [row[0] for row in rows] == sorted(RECOVERIES, key=RECOVERIES.get, reverse=True)
    assert [row[5] for row in rows] == ["2", "3", "4", "5", "7"]  # clean is 1, nothing 6
    assert [row[6] for row in rows] == ["1.00", "1.00", "1.00", "1.00", "0.00"]


@pytest.fixture
def rerun_board(board):
    """The same after `guidance` was run again on three seeds that nobody else has, and with quick,
    of which `anchor` was."""
    small = board.root / "results" / "small"
    toys.rerun(small / "guidance.json", 0.85)
    for name, recovery in RECOVERIES.items():
        toys.store(board.root, toys.result(name, recovery, "quick"))
    toys.rerun(board.root / "results" / "quick" / "anchor.json", 0.3)
    return read_board(board.root)


def test_a_re_run_on_other_seeds_is_compared_where_nothing_must_be_paired(rerun_board):
    found = tabulate_agreement(rerun_board, "small", ["quick"])
    rows = {what: (value, of) for what, value, of in found}
    assert "halves of the seeds" not in rows  # only four methods have seeds in common
    assert rows["suites quick and small"][1] == "5 methods"
    assert rows["pairs told apart"] == ("100%", "10 of 10 pairs")
    ranks = tabulate_ranks(rerun_board, "small")
    assert ranks[0][0] == "guidance"
    assert [row[5] for row in ranks] == ["2", "3", "4", "5", "7"]
    assert [row[6] for row in ranks] == ["1.00", "1.00", "1.00", "1.00", "0.00"]
    assert tabulate_ranks(rerun_board, "quick") == []  # of one seed there are no ranks
    toys.store(rerun_board.root, toys.result("twin", 0.2))
    more = {
        row[0]: row[1:] for row in tabulate_agreement(read_board(rerun_board.root), "small", [])
    }
    assert more["halves of the seeds"][1] == "5 methods of the public seeds"


def test_a_re_run_on_other_seeds_ends_no_page_document_or_figure(rerun_board):
    for suite in ("quick", "small"):
        said = table.draw_tab(rerun_board, View(Filters(suite)))[1]
        assert ("n = 5 methods; 1 = the same order" in said) == (suite == "quick")
    assert "orders 10 the same way" in predict_main(rerun_board, "quick")
    marks = [f"{kind} small" for kind in ("scores", "costs", "access", "ranks", "agreement")]
    marks += ["agreement small quick", "transfer quick small", f"profile small {toys.TEXT}"]
    text = "".join(f"<!-- {mark} -->\n<!-- end -->\n" for mark in marks)
    filled = fill_document(text, rerun_board)
    assert "| all tasks | 5 | 1.00 |" in filled
    with apply_look():
        figures = draw_figures(rerun_board, "small")
    assert "seeds: 3 or 5;" in figures["recovery.svg"].axes[0].get_xlabel()
    lineages = " or ".join(str(seeds * len(toys.TASKS)) for seeds in (3, 5))
    assert figures["profiles.svg"].axes[0].get_ylabel() == f"share of {lineages} lineages above τ"


def test_each_access_tier_shows_its_best_and_what_it_costs(board):
    rows = tabulate_access(board, "small")
    assert rows[0][2] == "guidance"
    assert len({row[0] for row in rows}) == len(rows)
    assert all(row[5].endswith(" x") and row[6].endswith(" x") for row in rows)


def test_a_selection_is_told_from_a_draw_by_what_it_keeps(tmp_path, frozen):
    for name, kept in {"anchor": (0.8, 0.3), "neon": (0.5, 0.48), "guidance": None}.items():
        document = toys.result(name, 0.3).model_dump()
        for task in document["tasks"].values():
            for lineage in task["lineages"]:
                for generation in lineage["generations"][1:]:
                    if kept:
                        generation["kept"] = dict(zip(("real", "synthetic"), kept, strict=True))
                        generation["trained_on"] = {"real": 0.6, "reserve": 0.1, "own": 0.3}
        toys.store(tmp_path, Result(**document))
    rows = tabulate_selection(read_board(tmp_path), "small")
    shares = ["0.80", "0.30", "0.70"]
    assert [row[:5] for row in rows] == [["anchor", task, *shares] for task in sorted(toys.TASKS)]
    assert [float(row[5]) for row in rows] == pytest.approx([0.3, 0.32, 0.31], abs=0.011)


def test_documents_say_where_there_is_too_little(board, tmp_path):
    marks = ("agreement quick small", "ranks quick", "access quick", "selection quick")
    text = "".join(f"<!-- {mark} -->\n<!-- end -->\n" for mark in marks)
    assert fill_document(text, board).count("too few results of suite quick") == 4
    filled = fill_document("<!-- ranks small -->\n<!-- end -->\n", board)
    assert "| `guidance` | 0.8" in filled


def test_figures_name_their_methods_tasks_and_axes(board):
    with apply_look():
        figures = draw_figures(board, "small")
    assert set(figures) == {"recovery.svg", "profiles.svg", "improvement.svg", "cost.svg"}
    axes = figures["recovery.svg"].axes[0]
    rows = [label.get_text() for label in axes.get_yticklabels()]
    assert rows[0].startswith("guidance")
    assert "seeds: " in axes.get_xlabel()
    legend = {text.get_text() for text in axes.get_legend().get_texts()}
    assert {task.name for task in toys.SMALL} <= legend
    assert "multiples" in figures["cost.svg"].axes[0].get_xlabel()
    with pytest.raises(InputError, match="too few results of suite quick"):
        draw_figures(board, "quick")


def test_every_task_of_a_suite_of_many_is_drawn_and_told_from_the_others(tmp_path):
    """The legend of many would hide what is drawn below it."""
    for name, recovery in (("anchor", 0.3), ("neon", 0.1)):
        for some in ("nothing", "clean"):
            file = tmp_path / "references" / "stress" / name / f"{some}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(toys.result(some, suite="stress", origin="own").to_json())
        toys.store(tmp_path, toys.result(name, recovery, "stress", origin="own"))
    with apply_look():
        figure = draw_figures(read_board(tmp_path), "stress")["recovery.svg"]
    tasks = {task.name for task in load_suite("stress").tasks}
    lines = [line for line in figure.axes[0].lines if line.get_label() in tasks]
    assert {line.get_label() for line in lines} == tasks
    assert len({(line.get_marker(), line.get_color()) for line in lines}) == len(tasks)
    assert figure.axes[0].get_legend() is None
    assert tasks <= {text.get_text() for text in figure.legends[0].get_texts()}
