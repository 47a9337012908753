"""Starts the processes of a sandbox, says what they use and may use, and kills them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmark.basics.errors import InputError
from benchmark.runs.sandbox import users
from benchmark.runs.sandbox.command import build_command
from benchmark.runs.sandbox.filter import build_filter

MIB = 1 << 20
HELD = ("RssAnon", "RssShmem", "VmSwap", "VmPTE")  # of /proc/PID/status
TICKS = os.sysconf("SC_CLK_TCK")  # of processor time, a second
HOW = "install bubblewrap 0.8 or newer (Debian, Ubuntu: apt-get install bubblewrap)"


@dataclass(frozen=True)
class Bounds:
    """Limits of one sandbox. Those that a method could read there are the same wherever it runs.

    Attributes:
        memory_mb: memory of all its processes together, in MiB.
        seconds: wall time of one hook call, without what the harness does for it meanwhile; all
            calls of a generation together may take ten times as long, and what the harness does
            for them sixty times.
        processes: processes and threads at a time.
        disk_mb: files it writes, in MiB; they are gone with it.
        files: files and folders that it makes.
        reply_mb: largest message it may send, in MiB.
    """

    memory_mb: int = 4096
    seconds: float = 120.0
    processes: int = 64
    disk_mb: int = 256
    files: int = 10_000
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
    program: list[str], bounds: Bounds, method: int | None = None
) -> subprocess.Popen[bytes]:
    """`program` in a sandbox, all three streams piped; `method`: a descriptor of the method's file.

    Raises:
        InputError: there is no bubblewrap, or no user that it could run as.
    """
    full, pipe = [sys.executable, *program[1:]], subprocess.PIPE
    with users.choose_user() as user, tempfile.TemporaryFile() as refused:
        refused.write(build_filter())
        refused.seek(0)
        passed = [refused.fileno(), *user.descriptors, *([] if method is None else [method])]
        arguments = build_command(
            find_bwrap(), full, user.arguments, bounds.disk_mb * MIB, refused.fileno(), method
        )
        process = subprocess.Popen(
            arguments, stdin=pipe, stdout=pipe, stderr=pipe, env={}, pass_fds=passed, bufsize=0
        )
        try:
            user.let_begin()
        except OSError as error:
            process.kill()
            process.wait()
            raise InputError(
                f"isolation as root needs to choose another user for the sandbox, and this system "
                f"forbids it ({error.strerror}): run the command as an ordinary user"
            ) from error
        return process


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


class Use(NamedTuple):
    """What the processes of a sandbox hold: how many tasks, bytes of memory, and files; and the
    processor seconds that they and the children which they waited for took."""

    tasks: int
    memory: int
    files: int
    seconds: float


def measure_use(pid: int) -> Use:
    """What all processes below `pid` hold and took, files' own pages left out. They are made the
    first that the kernel ends when the machine has no memory left."""
    tasks = memory = files = ticks = 0
    for folder in find_descendants(pid):
        with suppress(OSError):  # gone meanwhile
            lines = (folder / "status").read_text("utf-8", "replace").splitlines()
            fields = dict(line.split(":", 1) for line in lines if ":" in line)
            tasks += int(fields.get("Threads", "1"))
            memory += sum(int(fields.get(name, "0 kB").split()[0]) * 1024 for name in HELD)
            # Behind the name, which may hold anything: utime, stime, cutime, cstime (proc(5)).
            behind = (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            ticks += sum(map(int, behind[11:15]))
            (folder / "oom_score_adj").write_text("1000", "utf-8")
        with suppress(OSError):
            written = os.statvfs(folder / "root" / "scratch")
            files = max(files, written.f_files - written.f_ffree)
    return Use(tasks, memory, files, ticks / TICKS)


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
