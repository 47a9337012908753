"""Writes down what a maintainer found out about an entry, beside its result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from benchmark.basics.files import write_bytes
from benchmark.submission.trust import advance_trust, load_trust, trust_file


def record_state(
    result: Path, state: Literal["re-scored", "re-run", "rejected"], reason: str
) -> Path:
    """Raise the state of the entry with that result; returns the file.

    Raises:
        InputError: it was rejected before, or the file cannot be written.
        CorruptFile: the stored state is damaged.
    """
    path = trust_file(result)
    found = advance_trust(result.read_bytes(), load_trust(result), state, reason)
    write_bytes(path, found.to_json())
    return path


def write_verification(result: Path, record: dict[str, Any]) -> Path:
    """Keep a re-run's record in `verified/NAME.json` beside the result; returns the file."""
    path = result.parent / "verified" / result.name
    write_bytes(path, (json.dumps(record, indent=1, sort_keys=True) + "\n").encode())
    return path
