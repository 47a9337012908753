"""The loopback Hub: a threaded HTTP server over `Repo`s.

    with LoopbackHub() as hub:
        hub.create("datasets", "org/results")
        HfApi(endpoint=hub.url, token=hub.token).upload_file(...)

Large-file uploads are those of git-lfs (batch, PUT, verify): the client's other way, Xet, speaks a
binary protocol with a service of its own and must be switched off with HF_HUB_DISABLE_XET.
"""

from __future__ import annotations

import threading
from http.server import ThreadingHTTPServer
from typing import Any

from tests.hub.faults import Fault, Faults
from tests.hub.handler import Handler
from tests.hub.repo import Repo

TOKEN = "hf_loopback"


class LoopbackHub:
    """A Hub at `url` with one user, whose `token` may write.

    Attributes:
        requests: every "METHOD /path" so far.
        readers: tokens that may read, but not write.
        large: suffixes of files that go through large-file upload.
    """

    def __init__(self, user: str = "ada") -> None:
        self.user, self.token = user, TOKEN
        self.readers = {"hf_reader"}
        self.large = (".safetensors", ".parquet")
        self.repos: dict[tuple[str, str], Repo] = {}
        self.objects: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.faults = Faults()
        self.lock = threading.RLock()
        hub = self

        class Bound(Handler):
            pass

        Bound.hub = hub
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Bound)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> LoopbackHub:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *reason: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def create(self, kind: str, name: str) -> Repo:
        """A repository; `kind` is "datasets", "models" or "spaces"."""
        self.repos[kind, name] = repo = Repo(kind, name)
        return repo

    def fail(self, pattern: str, status: int | None = None, **how: Any) -> None:
        """See `Fault`."""
        self.faults.add(Fault(pattern, status, **how))
