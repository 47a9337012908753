"""The documents' tables are those of the stored results."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmark.basics.errors import InputError
from benchmark.results.captions import COSTS
from benchmark.tasks.suites import SUITE_NAMES, load_suite
from leaderboard.board.entries import Board, read_board
from leaderboard.board.source import HERE
from leaderboard.page.tabs.compare import COUNTS
from leaderboard.page.tabs.documents import draw_about
from leaderboard.page.tabs.pictures import COST_NOTE
from leaderboard.page.tabs.table import ABOUT
from leaderboard.page.tabs.table import COSTS as TABLE_COSTS
from leaderboard.publishing.documents import fill_document, main
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


def test_a_changed_task_stands_below_the_standard_one(monkeypatch):
    def rank(board, suite):
        tasks = [task.name for task in load_suite(suite).tasks]
        values = {"small": [0.5, 0.3], "stress": [0.1, -0.104]}[suite]
        of = {"nothing": False, "anchor": False, "recaption": True}
        return [
            SimpleNamespace(method=m, partial=partial, recoveries=dict.fromkeys(tasks, values))
            for m, partial in of.items()
        ]

    monkeypatch.setattr("leaderboard.publishing.documents.rank_entries", rank)
    text = fill_document("<!-- changes stress small -->\n<!-- end -->", Board(Path(), {}))
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    assert rows[0] == ["| task", "`anchor` |"]
    assert rows[2] == ["| `digits-web`", "0.40 (0.50 0.30) |"]
    assert rows[3] == ["| `digits-web-adoption`", "0.00 (0.10 -0.10) |"]
    assert len(rows) == 2 + 3 + len(load_suite("stress").tasks)


def test_the_page_says_what_scores_are_made_of_for_every_modality():
    loss = draw_about().partition("The loss is ")[2].partition("</p>")[0]
    named = {"image": "images", "text": "held-out text", "pair": "pairs"}
    for modality in {task.modality for name in SUITE_NAMES for task in load_suite(name).tasks}:
        assert named[modality] in loss


OPTIONS = {
    "adoption": "common standard", "laundered": "launder", "biased-reserve": "biased reserve",
    "static": "still|other speeds", "fast": "fast|other speeds", "prompted": "kept prompts",
}  # fmt: skip
TASKS_PAGE = (PROJECT / "docs" / "tasks" / "index.md").read_text()


@pytest.mark.parametrize(
    "said",
    [
        ABOUT["stress"],
        draw_about().partition("<td>stress</td>")[2].partition("</tr>")[0],
        TASKS_PAGE.partition("| `stress` |")[2].partition("\n")[0],
    ],
    ids=["tab", "about", "docs"],
)
def test_whoever_describes_suite_stress_names_all_that_it_changes(said):
    names = [task.name.partition("-web-")[2] for task in load_suite("stress").tasks]
    assert {*names} == OPTIONS.keys()
    for option, words in OPTIONS.items():
        assert re.search(words, said), option


def test_whoever_shows_real_items_says_what_provenance_is_charged():
    """`oracle` is shown tens of thousands, in a suite whose reserves hold hundreds."""
    labels = (COUNTS["real_items"], COST_NOTE, TABLE_COSTS, " ".join(COSTS), draw_about())
    for said in labels:
        assert re.search("of provenance.*all crawls", said)
    found = (PROJECT / "docs" / "findings.md").read_text()
    assert "all crawls so far" in found.partition("<!-- costs small -->")[0]


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


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        ("unknown small", "there is no table 'unknown': choose one of scores, costs"),
        ("score small", r"there is no table 'score' \(did you mean 'scores'\?\)"),
        ("scores smal", r"no suite 'smal' \(did you mean 'small'"),
        ("scores small x", "'x' is no number of methods"),
        ("scores small 0", "'0' is no number of methods"),
        ("scores small 1 2", "a word too many or too few for scores"),
        ("transfer small", "a word too many or too few for transfer"),
        ("separation smal", r"no suite 'smal' \(did you mean 'small'"),
        ("agreement small smal", r"no suite 'smal' \(did you mean 'small'"),
        ("profile small digits-wed", r"no task 'digits-wed' \(did you mean 'digits-web'\?\)"),
        (f"profile small {toys.TEXT} recal", r"has no 'recal' \(did you mean 'recall'\?\) in its"),
    ],
)
def test_a_mark_that_asks_for_what_is_not_there_is_named_and_nothing_is_written(
    tmp_path, frozen, monkeypatch, mark, said
):
    toys.store(tmp_path, toys.result("anchor", 0.3))
    monkeypatch.setattr("leaderboard.publishing.documents.HERE", tmp_path)
    text = f"<!-- scores small -->\nold\n<!-- end -->\n<!-- {mark} -->\n<!-- end -->\n"
    file = tmp_path / "page.md"
    file.write_text(text)
    with pytest.raises(SystemExit, match=f"page.md: <!-- {mark} -->: .*{said}"):
        main([str(file)])
    assert file.read_text() == text


def test_a_mark_without_an_end_takes_no_words_with_it(tmp_path, frozen):
    toys.store(tmp_path, toys.result("anchor", 0.3))
    text = "<!-- scores small -->\nwords\n<!-- costs small -->\n<!-- end -->\n"
    with pytest.raises(InputError, match="<!-- scores small -->: another mark begins before its"):
        fill_document(text, read_board(tmp_path))


def test_what_one_seed_cannot_tell_is_a_dash(tmp_path, frozen):
    toys.store(tmp_path, toys.result("anchor", 0.3, "quick"))
    new = fill_document("<!-- separation quick -->\n<!-- end -->\n", read_board(tmp_path))
    rows = [line.split(" | ") for line in new.splitlines() if line.startswith("| `")]
    assert len(rows) == len(toys.TASKS)
    assert {(row[3], row[5]) for row in rows} == {("-", "-")}


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
