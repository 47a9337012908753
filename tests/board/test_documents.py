"""The documents' tables are those of the stored results."""

from pathlib import Path

import pytest

from leaderboard.board.entries import read_board
from leaderboard.board.source import HERE
from leaderboard.publishing.documents import fill_document

PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["README.md", "docs/findings.md"])
def test_the_tables_are_up_to_date(name):
    text = (PROJECT / name).read_text()
    assert "<!-- scores small -->" in text
    assert fill_document(text, read_board(HERE)) == text, (
        "python -m leaderboard.publishing.documents " + name
    )


def test_a_table_is_written_between_its_marks():
    text = "before\n<!-- profile small digits-web -->\nstale words\n<!-- end -->\nafter\n"
    new = fill_document(text, read_board(HERE))
    assert new.startswith("before\n<!-- profile small digits-web -->\n\n| method | log_frechet |")
    assert new.endswith("|\n\n<!-- end -->\nafter\n")
    assert "stale" not in new
    oracle = next(line for line in new.splitlines() if line.startswith("| `oracle` |"))
    assert oracle.split(" | ")[1] == "3.26"
    with pytest.raises(KeyError):
        fill_document("<!-- unknown small -->\n<!-- end -->", read_board(HERE))
