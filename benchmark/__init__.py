"""Autophagy Bench: the benchmark of strategies that mitigate model collapse.

Names are resolved on first use (PEP 562), so that `import benchmark` costs nothing and the
command line answers before torch is loaded.

To import it chooses torch's instructions, for this process and those it starts (see
`benchmark.basics.machine`). If this process has used torch before, it goes on as it began: a
result names the instructions that made it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from benchmark.basics.machine import agree_on_instructions

if TYPE_CHECKING:
    from benchmark.interface.access import Access
    from benchmark.interface.generator import Sampling
    from benchmark.interface.items import Items, TrainingSet
    from benchmark.interface.mitigation import Mitigation
    from benchmark.interface.round import Round
    from benchmark.interface.sources import FOREIGN, REAL
    from benchmark.runs.grid import run
    from benchmark.tasks.suites import load_task

__version__ = "0.2.0"
__all__ = [
    "FOREIGN",
    "REAL",
    "Access",
    "Items",
    "Mitigation",
    "Round",
    "Sampling",
    "TrainingSet",
    "load_task",
    "run",
]

agree_on_instructions()

_HOME = {
    "Access": "interface.access",
    "FOREIGN": "interface.sources",
    "Items": "interface.items",
    "Mitigation": "interface.mitigation",
    "REAL": "interface.sources",
    "Round": "interface.round",
    "Sampling": "interface.generator",
    "TrainingSet": "interface.items",
    "load_task": "tasks.suites",
    "run": "runs.grid",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'benchmark' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"benchmark.{_HOME[name]}"), name)
    globals()[name] = value
    return value
