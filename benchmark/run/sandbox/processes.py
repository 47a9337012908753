"""Starts the processes of a sandbox, says what they use, and kills them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmark.basics.errors import InputError
from benchmark.run.sandbox.bounds import Bounds
from benchmark.run.sandbox.calls import refusal
from benchmark.run.sandbox.command import command

MIB = 1 << 20
HOW = "install bubblewrap 0.8 or newer (Debian, Ubuntu: apt-get install bubblewrap)"


def find_bwrap() -> str:
    """The path of bubblewrap.

    Raises:
        InputError: it is not installed.
    """
    found = shutil.which("bwrap")
    if found is None:
        raise InputError(f"isolation needs bubblewrap, which is not installed: {HOW}")
    return found


def start(
    program: list[str], bounds: Bounds, method: tuple[int, str] | None = None
) -> subprocess.Popen[bytes]:
    """`program` in a sandbox, all three streams piped."""
    full, pipe = [sys.executable, *program[1:]], subprocess.PIPE
    with tempfile.TemporaryFile() as refused:
        refused.write(refusal())
        refused.seek(0)
        passed = [refused.fileno(), *([] if method is None else [method[0]])]
        arguments = command(find_bwrap(), full, bounds.disk_mb * MIB, refused.fileno(), method)
        return subprocess.Popen(
            arguments, stdin=pipe, stdout=pipe, stderr=pipe, env={}, pass_fds=passed, bufsize=0
        )


def can_watch() -> bool:
    """Whether this kernel says which processes another one started."""
    return Path(f"/proc/self/task/{os.getpid()}/children").exists()


def descendants(pid: int) -> Iterator[Path]:
    """/proc folders of all processes below `pid`."""
    folder = Path(f"/proc/{pid}")
    try:
        lists = [(task / "children").read_text("utf-8") for task in (folder / "task").iterdir()]
    except OSError:  # gone meanwhile
        return
    for child in " ".join(lists).split():
        yield Path(f"/proc/{child}")
        yield from descendants(int(child))


def used(pid: int) -> tuple[int, int]:
    """Tasks below `pid` and the memory they hold in bytes, files' own pages left out."""
    tasks = memory = 0
    for folder in descendants(pid):
        try:
            lines = (folder / "status").read_text("utf-8", "replace").splitlines()
        except OSError:
            continue
        fields = dict(line.split(":", 1) for line in lines if ":" in line)
        tasks += int(fields.get("Threads", "1"))
        for name in ("RssAnon", "RssShmem"):
            memory += int(fields.get(name, "0 kB").split()[0]) * 1024
    return tasks, memory


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the namespace's first process, with which the kernel kills all others, and bwrap."""
    for folder in descendants(process.pid):
        try:
            os.kill(int(folder.name), 9)
        except ProcessLookupError:
            continue
        break
    process.kill()
    process.wait()
