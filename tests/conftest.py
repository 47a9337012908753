"""Shared fixtures: the real tasks at a tiny and at a toy size, one thread."""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import settings

import benchmark.tasks.suites
from benchmark.basics.cache import FolderCache
from benchmark.basics.processor import settle
from benchmark.interface.mitigation import Mitigation
from benchmark.lineage.loop import run_lineage
from benchmark.lineage.store import LineageFolder
from benchmark.tasks.suites import Suite
from benchmark.tasks.task import Task
from tests import tiny
from tests.finished import Finished, finish
from tests.system import CHROMIUM

pytest_plugins = ["pytester", "tests.cpu_limit"]

settle()
# An example may wait for a busy processor.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """First what waits for the longest fixture, so that nothing else is over when it begins."""
    items.sort(key=lambda item: "command" not in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A Chromium that reaches this machine only. One for all: playwright begins once a process."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    offline = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", offline])
        yield running
        running.close()


Once = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture
def tiny_suite(monkeypatch: pytest.MonkeyPatch) -> Suite:
    """Makes suite "quick" the tiny one, in this process."""
    monkeypatch.setitem(benchmark.tasks.suites._SUITES, "quick", lambda: tiny.TINY)
    return tiny.TINY


@pytest.fixture
def short_suite(monkeypatch: pytest.MonkeyPatch) -> Suite:
    """Makes suite "quick" the tiny one of one generation, in this process."""
    monkeypatch.setitem(benchmark.tasks.suites._SUITES, "quick", lambda: tiny.SHORT)
    return tiny.SHORT


@pytest.fixture
def toy_suite(monkeypatch: pytest.MonkeyPatch) -> Suite:
    """Makes suite "quick" the toy one, in this process."""
    monkeypatch.setitem(benchmark.tasks.suites._SUITES, "quick", lambda: tiny.TOY)
    return tiny.TOY


@pytest.fixture(params=["tiny", pytest.param("toy", marks=pytest.mark.slow)])
def suite(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Suite:
    """Makes suite "quick" the tiny one and, in `make test-all`, the toy one after it."""
    chosen = tiny.SIZES[request.param]
    monkeypatch.setitem(benchmark.tasks.suites._SUITES, "quick", lambda: chosen)
    return chosen


@pytest.fixture
def tasks(suite: Suite) -> dict[str, Task]:
    """The tasks of `suite` by name."""
    return tiny.by_name(suite)


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for all of xdist's workers."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def once(shared_folder: Path) -> Once:
    """A function (name, fill) -> folder, which the first worker that asks for it has filled.

    What lies there is of all tests: copy it before you change anything.
    """

    def filled(name: str, fill: Callable[[Path], object]) -> Path:
        folder, done = shared_folder / name, shared_folder / f"{name}.done"
        with FileLock(shared_folder / f"{name}.lock"):
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of a worker that did not get to its end
                folder.mkdir()
                fill(folder)
                done.touch()
        return folder

    return filled


@pytest.fixture(scope="session")
def finished(once: Once) -> Finished:
    """A finished run, see `tests.finished`, which nothing may change: take a `copy`."""
    return Finished(once("finished", finish))


@pytest.fixture
def finished_run(finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Finished:
    """A copy of the finished run for the test to change; makes suite "quick" its suite."""
    monkeypatch.setitem(benchmark.tasks.suites._SUITES, "quick", lambda: tiny.PROFILED)
    return finished.copy(tmp_path / "finished")


@pytest.fixture(scope="session")
def shared_cache(shared_folder: Path) -> FolderCache:
    """Generation 0 and the foreign generators, trained once for the whole session."""
    return FolderCache(shared_folder / "cache")


@pytest.fixture
def lineage(tmp_path: Path, tasks: dict[str, Task], shared_cache: FolderCache):
    """A function that runs one lineage under the test's folder."""

    def run(
        method: type[Mitigation], task: str = "digits-replace", folder: str = "lineage"
    ) -> list[dict[str, Any]]:
        return run_lineage(tasks[task], method, 0, LineageFolder(tmp_path / folder), shared_cache)

    return run
