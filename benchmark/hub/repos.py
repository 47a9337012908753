"""A repository of the Hub at one commit: what a recipe states, so it enters the task's hash."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any


@dataclass(frozen=True)
class HubRepo:
    """The files of a repository that a task reads.

    Attributes:
        kind: "datasets" or "models".
        name: ORG/NAME.
        revision: a commit's 40 hexadecimal digits.
        files: globs over paths in the repository; each matches at least one file.
        sha256: (path, SHA-256) of files that are checked once on each machine.
    """

    kind: str
    name: str
    revision: str
    files: tuple[str, ...]
    sha256: tuple[tuple[str, str], ...] = ()

    @property
    def type(self) -> str:
        """What the Hub's client calls its kind."""
        return self.kind.removesuffix("s")

    @property
    def title(self) -> str:
        """What messages call it."""
        return f"{self.type} {self.name} at revision {self.revision[:7]}"

    def wants(self, path: str) -> bool:
        """Whether the file at `path` is one of those that are read."""
        return any(fnmatch(path, pattern) for pattern in self.files)


def list_repos(tasks: Iterable[Any]) -> list[HubRepo]:
    """The repositories that `tasks`, or other dataclasses, name, each once, its file patterns and
    checksums joined."""
    found: dict[tuple[str, str, str], HubRepo] = {}
    for task in tasks:
        for repo in _inside(task):
            key = (repo.kind, repo.name, repo.revision)
            if key in found:
                files = dict.fromkeys((*found[key].files, *repo.files))
                sums = dict.fromkeys((*found[key].sha256, *repo.sha256))
                repo = dataclasses.replace(repo, files=tuple(files), sha256=tuple(sums))
            found[key] = repo
    return list(found.values())


def _inside(value: Any) -> Iterable[HubRepo]:
    if isinstance(value, HubRepo):
        yield value
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from _inside(getattr(value, field.name))
    elif isinstance(value, tuple):
        for part in value:
            yield from _inside(part)
