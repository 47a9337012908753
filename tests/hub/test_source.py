"""The board's results come from the dataset, and where it cannot be had the page says so."""

import json
import shutil
from pathlib import Path

import pytest

from leaderboard.board import source
from leaderboard.board.source import HERE, BoardSource
from tests.hub.repo import Blob

STORED = HERE / "results" / "small"


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture
def root(tmp_path):
    """What came with the page: one result."""
    folder = tmp_path / "root" / "results" / "small"
    folder.mkdir(parents=True)
    shutil.copy(STORED / "anchor.json", folder)
    return tmp_path / "root"


def published(*names):
    files = {f"results/small/{n}.json": Blob((STORED / f"{n}.json").read_bytes()) for n in names}
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
