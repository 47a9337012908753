"""What a Hub stores: repositories with branches, commits and pull requests, in memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

NOW = "2026-01-01T00:00:00.000Z"


@dataclass(frozen=True)
class Blob:
    """A file; `lfs` ones are named by the SHA-256 of their content."""

    content: bytes
    lfs: bool = False

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def oid(self) -> str:
        content = self.content
        if self.lfs:
            size = len(content)
            lines = f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\n"
            content = f"{lines}size {size}\n".encode()
        return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()

    def describe(self, path: str) -> dict:
        found = {"type": "file", "path": path, "size": len(self.content), "oid": self.oid}
        if self.lfs:
            found["lfs"] = {"oid": self.sha256, "size": len(self.content), "pointerSize": 134}
        return found


@dataclass
class Commit:
    sha: str
    files: dict[str, Blob]
    title: str
    parent: Commit | None = None

    def history(self) -> list[Commit]:
        """This one and those before it, the newest first."""
        return [self, *(self.parent.history() if self.parent else [])]


@dataclass
class PullRequest:
    num: int
    title: str
    author: str
    status: str = "open"
    comments: list[str] = field(default_factory=list)


@dataclass
class Repo:
    """`refs` maps branches ("main", "refs/pr/1") and every commit's sha to commits; `sdk` and
    `variables` are those of a Space."""

    kind: str
    name: str
    refs: dict[str, Commit] = field(default_factory=dict)
    requests: list[PullRequest] = field(default_factory=list)
    commits: int = 0
    sdk: str | None = None
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store("main", {}, "initial commit")

    def store(
        self, ref: str, files: dict[str, Blob], title: str, parent: str | None = None
    ) -> Commit:
        """A commit on a branch, after its newest one or after `parent`."""
        self.commits += 1
        sha = hashlib.sha1(f"{self.kind}/{self.name}/{self.commits}".encode()).hexdigest()
        commit = Commit(sha, files, title, self.refs.get(parent or ref))
        self.refs[ref] = self.refs[sha] = commit
        return commit

    def open_request(
        self, files: dict[str, Blob], title: str, author: str, parent: str = "main"
    ) -> PullRequest:
        request = PullRequest(len(self.requests) + 1, title, author)
        self.requests.append(request)
        self.store(f"refs/pr/{request.num}", files, title, parent)
        return request

    def merge(self, num: int) -> None:
        """What a maintainer does on the Hub."""
        request = self.requests[num - 1]
        merged = {**self.refs["main"].files, **self.refs[f"refs/pr/{num}"].files}
        self.store("main", merged, request.title)
        request.status = "merged"

    def folders(self, ref: str) -> list[str]:
        paths = self.refs[ref].files
        return sorted(
            {"/".join(p.split("/")[:k]) for p in paths for k in range(1, p.count("/") + 1)}
        )
