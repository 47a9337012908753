"""A report beside the board's methods, with pictures of results whose samples are elsewhere."""

import json
import re
import sys

import pytest

from benchmark.basics.errors import InputError
from benchmark.commands import report as command
from benchmark.commands import stored
from benchmark.commands.main import main
from benchmark.report.samples import find_gallery
from benchmark.results.references import frozen_file
from benchmark.results.schema import load_result
from benchmark.submission.record import record_state
from tests.board import toys


@pytest.fixture
def board(tmp_path, monkeypatch):
    """A leaderboard of three methods on small, one with a gallery; references of its own."""
    root = tmp_path / "leaderboard"
    with toys.frozen(tmp_path / "frozen"):
        toys.store(root, *(toys.result(name, 0.2) for name in ("anchor", "hostile", "twin")))
        toys.gallery(root, "hostile")
        toys.gallery(root, "nothing")
        for module in (stored, command):
            monkeypatch.setattr(module, "STORED", root)
        yield root


@pytest.fixture
def mine(board, tmp_path):
    """One's own result of small, called as a method of the board."""
    return toys.store(tmp_path / "runs", toys.result("anchor", 0.5))


def cli(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["autophagy", *map(str, words)])
    try:
        main()
    except SystemExit as stop:
        return stop.code or 0
    return 0


def blank(panels, styles, formats, *_, **options):
    """`draw_panels` without its seconds of work: figures that show nothing."""
    return dict.fromkeys(formats, b"<svg></svg>")


def test_the_boards_methods_and_their_pictures_are_added(board, mine, tmp_path, monkeypatch):
    out = tmp_path / "report"
    assert cli(monkeypatch, "report", mine, "--against", "small", "--out", out, "--pdf") == 0
    page = (out / "report.html").read_text()
    for name in ("hostile", "twin", "anchor", "nothing", "clean"):
        assert f">{name}<" in page
    assert "data:image/png;base64," in page  # of a result whose samples are on no disk here
    assert "Not shown, because neither samples nor a gallery lie beside the result: " in page
    assert toys.ATTACK not in page
    assert {f.suffix for f in (out / "figures").iterdir()} == {".svg", ".png", ".pdf"}
    drawn = (out / "figures" / f"primary-{toys.TEXT}.pdf").read_bytes()
    assert drawn.startswith(b"%PDF-")
    assert b"CIDFontType2" in drawn  # text stays text, in TrueType
    assert b"/Type3" not in drawn
    assert not re.search(rb"/CreationDate", drawn)


def test_ones_own_result_wins_over_a_stored_one_of_its_name(board, mine):
    files = command.list_rivals([mine], "small")
    assert [file.stem for file in files] == ["hostile", "twin"]


def test_pictures_are_never_those_of_another_result(board, mine):
    toys.gallery(board, "anchor")
    assert find_gallery(load_result(mine), mine, board) is None  # one's own run has its own
    theirs = board / "results" / "small" / "anchor.json"
    assert find_gallery(load_result(theirs), theirs) == board / "gallery" / "small" / "anchor.json"
    frozen = frozen_file("small", "nothing")
    assert find_gallery(load_result(frozen), frozen, board).is_relative_to(board)
    assert find_gallery(load_result(frozen), frozen) is None


@pytest.mark.parametrize(
    ("suite", "said"),
    [("smal", "is of suite 'small': give --against the same suite"), ("quick", "is of suite")],
)
def test_another_suite_is_one_sentence(mine, monkeypatch, capsys, suite, said):
    assert cli(monkeypatch, "report", mine, "--against", suite) == 1
    assert said in capsys.readouterr().err


def test_what_was_rejected_is_shown_nowhere(board, mine, monkeypatch, capsys, tmp_path):
    for i, name in enumerate(("anchor", "hostile", "twin", "four", "five")):
        toys.store(board, toys.result(name, 0.1 * i, "quick"), toys.result(name, 0.1 * i))
    record_state(board / "results" / "small" / "twin.json", "rejected", "it did not agree")
    assert [file.stem for file in stored.list_stored("small")] == [
        "anchor", "five", "four", "hostile",
    ]  # fmt: skip
    monkeypatch.setattr("benchmark.report.page.draw_panels", blank)
    assert cli(monkeypatch, "report", mine, "--against", "small", "--out", tmp_path / "page") == 0
    page = (tmp_path / "page" / "report.html").read_text()
    assert ">hostile<" in page
    assert ">twin<" not in page
    assert cli(monkeypatch, "transfer") == 1
    assert "4 methods have results in both 'quick' and 'small'" in capsys.readouterr().err
    for name in ("anchor", "hostile", "four", "five"):
        file = board / "results" / "small" / f"{name}.json"
        record_state(file, "rejected", "it did not agree")
    with pytest.raises(InputError, match="no result of suite 'small' comes with"):
        stored.list_stored("small")


def test_transfer_takes_the_numbers_of_a_re_run(board, monkeypatch, capsys):
    for i, name in enumerate(("anchor", "hostile", "twin", "four", "five")):
        toys.store(board, toys.result(name, 0.1 * i, "quick"), toys.result(name, 0.1 * i))
    toys.rerun(board / "results" / "small" / "anchor.json", 0.9)  # it claims to be the last
    assert cli(monkeypatch, "transfer", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["tau"] == pytest.approx(0.2)


def test_transfer_works_on_what_is_stored(board, monkeypatch, capsys):
    assert cli(monkeypatch, "transfer") == 1
    assert "needs results of two suites" in capsys.readouterr().err
    for i, name in enumerate(("anchor", "hostile", "twin", "four", "five")):
        toys.store(board, toys.result(name, 0.1 * i, "quick"), toys.result(name, 0.1 * i))
    assert cli(monkeypatch, "transfer") == 0
    out = capsys.readouterr().out
    assert "quick, small" in out
    assert "1.00" in out
