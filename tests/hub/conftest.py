"""A Hub and a finished run of a submission on two toy tasks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from huggingface_hub import constants

import benchmark
import benchmark.tasks.suites
from benchmark.tasks.suites import Suite
from tests.conftest import TOY_TASKS
from tests.hub import LoopbackHub

OWN = Path(__file__).parents[2] / "submissions" / "tail_quota"
TWO = Suite("quick", "toy", tuple(TOY_TASKS[f"{x}-replace"] for x in ("digits", "speeches")), (0,))


@dataclass(frozen=True)
class Run:
    """A submission's folder and the folder of its run."""

    folder: Path
    out: Path

    @property
    def result(self) -> Path:
        return self.out / "quick" / "tail_quota.json"

    def copy(self, to: Path) -> Run:
        """The same elsewhere, to be spoilt."""
        shutil.copytree(self.folder, to / self.folder.name)
        shutil.copytree(self.out, to / "runs", ignore=shutil.ignore_patterns("cache"))
        return Run(to / self.folder.name, to / "runs")


@pytest.fixture(autouse=True)
def two_tasks(monkeypatch: pytest.MonkeyPatch) -> Suite:
    """Makes suite "quick" one of two toy tasks."""
    monkeypatch.setitem(benchmark.tasks.suites._SUITES, "quick", lambda: TWO)
    return TWO


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("submitted") / "tail_quota"
    shutil.copytree(OWN, folder, ignore=shutil.ignore_patterns("__pycache__"))
    method = folder.parent / "tail_quota.py"
    shutil.copy(folder / "method.py", method)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(benchmark.tasks.suites._SUITES, "quick", lambda: TWO)
        benchmark.run(method, suite="quick", workers=1, out=folder.parent / "runs")
    return Run(folder, folder.parent / "runs")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """A Hub with an empty dataset org/results, and a token for it in the environment."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    with LoopbackHub() as running:
        running.create("datasets", "org/results")
        monkeypatch.setenv("HF_TOKEN", running.token)
        yield running
