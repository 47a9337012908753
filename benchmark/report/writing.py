"""Writes the files of a report."""

from __future__ import annotations

import re
from pathlib import Path

from benchmark.basics.errors import cannot_write


def write_report_file(file: Path, content: bytes) -> None:
    """Write a file and the folders it lies in.

    Raises:
        InputError: no permission, no room, or a folder's name is taken by a file.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    except OSError as error:
        raise cannot_write(file, error, "the report") from error


def name_figure(kind: str, task: str) -> str:
    """The name of a task's figure; a task's name comes from a file of others."""
    return f"{kind}-{re.sub(r'[^A-Za-z0-9_.-]', '_', task)}"
