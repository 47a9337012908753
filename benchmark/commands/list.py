"""`autophagy list`: suites, tasks and methods."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.padding import Padding
from rich.text import Text

from benchmark.basics.plain import clean_terminal
from benchmark.commands.tables import open_console
from benchmark.commands.terminal import Terminal
from benchmark.interface.names import find_baselines, read_summary
from benchmark.tasks.suites import SUITE_NAMES, load_suite


def list_(
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """List suites, tasks and methods."""
    suites = [load_suite(name) for name in SUITE_NAMES]
    methods = {name: read_summary(file) for name, file in find_baselines().items()}
    if as_json:
        document = {
            "suites": {
                suite.name: {
                    "description": suite.description,
                    "seeds": list(suite.seeds),
                    "tasks": {
                        task.name: {
                            "description": task.description,
                            "hash": task.hash,
                            "n": task.n,
                            "generations": task.generations,
                            "primary": task.evaluation.primary,
                        }
                        for task in suite.tasks
                    },
                }
                for suite in suites
            },
            "methods": {
                name: {"summary": summary, "access": tier}
                for name, (summary, tier) in methods.items()
            },
        }
        print(json.dumps(document, indent=1))
        return
    console = open_console()
    for suite in suites:
        (generations,) = {task.generations for task in suite.tasks}
        seeds = f"seed{'s' if len(suite.seeds) > 1 else ''} {', '.join(map(str, suite.seeds))}"
        console.print(Text.assemble((f"Suite {suite.name}", "bold"), f": {suite.description}"))
        console.print(f"{generations} generations, {seeds}")
        for task in suite.tasks:
            _show(console, task.name, f"{task.n:,} items", task.description)
    console.print(Text.assemble(("Methods", "bold"), ", and what they see"))
    for name, (summary, access) in methods.items():
        _show(console, name, access, summary)


def _show(console: Terminal, name: str, detail: str, meaning: str) -> None:
    console.print(Text.assemble("  ", (name, "bold"), f" ({detail})"))
    console.print(Padding(Text(clean_terminal(meaning)), (0, 0, 0, 6)))
