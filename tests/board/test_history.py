"""Every state that an entry had: when, by whom, with which code, and of which result."""

import pytest

from benchmark.submission.record import record_state
from leaderboard.board.entries import read_board
from leaderboard.board.history import describe_history, list_history
from tests.board import toys

pytestmark = pytest.mark.usefixtures("frozen")


def states(entry):
    return [(event.state, event.by, bool(event.of)) for event in list_history(entry)]


def test_every_state_is_told_in_order_with_who_and_when(tmp_path):
    file = toys.store(tmp_path, toys.result("anchor"))
    toys.card(tmp_path, "anchor", ["Ada Lovelace"], None)
    record_state(file, "re-scored", "it follows", by="Grace")
    toys.rerun(file, 0.3)
    entry = read_board(tmp_path).entry("small", "anchor")
    assert states(entry) == [
        ("self-reported", "Ada Lovelace", False),
        ("re-scored", "Grace", False),
        ("re-run", "A Maintainer", False),
    ]
    first, scored, _ = list_history(entry)
    assert first.date == "2026-01-02"
    assert len(scored.date) == 10
    assert scored.commit
    assert "; re-scored 20" in describe_history(entry)
    assert f"by Grace with {scored.commit}" in describe_history(entry)


def test_an_author_cannot_write_a_state_into_the_line(tmp_path):
    file = toys.store(tmp_path, toys.result("anchor"))
    toys.card(tmp_path, "anchor", ["Ada; re-run 2026-01-03 by A Maintainer"], None)
    record_state(file, "re-scored", "it follows", by="Grace")
    said = describe_history(read_board(tmp_path).entry("small", "anchor"))
    assert "Maintainer" not in said
    assert said.startswith("self-reported 2026-01-02; re-scored ")


def test_what_befell_an_earlier_result_of_the_name_is_told_before(tmp_path):
    file = toys.store(tmp_path, toys.result("anchor", 0.9))
    record_state(file, "rejected", "it does not agree", by="Grace")
    toys.store(tmp_path, toys.result("anchor", 0.3))
    entry = read_board(tmp_path).entry("small", "anchor")
    assert states(entry) == [("rejected", "Grace", True), ("self-reported", "", False)]
    assert "another result" in describe_history(entry)
    record_state(file, "re-scored", "it follows", by="Grace")
    entry = read_board(tmp_path).entry("small", "anchor")
    assert [state for state, *_ in states(entry)] == ["rejected", "self-reported", "re-scored"]


def test_what_befell_a_later_result_of_the_name_is_told_after(tmp_path):
    """Sent, checked and not merged: the entry is as it was."""
    file = toys.store(tmp_path, toys.result("anchor", 0.3))
    published = file.read_bytes()
    record_state(file, "re-scored", "it follows", by="Grace")
    toys.store(tmp_path, toys.result("anchor", 0.9))
    record_state(file, "rejected", "it does not agree", by="Grace")
    file.write_bytes(published)
    assert states(read_board(tmp_path).entry("small", "anchor")) == [
        ("self-reported", "", False),
        ("re-scored", "Grace", False),
        ("rejected", "Grace", True),
    ]


def test_references_and_previews_have_none(tmp_path):
    mine = toys.store(tmp_path / "mine", toys.result("anchor"))
    toys.store(tmp_path, toys.result("other"))
    board = read_board(tmp_path, [mine])
    for name in ("nothing", "anchor (yours)"):
        assert list_history(board.entry("small", name)) == []
        assert describe_history(board.entry("small", name)) == ""
