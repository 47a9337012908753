"""One's own result among the others: where it opens, where it stands, how it is drawn."""

import re
import sys

import pytest

from benchmark.basics.errors import CorruptFile, InputError
from benchmark.commands.main import main
from benchmark.results.gallery import Gallery, Shown
from benchmark.results.style import OWN, style_methods
from benchmark.tasks.suites import load_suite
from leaderboard.board.entries import read_board
from leaderboard.board.filters import Filters, find_own_view
from leaderboard.board.table import make_frame, select_rows
from leaderboard.page.widgets import draw_samples
from tests.board import toys

pytestmark = pytest.mark.usefixtures("frozen")
YOURS = "anchor (yours)"


@pytest.fixture
def preview(tmp_path):
    """A board with one's own `anchor` on small, which is worse than that of others."""
    toys.store(tmp_path, toys.result("anchor", 0.6), toys.result("other", 0.5))
    own = toys.store(tmp_path / "mine", toys.result("anchor", 0.1))
    return read_board(tmp_path, [own])


def test_it_opens_on_ones_own_method(preview, tmp_path):
    view = {"suite": "small", "tab": "method", "method": YOURS, "a": YOURS}
    assert find_own_view(preview) == view
    assert Filters.of_query(view, preview).suite == "small"
    assert find_own_view(read_board(tmp_path)) == {}
    several = [toys.store(tmp_path / name, toys.result(name, 0.2)) for name in ("one", "two")]
    assert find_own_view(read_board(tmp_path, several)) == {"suite": "small", "tab": "table"}


def test_it_is_pinned_above_the_others_with_its_own_rank(preview):
    table = make_frame(preview, "small")
    assert list(table["method"]).index(YOURS) > 1
    shown = select_rows(table, Filters("small", access=("archive",)))
    assert shown["method"].iloc[0] == YOURS  # whatever is filtered
    shown = select_rows(table, Filters("small"))
    assert list(shown["method"])[:2] == [YOURS, "clean"]
    assert shown["score"].iloc[0] == pytest.approx(0.11, abs=0.01)


@pytest.mark.parametrize("again", ["a", "b"])  # the same file, or another run
def test_two_results_of_one_method_are_not_mixed(tmp_path, monkeypatch, capsys, again):
    files = {of: toys.store(tmp_path / of, toys.result("mine", share, access=()))
             for of, share in (("a", 0.1), ("b", 0.6))}  # fmt: skip
    other = toys.store(tmp_path / "b", toys.result("mine", 0.2, "quick", access=()))
    given = [files["a"], files[again]]
    said = f"{given[0]} and {given[1]} are both results of 'mine' on suite 'small'"
    with pytest.raises(InputError, match=re.escape(said)):
        read_board(tmp_path, given)
    words = ["export", str(tmp_path / "t.csv"), "--results", given[0], "--results", given[1]]
    monkeypatch.setattr(sys, "argv", ["autophagy", *map(str, words)])
    with pytest.raises(SystemExit):
        main()
    assert said in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "t.csv").exists()
    assert len(read_board(tmp_path, [files["a"], other]).entries) == 2  # of two suites


def test_its_samples_are_those_that_its_run_kept(tmp_path):
    own = toys.store(tmp_path / "mine", toys.result("anchor", 0.1))
    (task,) = [task.name for task in load_suite("small").tasks if task.modality == "text"]
    asked = []

    def show(result, file):
        asked.append((result.method.name, file))
        return Gallery(tasks={task: Shown(seed=0, texts={0: "my own words"})})

    board = read_board(tmp_path, [own], show=show)
    assert asked == []  # only when somebody looks
    for _ in range(2):
        assert "my own words" in draw_samples(board, "small", task, [YOURS])
    assert asked == [("anchor", own)]
    told = draw_samples(read_board(tmp_path, [own]), "small", task, [YOURS])
    assert f"There are no samples of this task of: <b>{YOURS}</b>" in told


def test_samples_that_cannot_be_shown_cost_nothing_else(tmp_path):
    def show(result, file):
        raise CorruptFile(f"{file} is damaged: delete it")

    own = toys.store(tmp_path / "mine", toys.result("anchor", 0.1))
    board = read_board(tmp_path, [own], show=show)
    assert "is damaged: delete it" in draw_samples(board, "small", "digits-web", [YOURS])


def test_it_has_a_colour_that_no_other_method_has():
    names = ["nothing", "clean", *"abcdefgh", YOURS]
    looks = style_methods(names)
    assert looks[YOURS].colour == OWN
    assert [name for name in names if looks[name].colour == OWN] == [YOURS]
    assert len(set(looks.values())) == len(names)
    assert style_methods(["a", "b"])["b"].colour == OWN  # as ever without a preview
