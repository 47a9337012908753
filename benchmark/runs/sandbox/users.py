"""Which user a sandbox runs as: never one that owns anything outside.

An ordinary user's sandbox is that user without any right. Root's would still be root to the files
that root owns, such as those that set the kernel's parameters. So it begins with two users, root
and one that nobody else is, and becomes the other one before it loads the method (see `inside`).
"""

from __future__ import annotations

import json
import os
import select
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.basics.errors import InputError

INSIDE = 65534  # what the user is called inside
RESERVED = 1000  # the lowest ids are of accounts
WAIT = 10.0  # seconds for bubblewrap to make a user namespace


@dataclass
class User:
    """`arguments` for bubblewrap and `descriptors` for it to inherit."""

    arguments: list[str]
    descriptors: list[int] = field(default_factory=list)

    def let_begin(self) -> None:
        """Called once bubblewrap has been started."""


@dataclass
class Root(User):
    """`outside` is the id of the user that root becomes; bubblewrap waits until it is known."""

    outside: int = 0
    told: int = -1
    release: int = -1

    def let_begin(self) -> None:
        while self.descriptors:
            os.close(self.descriptors.pop())
        said = b""
        while not said.rstrip().endswith(b"}"):
            ready = select.select([self.told], [], [], WAIT)[0]
            part = os.read(self.told, 4096) if ready else b""
            if not part:  # it ended, and says why on stderr
                return
            said += part
        process = Path("/proc") / str(json.loads(said)["child-pid"])
        for which in ("uid_map", "gid_map"):
            (process / which).write_text(f"0 0 1\n{INSIDE} {self.outside} 1\n", "utf-8")
        os.write(self.release, b"1")


@contextmanager
def choose_user() -> Iterator[User]:
    """The user of one sandbox.

    Raises:
        InputError: this is root, and there is no other user it could become.
    """
    if os.geteuid() != 0:
        ids = ["--uid", str(INSIDE), "--gid", str(INSIDE), "--cap-drop", "ALL", "--disable-userns"]
        yield User(["--unshare-user", *ids])
        return
    outside = find_unused(Path("/proc/self/uid_map").read_text("utf-8"))
    told, tell = os.pipe()
    wait, release = os.pipe()
    arguments = ["--unshare-user", "--uid", "0", "--gid", "0", "--cap-drop", "ALL"]
    for capability in ("CAP_SETUID", "CAP_SETGID"):
        arguments += ["--cap-add", capability]
    arguments += ["--info-fd", str(tell), "--userns-block-fd", str(wait)]
    user = Root(arguments, [tell, wait], outside, told, release)
    try:
        yield user
    finally:
        for end in (*user.descriptors, told, release):
            os.close(end)


def find_unused(uid_map: str) -> int:
    """An id far from those of accounts, another one for each process of the harness.

    Args:
        uid_map: the ids that exist here, as /proc/PID/uid_map says it.

    Raises:
        InputError: there are too few.
    """
    ranges = [[int(word) for word in line.split()] for line in uid_map.splitlines()]
    last = max((first + count - 1 for first, _, count in ranges if count > 3 * RESERVED), default=0)
    if not last:
        raise InputError(
            "isolation as root needs user ids that nobody else has, and this container has none: "
            "run the command as an ordinary user"
        )
    return min(last, 1 << 31) - RESERVED - os.getpid() % RESERVED
