"""`autophagy list`: suites, tasks and methods."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table


def list_(
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """List suites, tasks and methods."""
    from benchmark.methods import baselines, describe
    from benchmark.tasks import SUITE_NAMES, load_suite

    suites = [load_suite(name) for name in SUITE_NAMES]
    methods = {name: describe(file) for name, file in baselines().items()}
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
    console = Console()
    for suite in suites:
        sheet = Table(title=f"Suite {suite.name}: {suite.description}", title_justify="left")
        for heading in ("task", "what it is", "items", "generations", "seeds"):
            sheet.add_column(heading)
        for task in suite.tasks:
            seeds = ", ".join(map(str, suite.seeds))
            sheet.add_row(task.name, task.description, f"{task.n}", f"{task.generations}", seeds)
        console.print(sheet)
    sheet = Table(title="Methods", title_justify="left")
    for heading in ("method", "access", "what it does"):
        sheet.add_column(heading)
    for name, (summary, tier) in methods.items():
        sheet.add_row(name, tier, summary)
    console.print(sheet)
