"""`autophagy new`: a submission to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmark.submission.template import create_submission


def new(
    name: Annotated[str, typer.Argument(help="Lower-case letters, digits, _ and -.")],
    to: Annotated[
        Path | None,
        typer.Option(help="Folder to make, which ends in NAME. Default: submissions/NAME."),
    ] = None,
) -> None:
    """Copy the template of a submission: method.py, card.yaml and README.md."""
    folder = create_submission(name, to)
    print(f"Made {folder}: write {folder / 'method.py'}, then autophagy validate {folder}")
