"""Fixtures of the speed cases. With benchmarking disabled each runs once, at a toy size."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from benchmark import TrainingSet
from benchmark.basics.seeds import stream
from benchmark.tasks.suites import load_task
from tests.speed import ceiling, table
from tests.tiny import TOY_TASKS, era_of

ROWS: list[table.Row] = []
GENERATIONS: dict[str, dict[str, float]] = {}  # by task, processor seconds by stage


class Bench:
    """Times functions through pytest-benchmark and notes rows of the table."""

    def __init__(self, fixture: Any, name: str) -> None:
        self.fixture, self.name = fixture, name
        self.enabled: bool = fixture.enabled

    def __call__(
        self,
        function: Callable[[], Any],
        rounds: int = 5,
        flop: int | None = None,
        shape: ceiling.Shape = ceiling.LARGE,
    ) -> None:
        """Time `function`, whose `flop` are compared with products of `shape`."""
        before = self._products(shape) if self.enabled else (1.0, 1.0)
        self.fixture.pedantic(function, rounds=rounds, warmup_rounds=1)
        if not self.enabled:
            return
        after = self._products(shape)
        large, own = map(min, before, after)
        row = table.Row(self.name, self.fixture.stats.stats.min, large)
        if flop is not None:
            rate = flop / row.seconds
            row.shares = (
                rate * large / ceiling.flop(ceiling.LARGE),
                rate * own / ceiling.flop(shape),
            )
            self.fixture.extra_info |= {
                "flop": flop,
                "share of a 1024^3 product": row.shares[0],
                f"share of a {shape} product": row.shares[1],
            }
        ROWS.append(row)

    def against(
        self, ours: Callable[[], Any], peers: dict[str, Callable[[], Any]], rounds: int = 4
    ) -> dict[str, float]:
        """Time ours and the peers in turn, so that all see the same machine.

        Returns:
            By peer, the least of its seconds over the least of ours: the machine's other work only
            adds.
        """
        sides = {"": ours} | peers
        times: dict[str, list[float]] = {name: [] for name in sides}

        def turn() -> None:
            for name, side in sides.items():
                start = time.process_time()
                side()
                times[name].append(time.process_time() - start)

        gemm = ceiling.seconds(ceiling.LARGE) if self.enabled else 1.0
        self.fixture.pedantic(turn, rounds=rounds, warmup_rounds=1)
        least = {k: min(v[1:] or v) for k, v in times.items()}
        ratios = {name: least[name] / least[""] for name in peers}
        if self.enabled:
            ROWS.append(table.Row(f"{self.name}: ours", least[""], gemm))
            for name, speedup in ratios.items():
                ROWS.append(table.Row(f"{self.name}: {name}", least[name], gemm, speedup=speedup))
            self.fixture.extra_info |= {"seconds": least, "speed-up": ratios}
        return ratios

    @staticmethod
    def _products(shape: ceiling.Shape) -> tuple[float, float]:
        return ceiling.seconds(ceiling.LARGE), ceiling.seconds(shape)


@pytest.fixture
def bench(benchmark: Any, request: pytest.FixtureRequest) -> Bench:
    name = request.node.name.removeprefix("test_").replace("_", " ")
    return Bench(benchmark, name.replace("[", ", ").replace("]", ""))


class Scale:
    """A task with a little trained model, its real items and samples."""

    def __init__(self, name: str, enabled: bool) -> None:
        self.task = load_task(name, "closed") if enabled else TOY_TASKS[name]
        self.generator = self.task.generator.build()
        self.era = era_of(self.task.data.build(), self.task.n, self.task.reserve, "speed")
        self.crawl = self.era.real
        steps = 40 if enabled else 4
        self.model = self.generator.train(TrainingSet(self.crawl), stream("speed"), steps=steps)


@pytest.fixture(scope="session")
def scale(request: pytest.FixtureRequest) -> Callable[[str], Scale]:
    """A function from "image" or "text" to the task at `small` scale."""
    made: dict[str, Scale] = {}
    enabled = request.config.getoption("benchmark_enable")

    def get(modality: str) -> Scale:
        name = {"image": "digits-replace", "text": "speeches-replace"}[modality]
        if name not in made:
            made[name] = Scale(name, enabled)
        return made[name]

    return get


@pytest.fixture
def note_generation() -> Callable[[str, dict[str, float]], None]:
    """A function that notes what one generation of a task costs by stage."""
    return GENERATIONS.__setitem__


def pytest_terminal_summary() -> None:
    if GENERATIONS:
        table.show_generations(GENERATIONS)
    if not ROWS:
        return
    table.show(ROWS)
    if os.environ.get("SAVE_BASELINE"):
        table.save(ROWS)
