"""One HTTP request: its body, its fault if one is due, its endpoint, its answer."""

from __future__ import annotations

import json
import re
import time
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

from tests.hub.endpoints import ROUTES, Endpoints, Refused

if TYPE_CHECKING:
    from tests.hub.server import LoopbackHub


class Handler(Endpoints, BaseHTTPRequestHandler):
    """One request; `hub` holds the state."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer's body waits 40 ms for its head
    hub: ClassVar[LoopbackHub]

    def log_message(self, *words: object) -> None:
        pass

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        self.query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.content = self._body()
        request = f"{self.command} {parts.path}"
        self.hub.requests.append(request)
        fault = self.hub.faults.take(request)
        if fault is not None:
            time.sleep(fault.delay)
            if fault.drop == "before":
                return self._hang_up()
            if fault.status is not None:
                return self.answer(fault.body, fault.status, fault.headers)
        matches = ((re.fullmatch(pattern, request), name) for pattern, name in ROUTES.items())
        match, name = next(((m, name) for m, name in matches if m), (None, ""))
        if match is None:
            return self.answer(b'{"error": "no such endpoint"}', 404)
        try:
            with self.hub.lock:
                found = getattr(self, name)(*map(_plain, match.groups()))
        except Refused as refusal:
            body = json.dumps(refusal.body).encode()
            return self.answer(body, refusal.status, refusal.headers)
        if fault is not None and fault.drop == "after":
            return self._hang_up()
        if found is not None:
            self.answer(json.dumps(found).encode(), 200, {"Content-Type": "application/json"})
        return None

    do_GET = do_POST = do_PUT = do_HEAD = _handle  # noqa: N815

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        content = b""
        while size := int(self.rfile.readline(), 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return content

    def _hang_up(self) -> None:
        self.close_connection = True

    def answer(self, body: bytes, status: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        given = {"Content-Length": str(len(body)), **(headers or {})}
        for name, value in given.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _plain(text: str | None) -> str | None:
    return None if text is None else unquote(text)
