"""Starts the processes of a sandbox, says what they use and may use, and kills them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmark.basics.errors import InputError
from benchmark.runs.sandbox.command import build_command, build_filter

MIB = 1 << 20
HOW = "install bubblewrap 0.8 or newer (Debian, Ubuntu: apt-get install bubblewrap)"


@dataclass(frozen=True)
class Bounds:
    """Limits of one sandbox.

    Attributes:
        memory_mb: memory of all its processes together, in MiB.
        seconds: wall time of one hook call, without what the harness does for it meanwhile; all
            calls of a generation together may take ten times as long.
        processes: processes and threads at a time.
        disk_mb: files it writes, in MiB; they are gone with it.
        reply_mb: largest message it may send, in MiB.
    """

    memory_mb: int = 4096
    seconds: float = 120.0
    processes: int = 64
    disk_mb: int = 256
    reply_mb: int = 256


def find_bwrap() -> str:
    """The path of bubblewrap.

    Raises:
        InputError: it is not installed.
    """
    found = shutil.which("bwrap")
    if found is None:
        raise InputError(f"isolation needs bubblewrap, which is not installed: {HOW}")
    return found


def start_process(
    program: list[str], bounds: Bounds, method: tuple[int, str] | None = None
) -> subprocess.Popen[bytes]:
    """`program` in a sandbox, all three streams piped."""
    full, pipe = [sys.executable, *program[1:]], subprocess.PIPE
    with tempfile.TemporaryFile() as refused:
        refused.write(build_filter())
        refused.seek(0)
        passed = [refused.fileno(), *([] if method is None else [method[0]])]
        arguments = build_command(
            find_bwrap(), full, bounds.disk_mb * MIB, refused.fileno(), method
        )
        return subprocess.Popen(
            arguments, stdin=pipe, stdout=pipe, stderr=pipe, env={}, pass_fds=passed, bufsize=0
        )


def can_watch() -> bool:
    """Whether this kernel says which processes another one started."""
    return Path(f"/proc/self/task/{os.getpid()}/children").exists()


def find_descendants(pid: int) -> Iterator[Path]:
    """/proc folders of all processes below `pid`."""
    folder = Path(f"/proc/{pid}")
    try:
        lists = [(task / "children").read_text("utf-8") for task in (folder / "task").iterdir()]
    except OSError:  # gone meanwhile
        return
    for child in " ".join(lists).split():
        yield Path(f"/proc/{child}")
        yield from find_descendants(int(child))


def measure_use(pid: int) -> tuple[int, int]:
    """Tasks below `pid` and the memory they hold in bytes, files' own pages left out."""
    tasks = memory = 0
    for folder in find_descendants(pid):
        try:
            lines = (folder / "status").read_text("utf-8", "replace").splitlines()
        except OSError:
            continue
        fields = dict(line.split(":", 1) for line in lines if ":" in line)
        tasks += int(fields.get("Threads", "1"))
        for name in ("RssAnon", "RssShmem"):
            memory += int(fields.get(name, "0 kB").split()[0]) * 1024
    return tasks, memory


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """Kill the namespace's first process, with which the kernel kills all others, and bwrap."""
    for folder in find_descendants(process.pid):
        try:
            os.kill(int(folder.name), 9)
        except ProcessLookupError:
            continue
        break
    process.kill()
    process.wait()
