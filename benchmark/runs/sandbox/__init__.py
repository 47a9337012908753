"""A mitigation's hooks in a bubblewrap sandbox; data, generator, training and records stay outside.

The method's file is never imported here. A process inside loads it, a new one for every instance;
messages of JSON and safetensors cross a pipe, and what the method asks of its round is answered by
the real one, so that access, ledger and budget are enforced where it cannot reach. What it may see,
do and use is in `command`, `filter` and `processes`; docs/threat-model.md says what for.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmark.basics.errors import InputError, MethodError
from benchmark.interface.access import Access
from benchmark.interface.mitigation import Mitigation
from benchmark.runs.sandbox.hooks import Isolated, make_class
from benchmark.runs.sandbox.processes import HOW, Bounds, can_watch, start_process
from benchmark.runs.sandbox.session import Session
from benchmark.runs.sandbox.values import clean_text

__all__ = ["Bounds", "check_available", "find_clock", "isolate_method"]

DEFAULT = Bounds()


def check_available() -> None:
    """Raises InputError if no sandbox can be started here, saying why and what to do."""
    if not can_watch():
        raise InputError("isolation needs a Linux kernel that lists a process's children in /proc")
    process = start_process(["python", "-I", "-S", "-c", ""], Bounds())
    try:
        _, said = process.communicate(timeout=60)
    except subprocess.TimeoutExpired as error:
        process.kill()
        raise InputError("bubblewrap does not start a process within 60 s") from error
    if process.returncode:
        lines = clean_text(said.decode(errors="replace")).splitlines() or ["no message"]
        raise InputError(
            f"bubblewrap cannot start a sandbox here ({lines[-1][:300]}): {HOW} and let this user "
            f"make user namespaces (sysctl kernel.unprivileged_userns_clone=1, user."
            f"max_user_namespaces above 0, or AppArmor's profile for bwrap)"
        )


@contextmanager
def isolate_method(
    file: Path,
    class_name: str | None = None,
    bounds: Bounds = DEFAULT,
    access: frozenset[Access] | None = None,
    content: bytes | None = None,
) -> Iterator[type[Mitigation]]:
    """The mitigation in `file`, as a class whose hooks run in a sandbox until the context ends.

    It has the true `access`, name and summary, and overrides what the method overrides. Results
    are equal to the last bit to those in process.

    Args:
        access: what was found that it declares, which is all that it will be granted.
        content: of the file, where it was read before.

    Raises:
        InputError: there is no bubblewrap, or the file cannot be loaded (see `find_method`).
        MethodError: loading it broke a bound, or it declares another access now.
    """
    check_available()
    session = Session(file, class_name, bounds, content)
    try:
        method = make_class(session, session.begin())
        if access is not None and method.access != access:
            said = [", ".join(sorted(a.name for a in s)) or "none" for s in (access, method.access)]
            raise MethodError(
                f"{file} declared access to {said[0]} when it was found and to {said[1]} now: "
                f"write access as a constant"
            )
        yield method
    finally:
        session.close()


def find_clock(method: type[Mitigation]) -> Callable[[], float]:
    """What tells the processor seconds that a method took so far: those of this process and, of
    one that is isolated, of its sandboxes."""
    if not issubclass(method, Isolated):
        return time.process_time
    session = method.session
    return lambda: time.process_time() + session.measure_seconds()
