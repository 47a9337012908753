"""A pytest plugin that keeps `make test` short: a test without the mark `slow` may take 15 seconds
of processor time, more on a slower processor."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

import pytest
import torch

LIMIT = 15.0  # seconds: 7 on a quiet machine, which a busy one makes up to twice as many
PRODUCT = 0.012  # seconds of `measure_slowness`'s product there (an Intel Xeon with AVX-512)
MARKS = (
    "slow: a whole class of behaviour again at full size; in make test-all only",
    "pool: starts workers, whose processor time is not counted: imports alone take seconds",
)


def pytest_configure(config: pytest.Config) -> None:
    for mark in MARKS:
        config.addinivalue_line("markers", mark)
    if not config.getoption("benchmark_enable", False):  # `make bench` is meant to take long
        config.pluginmanager.register(Meter(LIMIT * measure_slowness()))


def measure_slowness() -> float:
    """How many times as long as where `LIMIT` was chosen this machine computes; 1 at least."""
    square, took = torch.ones(1024, 1024), []
    for _ in range(6):
        began = time.process_time()
        square @ square
        took.append(time.process_time() - began)
    return max(1.0, min(took) / PRODUCT)


def seconds(children: bool = True) -> float:
    """Processor time of this process, and of the children that it waited for."""
    who = [resource.RUSAGE_SELF] + [resource.RUSAGE_CHILDREN] * children
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, who))


def end_workers() -> None:
    """End the pool of a test that ran with several workers, and wait for it.

    joblib would keep it for minutes, and its time would be that of whichever test runs then.
    """
    loky = sys.modules.get("joblib.externals.loky.reusable_executor")
    pool = getattr(loky, "_executor", None)
    if pool is not None:
        pool.shutdown(wait=True, kill_workers=True)


class Meter:
    """Measures each test: what its session's fixtures took is not its own."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.counted: Callable[[], float] = seconds
        self.began = 0.0
        self.shared = 0.0
        self.inside = 0  # fixtures of the session that are being made

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, Any, Any]:
        self.counted = partial(seconds, children=item.get_closest_marker("pool") is None)
        self.began, self.shared = self.counted(), 0.0
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Generator[None, Any, Any]:
        if fixturedef.scope != "session":
            return (yield)
        began = self.counted()
        self.inside += 1
        try:
            return (yield)
        finally:
            self.inside -= 1
            if not self.inside:
                self.shared += self.counted() - began

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        try:
            result = yield
        finally:
            end_workers()
        spent = self.counted() - self.began - self.shared
        if spent > self.limit and item.get_closest_marker("slow") is None:
            pytest.fail(
                f"took {spent:.1f} seconds of processor time, more than {self.limit:g}: make it "
                f"smaller, or mark it slow and leave what it tests in a small test",
                pytrace=False,
            )
        return result
