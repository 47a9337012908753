"""`autophagy validate`: a submission's checks, in seconds."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from benchmark.commands.tables import open_console, sheet, word
from benchmark.submission.checks import Validation, validate_submission

COLOURS = {"ok": "green", "failed": "red", "skipped": "dim"}


def validate(
    folder: Annotated[Path, typer.Argument(help="The submission, such as submissions/NAME.")],
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """Check a submission: card, hooks, a short trial in the sandbox. Nothing leaves the machine.

    Exits with status 1 if a check fails.
    """
    found = validate_submission(folder)
    if as_json:
        checks = [asdict(one) for one in found.checks]
        print(json.dumps({"passed": found.passed, "checks": checks}, indent=1))
    else:
        open_console().print(checks_table(found, str(folder)))
    if not found.passed:
        raise typer.Exit(1)


def checks_table(found: Validation, title: str) -> Table:
    """One row a check."""
    rows = [(c.name, Text(c.status, COLOURS[c.status]), c.message) for c in found.checks]
    return sheet([word("check"), word(""), "what, where, and how to mend it"], rows, title)
