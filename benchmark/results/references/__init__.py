"""The two references, run once for a version of the benchmark and kept with it.

`SUITE/nothing.json` and `SUITE/oracle.json` are ordinary results, written by `freeze.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path

from benchmark.interface.names import REFERENCES
from benchmark.results.schema import Result, load_result

FOLDER = Path(str(resources.files("benchmark.results.references")))


def frozen(suite: str, tasks: Mapping[str, str], seeds: Sequence[int]) -> dict[str, Result]:
    """The frozen references on just these tasks (name -> hash) and seeds, by name.

    Empty if one of the tasks, in this version, or of the seeds was not frozen: the references must
    then be run.
    """
    found = {}
    for name in REFERENCES:
        file = file_of(suite, name)
        part = _part(_stored(file), tasks, seeds) if file.exists() else None
        if part is None:
            return {}
        found[name] = part
    return found


def file_of(suite: str, name: str) -> Path:
    """Where the frozen result of a reference lies, if there is one."""
    return FOLDER / suite / f"{name}.json"


_stored = cache(load_result)  # they come with the benchmark: no file changes


def _part(result: Result, tasks: Mapping[str, str], seeds: Sequence[int]) -> Result | None:
    kept = {}
    for name, wanted in tasks.items():
        stored = result.tasks.get(name)
        if stored is None or stored.hash != wanted:
            return None
        lineages = [lineage for lineage in stored.lineages if lineage.seed in seeds]
        if len(lineages) < len(seeds):
            return None
        kept[name] = stored.model_copy(update={"lineages": lineages})
    return result.model_copy(update={"tasks": kept})
