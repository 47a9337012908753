"""The documents' tables are those of the stored results."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.tasks.suites import SUITE_NAMES, load_suite
from leaderboard.board.entries import Board, read_board
from leaderboard.board.source import HERE
from leaderboard.page.tabs.documents import draw_about
from leaderboard.publishing.documents import fill_document
from tests.board import toys
from tests.stored import skip_if_stale

PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("README.md", "scores"), ("docs/findings.md", "scores"), ("docs/regime.md", "separation")],
)
def test_the_tables_are_up_to_date(name, kind):
    skip_if_stale()
    text = (PROJECT / name).read_text()
    assert f"<!-- {kind} small" in text
    assert fill_document(text, read_board(HERE)) == text, (
        "python -m leaderboard.publishing.documents " + name
    )


def test_the_page_says_what_scores_are_made_of_for_every_modality():
    loss = draw_about().partition("The loss is ")[2].partition("</p>")[0]
    named = {"image": "images", "text": "held-out text", "pair": "pairs"}
    for modality in {task.modality for name in SUITE_NAMES for task in load_suite(name).tasks}:
        assert named[modality] in loss


def test_a_table_of_scores_may_be_cut(tmp_path, frozen):
    toys.store(tmp_path, toys.result("anchor", 0.3))
    board = read_board(tmp_path)
    lines = fill_document("<!-- scores small 2 -->\n<!-- end -->\n", board).splitlines()
    assert [line.split(" | ")[1] for line in lines if line.startswith("| ")][2:] == [
        "`clean`", "`anchor`",
    ]  # fmt: skip
    assert "The first 2 of 3." in lines


def test_what_a_method_costs_is_compared_where_it_ran(tmp_path, frozen):
    toys.store(tmp_path, toys.result("guidance", 0.3, absent=[toys.TEXT]))
    new = fill_document("<!-- costs small -->\n<!-- end -->\n", read_board(tmp_path))
    rows = {line.split("`")[1]: line.split(" | ")[1:3] for line in new.splitlines() if "`" in line}
    assert rows["guidance"] == rows["nothing"]


def test_a_table_is_written_between_its_marks(tmp_path, frozen):
    toys.store(tmp_path, toys.result("anchor", 0.3))
    board = read_board(tmp_path)
    text = f"before\n<!-- profile small {toys.IMAGE} -->\nstale words\n<!-- end -->\nafter\n"
    new = fill_document(text, board)
    assert new.startswith(
        f"before\n<!-- profile small {toys.IMAGE} -->\n\n| method | recovery | `log_frechet` |"
    )
    assert new.endswith("|\n\n<!-- end -->\nafter\n")
    assert "stale" not in new
    clean = next(line for line in new.splitlines() if line.startswith("| `clean` |"))
    assert clean.split(" | ")[1:3] == ["1.00", "1.00"]
    mark = f"<!-- profile small {toys.IMAGE} heldout_loss -->"
    assert "| method | recovery | `heldout_loss` |" in fill_document(f"{mark}\n<!-- end -->", board)
    with pytest.raises(KeyError):
        fill_document("<!-- unknown small -->\n<!-- end -->", board)


@pytest.mark.parametrize("kind", ["scores", "costs"])
def test_whatever_stands_in_a_cell_is_the_text_of_that_cell(tmp_path, frozen, kind, monkeypatch):
    """Names are names already; this holds if they were not."""
    toys.store(tmp_path, toys.result("anchor", 0.3))
    board = read_board(tmp_path)
    hostile = "a|b` [x](javascript:y) <img src=x> **z** \u202e"
    small = [
        replace(e, method=hostile, access_tier=hostile) if e.name == "anchor" else e
        for e in board.entries["small"]
    ]
    changed = Board(board.root, {"small": small})
    new = fill_document(f"<!-- {kind} small -->\n<!-- end -->\n", changed)
    lines = [line for line in new.splitlines() if line.startswith("|")]
    unescaped = {len(re.findall(r"(?<!\\)\|", line)) for line in lines}
    assert len(unescaped) == 1
    row = next(line for line in lines if "javascript" in line)
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", row)  # what is code is no markup
    assert not re.search(r"(?<!\\)[\[<*`]|\u202e", outside)
