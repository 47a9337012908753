"""Shared fixtures: the real tasks at a toy size, one thread."""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

from pathlib import Path
from typing import Any

import pytest

import benchmark.tasks.suites
from benchmark.basics.cache import FolderCache
from benchmark.basics.processor import settle
from benchmark.interface.mitigation import Mitigation
from benchmark.lineage.loop import run_lineage
from benchmark.lineage.store import LineageFolder
from benchmark.tasks.suites import Suite, load_suite, shrink_task

settle()

TOY = Suite("quick", "toy", tuple(map(shrink_task, load_suite("small").tasks)), (0,))
TOY_TASKS = {task.name: task for task in TOY.tasks}


@pytest.fixture
def toy_suite(monkeypatch: pytest.MonkeyPatch) -> Suite:
    """Makes suite "quick" the toy one, in this process."""
    monkeypatch.setitem(benchmark.tasks.suites._SUITES, "quick", lambda: TOY)
    return TOY


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> FolderCache:
    """Generation 0 and the foreign generators, trained once for the whole session."""
    return FolderCache(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def lineage(tmp_path: Path, shared_cache: FolderCache):
    """A function that runs one lineage under the test's folder."""

    def run(
        method: type[Mitigation], task: str = "digits-replace", folder: str = "lineage"
    ) -> list[dict[str, Any]]:
        store = LineageFolder(tmp_path / folder)
        return run_lineage(TOY_TASKS[task], method, 0, store, shared_cache)

    return run
