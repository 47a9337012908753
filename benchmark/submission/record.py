"""Writes down what a maintainer found out about an entry: what, when, who, with which code."""

from __future__ import annotations

import getpass
import hashlib
import subprocess
from pathlib import Path
from typing import NamedTuple

import benchmark
from benchmark.basics.files import alone_in, write_bytes
from benchmark.basics.plain import clean_line, read_limited
from benchmark.results.schema import LARGEST
from benchmark.submission.trust import LARGEST as LARGEST_RECORD
from benchmark.submission.trust import (
    Finding,
    Rerun,
    advance_trust,
    load_trust,
    record_file,
    refuse_rejected,
    trust_file,
)


class Checker(NamedTuple):
    """Who checks, and the commit of the benchmark that does."""

    by: str
    commit: str


def find_checker(by: str | None = None) -> Checker:
    """Who runs this: `by`, or the name that git knows, or the user's; and the code's commit.

    A commit is followed by "+" where the code was changed since; a copy that is no repository has
    its version instead.
    """
    folder = Path(benchmark.__file__).parent
    commit = _git(folder, "rev-parse", "HEAD") if (folder.parent / ".git").exists() else ""
    if commit and _git(folder, "status", "--porcelain", "--", "."):
        commit += "+"
    who = by or _git(folder, "config", "user.name") or _user()
    return Checker(clean_line(who, 100), commit or f"version {benchmark.__version__}")


def check_open(result: Path, findings: Path | None = None) -> None:
    """For whoever is about to check a result: nothing that is found after a rejection counts.

    Args:
        findings: the maintainers' folder, see `trust_file`; without it beside the result.

    Raises:
        InputError: it was rejected, or cannot be read.
        CorruptFile: the stored state is damaged.
    """
    refuse_rejected(read_limited(result, LARGEST, "result"), load_trust(result, findings))


def record_state(
    result: Path,
    state: Finding,
    reason: str,
    findings: Path | None = None,
    by: str | None = None,
    record: Path | None = None,
) -> Path:
    """Raise the state of the entry with that result; returns the file.

    Args:
        findings: the maintainers' folder, see `trust_file`; without it beside the result.
        by: who found it; without it whoever runs this.
        record: of the re-run that it follows from, as `write_verification` left it.

    Raises:
        InputError: it was rejected before, or a file cannot be read or written.
        CorruptFile: the stored state is damaged.
    """
    path, checker = trust_file(result, findings), find_checker(by)
    content, digest = read_limited(result, LARGEST, "result"), ""
    if record is not None:
        digest = hashlib.sha256(read_limited(record, LARGEST_RECORD, "record")).hexdigest()
    with alone_in(path.parent):  # of two who find something out at once, neither is lost
        known = load_trust(result, findings)
        found = advance_trust(
            content, known, state, reason, record_sha256=digest, **checker._asdict()
        )
        write_bytes(path, found.to_json())
    return path


def write_verification(result: Path, record: Rerun, findings: Path | None = None) -> Path:
    """Keep a re-run's record in `verified/` beside the result; returns the file."""
    content = record.to_json()
    path = record_file(result, hashlib.sha256(content).hexdigest(), findings)
    write_bytes(path, content)
    return path


def _git(folder: Path, *words: str) -> str:
    """What git answers, "" where it does not."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words],
            capture_output=True, text=True, timeout=10, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a user that the system does not know
        return "unknown"
