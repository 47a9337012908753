"""One sandboxed process and the pipe to it, watched and timed from outside."""

from __future__ import annotations

import os
import select
import subprocess
import tempfile
import threading
import time

from benchmark.basics.errors import MethodError
from benchmark.runs.sandbox.processes import (
    MIB,
    Bounds,
    Use,
    kill_all,
    measure_use,
    start_process,
)
from benchmark.runs.sandbox.values import clean_text
from benchmark.runs.sandbox.wire import (
    PREFIX,
    Message,
    WireError,
    decode_message,
    encode_message,
    read_lengths,
)

EVERY = 0.05  # seconds between two looks at what the sandbox uses
KEPT = 4096  # bytes of what it wrote to stderr
# Without collecting garbage torch is imported 8% sooner.
PROGRAM = """
import gc
gc.disable()
from benchmark.runs.sandbox.inside import main
gc.enable()
main()
"""


class Sandbox:
    """A running `benchmark.runs.sandbox.inside`. `failure` says why it ended, if it did."""

    def __init__(self, source: bytes, bounds: Bounds) -> None:
        self.bounds, self.failure = bounds, ""
        self.allowed = 0.0  # seconds of the deadline that is waited for
        self._said, self._took = b"", 0.0
        program = ["python", "-P", "-s", "-c", PROGRAM]
        with tempfile.TemporaryFile() as file:
            file.write(source)
            file.seek(0)
            self.process = start_process(program, bounds, file.fileno())
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._to, self._from = self.process.stdin.fileno(), self.process.stdout.fileno()
        for end in (self._to, self._from):
            os.set_blocking(end, False)
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def send(self, message: Message, deadline: float) -> None:
        """Raises MethodError if the process ended or does not read until `deadline`."""
        rest = memoryview(encode_message(message))
        while rest:
            self._wait(self._to, select.POLLOUT, deadline)
            try:
                rest = rest[os.write(self._to, rest) :]
            except BlockingIOError:
                continue
            except OSError:
                self._ended()

    def receive(self, deadline: float) -> Message:
        """The next message.

        Raises:
            MethodError: the process ended, was too slow, or what it sent is malformed or too large.
        """
        try:
            most = self.bounds.reply_mb * MIB
            header, body = read_lengths(self._read(PREFIX.size, deadline), most)
            return decode_message(self._read(header, deadline), self._read(body, deadline))
        except WireError as error:
            self.stop(f"broke the protocol: {error}")
            raise self.ended() from error

    def _read(self, size: int, deadline: float) -> bytes:
        parts, missing = [], size
        while missing:
            self._wait(self._from, select.POLLIN, deadline)
            try:
                part = os.read(self._from, min(missing, MIB))
            except BlockingIOError:
                continue
            if not part:
                self._ended()
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def _wait(self, end: int, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(end, event)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            self.stop(f"took longer than {self.allowed:g} s")
            raise self.ended()

    def _ended(self) -> None:
        """The pipe is closed: the process is dead or might as well be."""
        try:
            status = self.process.wait(1.0)
        except subprocess.TimeoutExpired:
            self.stop("closed its pipe")
        else:
            self.stop(f"ended by itself (status {status})")
        raise self.ended()

    def ended(self) -> MethodError:
        """What is raised once the process is gone."""
        self._watcher.join(1.0)
        said = clean_text(self._said.decode(errors="replace")).splitlines()
        last = f"; its last words: {said[-1][:300]}" if said else ""
        return MethodError(f"the isolated process {self.failure}{last}")

    def measure_seconds(self) -> float:
        """The processor seconds that it took so far."""
        self._look()
        return self._took

    def _look(self) -> Use:
        use = measure_use(self.process.pid)
        self._took = max(self._took, use.seconds)  # 0 once it is gone
        return use

    def stop(self, why: str = "was stopped") -> None:
        """Kill all of it."""
        self.measure_seconds()
        self.failure = self.failure or why
        kill_all(self.process)

    def close(self) -> None:
        """Kill all of it and give back what it held."""
        self.stop()
        self._watcher.join()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()

    def _watch(self) -> None:
        """Until the process ends: keep the end of its stderr, and kill it beyond its bounds."""
        assert self.process.stderr is not None
        end = self.process.stderr.fileno()
        poll = select.poll()
        poll.register(end, select.POLLIN)
        looked = 0.0
        while self.process.poll() is None:
            if poll.poll(EVERY * 1000):
                part = os.read(end, KEPT)
                self._said = (self._said + part)[-KEPT:]
                if not part:  # closed by those inside
                    poll.unregister(end)
            if time.monotonic() - looked >= EVERY:
                looked = time.monotonic()
                use, most = self._look(), self.bounds
                # Processes first: what they share after a fork counts for each of them.
                if use.tasks > most.processes:
                    self.stop(f"had more than {most.processes} processes or threads")
                elif use.memory > most.memory_mb * MIB:
                    self.stop(f"used more than {most.memory_mb} MB of memory")
                elif use.files > most.files:
                    self.stop(f"made more than {most.files} files")
        os.set_blocking(end, False)
        while part := _rest(end):
            self._said = (self._said + part)[-KEPT:]


def _rest(end: int) -> bytes:
    try:
        return os.read(end, KEPT)
    except BlockingIOError:
        return b""
