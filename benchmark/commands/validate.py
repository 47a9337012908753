"""`autophagy validate`: a submission's checks, in seconds."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from benchmark.commands.terminal import Terminal

if TYPE_CHECKING:
    from benchmark.submission.checks import Validation

COLOURS = {"ok": "green", "failed": "red", "skipped": "dim"}


def validate(
    folder: Annotated[Path, typer.Argument(help="The submission, such as submissions/NAME.")],
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """Check a submission: card, hooks, a short trial in the sandbox. Nothing leaves the machine.

    Exits with status 1 if a check fails.
    """
    os.environ["OMP_NUM_THREADS"] = "1"  # before torch is loaded
    from benchmark.submission.checks import validate as check

    found = check(folder)
    if as_json:
        checks = [asdict(one) for one in found.checks]
        print(json.dumps({"passed": found.passed, "checks": checks}, indent=1))
    else:
        Terminal().print(checks_table(found, str(folder)))
    if not found.passed:
        raise typer.Exit(1)


def checks_table(found: Validation, title: str) -> Table:
    """One row a check."""
    sheet = Table(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    sheet.add_column("check", no_wrap=True)
    sheet.add_column("", no_wrap=True)
    sheet.add_column("what, where, and how to mend it", overflow="fold")
    for check in found.checks:
        status = f"[{COLOURS[check.status]}]{check.status}[/]"
        sheet.add_row(check.name, status, escape(check.message))
    return sheet
