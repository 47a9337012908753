"""The board's results come from the dataset, and where it cannot be had the page says so."""

import json
from pathlib import Path

import pytest

from leaderboard.board import source
from leaderboard.board.source import HERE, BoardSource
from tests.board import toys
from tests.hub.repo import Blob


@pytest.fixture(autouse=True)
def frozen(tmp_path):
    with toys.frozen(tmp_path / "frozen") as folder:
        yield folder


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture
def root(tmp_path):
    """What came with the page: one result."""
    toys.store(tmp_path / "root", toys.result("anchor"))
    return tmp_path / "root"


def published(*names):
    files = {f"results/small/{n}.json": Blob(toys.result(n).to_json()) for n in names}
    return files | {"samples/small/anchor/big.safetensors": Blob(bytes(10))}


def names(found):
    return {e.name for e in found.board().entries["small"] if not e.reference}


def test_the_dataset_is_read_and_read_again(hub, root):
    dataset = hub.repos["datasets", "org/results"]
    dataset.store("main", published("accumulate_subsample"), "one")
    found = BoardSource(root, "org/results", hub.url)
    assert names(found) == {"accumulate_subsample"}
    sha = dataset.refs["main"].sha
    assert f"the dataset org/results at revision {sha[:7]}, changed" in found.origin()
    assert "days ago" in found.origin()
    assert not any("safetensors" in request for request in hub.requests)

    board = found.board()
    found.refresh()
    assert found.board() is board  # nothing new
    dataset.store("main", published("accumulate_subsample", "anchor"), "two")
    found.refresh()
    assert names(found) == {"accumulate_subsample", "anchor"}


def test_without_the_hub_the_last_board_stays(hub, root):
    hub.repos["datasets", "org/results"].store("main", published("accumulate_subsample"), "one")
    found = BoardSource(root, "org/results", hub.url)
    hub.fail(".", drop="before", times=10_000)
    found.refresh()
    assert names(found) == {"accumulate_subsample"}
    said = f"The dataset org/results cannot be read now ({hub.url} cannot be reached)."
    assert said in found.origin()
    # A page begun now shows what this machine read last.
    again = BoardSource(root, "org/results", hub.url)
    assert names(again) == {"accumulate_subsample"}
    assert "as it was read last" in again.origin()


def test_what_was_never_read_falls_back_to_what_came_with_the_page(hub, root):
    found = BoardSource(root, "org/missing", hub.url)
    assert names(found) == {"anchor"}
    assert found.origin().startswith("Shown: the results that came with this page; the newest")
    assert f"cannot be read now ({hub.url} does not show it (status 404))" in found.origin()


def test_results_of_this_folder(root):
    found = BoardSource(root)
    assert names(found) == {"anchor"}
    created = json.loads((root / "results/small/anchor.json").read_text())["created"]
    assert found.origin().endswith(f"the newest result is of {created[:10]}.")
    assert Path(source.__file__).parents[1] == HERE


def test_trust_that_came_with_a_submission_is_ignored_and_said(hub, root, tmp_path):
    """A merged pull request may hold any file; the page trusts what came with itself."""
    theirs = tmp_path / "theirs"
    toys.rerun(toys.store(theirs, toys.result("anchor")), 0.9)
    files = {
        path.relative_to(theirs).as_posix(): Blob(path.read_bytes())
        for path in theirs.rglob("*")
        if path.is_file()
    }
    assert any("trust/" in path for path in files)
    hub.repos["datasets", "org/results"].store("main", files, "one")
    board = BoardSource(root, "org/results", hub.url).board()
    assert board.entry("small", "anchor").state.name == "self-reported"
    assert {"only maintainers say" in refused.reason for refused in board.refused} == {True}
    toys.rerun(root / "results/small/anchor.json", 0.27)  # the same bytes as in the dataset
    board = BoardSource(root, "org/results", hub.url).board()
    assert board.entry("small", "anchor").state.name == "re-run"
    assert board.entry("small", "anchor").recoveries[toys.IMAGE][1] == 0.27


def test_a_date_in_the_future_is_a_wrong_clock_not_the_newest_result(root):
    late = toys.result("late")
    late.created = "2099-12-31T23:59:59+00:00"
    toys.store(root, late)
    assert "the newest result is of 2026-01-02." in BoardSource(root).origin()
