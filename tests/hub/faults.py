"""Faults on demand: status codes, connections that drop, answers that come late."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field


@dataclass
class Fault:
    """What happens to the next `times` requests whose "METHOD /path" matches `pattern`.

    Attributes:
        status: the answer's, with `headers` and `body`; None for none.
        drop: "before" the request is acted on the connection closes, or "after".
        delay: seconds before anything else.
    """

    pattern: str
    status: int | None = None
    drop: str = ""
    delay: float = 0.0
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b'{"error": "a fault on demand"}'


class Faults:
    """The faults that are due, in order; taken by the server's threads."""

    def __init__(self) -> None:
        self._due: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._due.append(fault)

    def take(self, request: str) -> Fault | None:
        with self._lock:
            for fault in self._due:
                if fault.times > 0 and re.search(fault.pattern, request):
                    fault.times -= 1
                    return fault
        return None
