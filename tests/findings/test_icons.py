"""The script that asks whether icons can be learnt trains and measures at a toy size."""

from dataclasses import replace

import pytest

from benchmark.tasks.suites import load_task
from tests.findings import icons
from tests.hub.tiny import toy


def test_the_ruler_is_laid_on_real_icons():
    said: list[dict] = []
    task = toy(load_task("icons-web", "standard"))
    icons.measure_ruler(replace(task, n=30), lambda **numbers: said.append(numbers), (0, 8))
    assert [(line["era"], line["swapped"]) for line in said] == [
        (0, 0.0), (0, 0.1), (0, 0.5), (0, 1.0), (8, 0.0),
    ]  # fmt: skip
    assert said[0]["agreement"] > said[3]["agreement"]


@pytest.mark.slow
def test_the_generator_is_trained_and_measured():
    said: list[dict] = []
    task = toy(load_task("icons-replace", "standard"))
    items = icons.measure(replace(task, n=30), lambda **numbers: said.append(numbers))
    assert len(items) == 24
    assert said[0] | {"trained_on": 30, "heldout": 12} == said[0]
    assert said[0]["real_recognised"] > 0.1
    assert said[1]["items"] == task.generator.steps * task.generator.batch
    for name in ("held out", "trained on"):
        of = [line for line in said if line.get("of") == name]
        assert of[0]["nats_a_word"] > 0
        assert of[0]["blind"] > 0
        assert [line["guidance"] for line in of[1:]] == list(icons.GUIDANCE)
        assert all(0 <= line["painted_and_recognised"] <= 1 for line in of[1:])
