"""Runs inside the sandbox: gives up what it may, loads the method, serves the harness's calls.

A sandbox is one instance's: it ends with it, and with it all that the method left there.
"""

from __future__ import annotations

import os
import resource
import sys
from contextlib import suppress
from pathlib import Path

import torch

from benchmark.runs.sandbox.serving import Server
from benchmark.runs.sandbox.wire import (
    PREFIX,
    Message,
    decode_message,
    encode_message,
    read_lengths,
)

MIB = 1 << 20
REQUEST = 4096 * MIB  # largest message that the harness sends
NOBODY = 65534  # see `users`
DAY = 86_400  # seconds of processor time; the harness ends a process long before


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
    """Serve one instance until the harness closes the pipe."""
    channel = Channel(os.dup(0), os.dup(1))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what a method prints is no message
    become_nobody()
    channel.send(Message({"ready": True}, []))  # what is done from now on is the method's
    first = channel.receive().header
    torch.set_num_threads(first["threads"])
    torch.set_flush_denormal(True)  # as outside: see `run_lineage`
    _limit(*first["limits"])
    Server(channel, Path(first["file"]), first["class"]).serve()


def become_nobody() -> None:
    """Root gives itself up for good: its capabilities go with it."""
    if os.getuid() == 0:
        with suppress(OSError):  # some systems allow bubblewrap's processes no right at all
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
    if 0 in os.getresuid() + os.getresgid():
        sys.exit("root cannot be given up here: run the command as an ordinary user")


def _limit(memory_mb: int, processes: int, disk_mb: int) -> None:
    """What the kernel enforces for each process; the harness watches their sum."""
    for what, most in (
        (resource.RLIMIT_DATA, memory_mb * MIB),
        (resource.RLIMIT_NPROC, processes),
        (resource.RLIMIT_FSIZE, disk_mb * MIB),
        (resource.RLIMIT_CPU, DAY),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_SIGPENDING, 256),
        (resource.RLIMIT_CORE, 1),  # 0 would still hand memory to a program outside: core(5)
    ):
        before = resource.getrlimit(what)[1]
        limit = most if before == resource.RLIM_INFINITY else min(most, before)
        resource.setrlimit(what, (limit, limit))
