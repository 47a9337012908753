"""What a mitigation in the sandbox may use at most."""

from __future__ import annotations

from dataclasses import dataclass


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
