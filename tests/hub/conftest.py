"""A Hub, and the tasks of the finished run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from huggingface_hub import constants

import benchmark.tasks.suites
from benchmark.hub.parts import Part
from benchmark.results.schema import load_result
from benchmark.submission.folder import read_folder
from benchmark.submission.upload import list_parts
from benchmark.tasks.suites import Suite
from tests import tiny
from tests.finished import Finished
from tests.hub import LoopbackHub


@pytest.fixture(autouse=True)
def profiled_tasks(monkeypatch: pytest.MonkeyPatch) -> Suite:
    """Makes suite "quick" that of the finished run."""
    monkeypatch.setitem(benchmark.tasks.suites._SUITES, "quick", lambda: tiny.PROFILED)
    return tiny.PROFILED


@pytest.fixture(scope="session")
def listed(finished: Finished) -> tuple[Part, ...]:
    """Everything that a submission of the finished run sends; drawing its gallery takes a while."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(benchmark.tasks.suites._SUITES, "quick", lambda: tiny.PROFILED)
        result = load_result(finished.result)
        return tuple(list_parts(read_folder(finished.folder), result, finished.result))


@pytest.fixture
def parts(listed: tuple[Part, ...]) -> list[Part]:
    """The same, for the test to change."""
    return list(listed)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """A Hub with an empty dataset org/results, and a token for it in the environment."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    with LoopbackHub() as running:
        running.create("datasets", "org/results")
        monkeypatch.setenv("HF_TOKEN", running.token)
        yield running
