"""Runs inside the sandbox: loads the method, serves the harness's calls.

The first process loads torch once and stays clean: for every instance it forks another one, which
loads the method's file and ends with the instance, so that nothing is remembered.
"""

from __future__ import annotations

import ast
import ctypes
import importlib
import os
import resource
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from benchmark.runs.sandbox import models
from benchmark.runs.sandbox.serving import ENDED, Server
from benchmark.runs.sandbox.wire import (
    PREFIX,
    Message,
    decode_message,
    encode_message,
    read_lengths,
)

MIB = 1 << 20
PR_SET_DUMPABLE = 4
REQUEST = 4096 * MIB  # largest message that the harness sends


class Channel:
    """Blocking messages over two descriptors."""

    def __init__(self, read: int, write: int) -> None:
        self._read, self._write = read, write

    def send(self, message: Message) -> None:
        rest = memoryview(encode_message(message))
        while rest:
            rest = rest[os.write(self._write, rest) :]

    def receive(self) -> Message:
        header, body = read_lengths(self._exactly(PREFIX.size), REQUEST)
        return decode_message(self._exactly(header), self._exactly(body))

    def _exactly(self, size: int) -> bytes:
        parts = []
        while size:
            part = os.read(self._read, min(size, MIB))
            if not part:
                os._exit(0)  # the harness is gone
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def main() -> None:
    """Serve one method until the harness closes the pipe."""
    channel = Channel(os.dup(0), os.dup(1))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what a method prints is no message
    # Processes of the same user must not read or trace this one.
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    first = channel.receive().header
    torch.set_num_threads(first["threads"])
    torch.set_flush_denormal(True)  # as outside: see `run_lineage`
    _limit(*first["limits"])
    while True:
        said = channel.receive().header["new"]
        file = Path("/method") / said["file"]
        for home in said["homes"]:
            models.load_blueprint(home)
        _import_what(file)
        sys.stdout.flush(), sys.stderr.flush()
        child = os.fork()
        if child == 0:
            Server(channel, file, said["class"]).serve()
        _, status = os.waitpid(child, 0)
        with suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)  # all that it left running
        _empty(Path("/scratch"))
        code = os.waitstatus_to_exitcode(status)
        if code != ENDED:
            sys.exit(code % 256 or 1)


def _limit(memory_mb: int, processes: int, disk_mb: int, seconds: float) -> None:
    """What the kernel enforces for each process; the harness watches their sum."""
    seconds = max(60, int(100 * seconds))
    for what, most in (
        (resource.RLIMIT_DATA, memory_mb * MIB),
        (resource.RLIMIT_NPROC, processes),
        (resource.RLIMIT_FSIZE, disk_mb * MIB),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _import_what(file: Path) -> None:
    """Import what the method's file will, once: these are installed packages, not its own code."""
    with suppress(SyntaxError, ValueError, OSError):
        for node in ast.parse(file.read_bytes()).body:
            names: list[Any] = node.names if isinstance(node, ast.Import | ast.ImportFrom) else []
            for name in names:
                with suppress(Exception):
                    if isinstance(node, ast.ImportFrom):
                        getattr(importlib.import_module(node.module or ""), name.name)
                    else:
                        importlib.import_module(name.name)


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
