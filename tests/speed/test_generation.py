"""What one generation of each task of `small` costs, so that tasks can be sized."""

from dataclasses import replace

import pytest

from benchmark import Mitigation
from benchmark.basics.cache import FolderCache
from benchmark.lineage.loop import run_lineage
from benchmark.lineage.store import LineageFolder
from benchmark.tasks.suites import load_suite
from tests.tiny import TOY_TASKS

STAGES = ("train", "sample", "evaluate")


@pytest.mark.parametrize("name", [task.name for task in load_suite("small").tasks])
def test_generation(benchmark, note_generation, tmp_path, name):
    """Generation 2: the first two compute what later ones read."""
    tasks = {t.name: t for t in load_suite("small").tasks} if benchmark.enabled else TOY_TASKS
    task = replace(tasks[name], generations=2)
    store, cache = LineageFolder(tmp_path / "lineage"), FolderCache(tmp_path / "cache")
    records = benchmark.pedantic(run_lineage, (task, Mitigation, 0, store, cache), rounds=1)
    seconds = records[-1]["seconds"]
    assert all(seconds[stage] > 0 for stage in STAGES)
    if benchmark.enabled:
        note_generation(name, {stage: seconds[stage] for stage in STAGES})
