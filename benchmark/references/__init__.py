"""The two references, run once for a version of the benchmark and kept with it.

`SUITE/nothing.json` and `SUITE/oracle.json` are ordinary results, written by `freeze.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from benchmark.methods import REFERENCES
from benchmark.results import Result, load_result
from benchmark.tasks import Task

FOLDER = Path(str(resources.files("benchmark.references")))


def frozen(suite: str, tasks: Sequence[Task], seeds: Sequence[int]) -> dict[str, Result]:
    """The frozen references on just these tasks and seeds, by name.

    Empty if one of the tasks (by hash) or seeds was not frozen: they must then be run.
    """
    found = {}
    for name in REFERENCES:
        file = FOLDER / suite / f"{name}.json"
        part = _part(load_result(file), tasks, seeds) if file.exists() else None
        if part is None:
            return {}
        found[name] = part
    return found


def _part(result: Result, tasks: Sequence[Task], seeds: Sequence[int]) -> Result | None:
    kept = {}
    for task in tasks:
        stored = result.tasks.get(task.name)
        if stored is None or stored.hash != task.hash:
            return None
        lineages = [lineage for lineage in stored.lineages if lineage.seed in seeds]
        if len(lineages) < len(seeds):
            return None
        kept[task.name] = stored.model_copy(update={"lineages": lineages})
    return result.model_copy(update={"tasks": kept})
