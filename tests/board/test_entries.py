"""Every file of a results folder is on the board, or refused with the reason."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from benchmark.basics.errors import AutophagyError, InputError
from benchmark.results import references
from benchmark.results.references import frozen_file
from benchmark.results.schema import load_result
from benchmark.submission.record import record_state
from leaderboard.board.entries import read_board

STORED = Path(__file__).parents[2] / "leaderboard" / "results" / "small"
FILE = "results/small/anchor.json"
OWN = {"nothing": "own", "clean": "own"}
CARD = {
    "name": "anchor",
    "summary": "<script>alert(1)</script> replaces a tenth.",
    "authors": ["=Ada", "Émile"],
    "access": ["RESERVE"],
    "hyper_parameters": {},
    "licence": "MIT",
}


@pytest.fixture
def root(tmp_path):
    """Results of two methods."""
    folder = tmp_path / "results" / "small"
    folder.mkdir(parents=True)
    for name in ("anchor", "accumulate_subsample"):
        shutil.copy(STORED / f"{name}.json", folder)
    return tmp_path


def edited(root, name="anchor", to="anchor", **changes):
    """Writes a changed copy of a stored result, as `run` writes it."""
    document = json.loads((STORED / f"{name}.json").read_text())
    for key, value in changes.items():
        *way, last = key.split("__")
        place = document
        for step in way:
            place = place[step.replace("_", "-") if step.startswith("digits") else step]
        place[last] = value
    file = root / "results" / "small" / f"{to}.json"
    file.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")
    return file


def names(board):
    return [entry.name for entry in board.entries.get("small", [])]


def card(root, **changes):
    file = root / "submissions" / "anchor" / "card.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(CARD | changes))


def test_entries_and_the_references(root):
    card(root)
    board = read_board(root)
    assert names(board) == ["nothing", "clean", "accumulate_subsample", "anchor"]
    assert not board.refused
    nothing, clean, _, anchor = board.entries["small"]
    assert set(nothing.recoveries["digits-web"]) == {0.0}
    assert set(clean.recoveries["digits-web"]) == {1.0}
    assert (anchor.access_tier, anchor.state.name) == ("reserve", "self-reported")
    assert anchor.card.authors == ["=Ada", "Émile"]
    assert board.result("small", "anchor").method.name == "anchor"
    assert board.references("small", "anchor")["clean"].method.name == "clean"
    with pytest.raises(InputError, match="no entry 'other'"):
        board.entry("small", "other")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda r: edited(r, schema_version=2), "schema version 2"),
        (lambda r: edited(r, benchmark_version="9"), "is of version '9' of the benchmark"),
        (
            lambda r: edited(r, tasks__digits_web__hash="0" * 64),
            r"another version of the task \(hash '00000000",
        ),
        (lambda r: edited(r, method__name="other"), "a file has the name of its method"),
        (lambda r: edited(r, suite="huge"), "there is no suite 'huge'"),
        (lambda r: edited(r, tasks={}), "not of all tasks"),
        (lambda r: (r / FILE).write_bytes(b"\xff{"), "is not a result"),
        (lambda r: (r / FILE).write_text("[" * 10**6), "is not a result"),
        (lambda r: card(r, access=[]), "differ in name or access"),
        (lambda r: card(r, licence="x y z"), "card.yaml, field 'licence'"),
        (lambda r: card(r, authors=["x" * 99] * 400), "larger than"),
        (
            lambda r: (card(r), (r / "submissions/anchor/method.py").write_text("pass")),
            "another version of submissions/anchor/method.py",
        ),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_refused_and_the_others_are_shown(root, spoil, reason):
    read_board(root)  # what is kept of it does not hide the change
    spoil(root)
    board = read_board(root)
    assert names(board) == ["nothing", "clean", "accumulate_subsample"]
    (refused,) = board.refused
    assert (refused.suite, refused.file) == ("small", "anchor.json")
    assert re.search(reason, refused.reason), refused.reason
    assert str(root) not in refused.reason


def test_a_reference_from_elsewhere_is_refused(root):
    shutil.copy(frozen_file("small", "nothing"), root / "results/small/nothing.json")
    (refused,) = read_board(root).refused
    assert "is a reference, which comes with the benchmark" in refused.reason


def test_references_that_an_entry_brought_are_used_where_none_are_frozen(root, monkeypatch):
    edited(root, references=OWN)
    own = {name: load_result(frozen_file("small", name)) for name in ("nothing", "clean")}
    monkeypatch.setattr(references, "FOLDER", root / "none")
    for name, clean in own.items():
        (root / "results" / "small" / f"{name}.json").write_bytes(clean.to_json())
    board = read_board(root)
    assert "anchor" not in names(board)  # that folder is everybody's
    assert "references/small/anchor/nothing.json is not there" in board.refused[1].reason
    folder = root / "references" / "small" / "anchor"
    folder.mkdir(parents=True)
    for name, clean in own.items():
        (folder / f"{name}.json").write_bytes(clean.to_json())
    before = read_board(root).entry("small", "anchor")
    assert before.references == "own"
    for generation in clean.tasks["digits-web"].lineages[0].generations[1:]:
        generation.profile["log_frechet"] -= 0.2  # a better clean: less is recovered
    (folder / "clean.json").write_bytes(clean.to_json())
    after = read_board(root).entry("small", "anchor")
    assert after.recoveries["digits-web"][0] < before.recoveries["digits-web"][0]
    assert after.recoveries["digits-web"][1:] == before.recoveries["digits-web"][1:]


def test_trust_is_that_of_these_very_bytes(root):
    file = root / "results" / "small" / "anchor.json"
    record_state(file, "re-scored", "samples give the same profile")
    state = read_board(root).entry("small", "anchor").state
    assert (state.name, state.reason) == ("re-scored", "samples give the same profile")
    edited(root, created="2026-11-01T00:00:00+00:00")
    assert read_board(root).entry("small", "anchor").state.name == "self-reported"
    record_state(file, "rejected", "reads the test set")
    board = read_board(root)
    assert "anchor" not in names(board)
    assert "was rejected on" in board.refused[0].reason
    assert "reads the test set" in board.refused[0].reason


def test_a_previewed_result_is_marked_beside_the_published_one(root, tmp_path):
    own = tmp_path / "runs" / "small" / "anchor.json"
    own.parent.mkdir(parents=True)
    shutil.copy(STORED / "anchor.json", own)
    board = read_board(root, [own])
    assert names(board)[-2:] == ["anchor", "anchor (yours)"]
    assert board.entry("small", "anchor (yours)").mine
    own.write_text("{}")
    with pytest.raises(AutophagyError, match="is not a result"):
        read_board(root, [own])
