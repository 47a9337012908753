"""Models and samples shared by lineages, so that the same thing is never computed twice."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from filelock import FileLock, Timeout
from torch import Tensor

from benchmark.basics.errors import cannot_write
from benchmark.basics.files import (
    KEPT,
    cannot_use,
    clear_unfinished,
    read_tensors,
    write_tensors,
)

SECONDS = "/cpu seconds"  # beside an entry's tensors; no parameter or column is called so


@dataclass(frozen=True)
class Kept:
    """What a cache gives: `tensors`, and `saved`, the processor seconds that making them took
    earlier (0 if they were made just now)."""

    tensors: dict[str, Tensor]
    saved: float


class Cache(Protocol):
    """Tensors by what they were made of."""

    def get(self, kind: str, key: str, make: Callable[[], dict[str, Tensor]]) -> Kept:
        """The tensors kept under `kind` and `key`, made by `make` the first time."""
        ...


class NoCache:
    """Makes everything anew."""

    def get(self, kind: str, key: str, make: Callable[[], dict[str, Tensor]]) -> Kept:
        return Kept(make(), 0.0)


class FolderCache:
    """Content-addressed files `KIND-SHA256(KEY).safetensors`; several processes may share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, kind: str, key: str, make: Callable[[], dict[str, Tensor]]) -> Kept:
        """The tensors stored under `kind` and SHA-256(`key`), made by `make` the first time.

        Processes that ask for the same key at once wait for the first of them.

        Raises:
            InputError: the folder cannot be written.
            CorruptFile: the file is truncated or changed.
        """
        path = self.folder / f"{kind}-{hashlib.sha256(key.encode()).hexdigest()[:32]}.safetensors"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(str(path.with_suffix(".lock")))
            lock.acquire()
        except OSError as error:
            raise cannot_write(self.folder, error, remedy=KEPT) from error
        try:
            if path.exists():
                tensors = read_tensors(path)
                if SECONDS not in tensors:
                    raise cannot_use(path, "it is nothing that was kept here")
                os.utime(path)  # so that pruning knows what is in use
                return Kept(tensors, float(tensors.pop(SECONDS)))
            clear_unfinished(path)
            start = time.process_time()
            made = make()
            spent = torch.tensor([time.process_time() - start], dtype=torch.float64)
            write_tensors(path, made | {SECONDS: spent})
            return Kept(made, 0.0)
        finally:
            lock.release()

    def entries(self) -> list[CachedFile]:
        """Everything kept, the longest unused first."""
        found = [CachedFile.of(path) for path in self.folder.glob("*-*.safetensors")]
        return sorted(found, key=lambda entry: entry.used)

    def prune(
        self,
        unused_since: float = 0.0,
        keep_bytes: int | None = None,
        tell: Callable[[CachedFile], object] = lambda entry: None,
    ) -> list[CachedFile]:
        """Delete what was last used before `unused_since` (seconds since 1970), then the longest
        unused until at most `keep_bytes` are left. Entries in use at this moment stay.

        Args:
            tell: is told of each entry when it is deleted.

        Returns:
            What was deleted.

        Raises:
            OSError: an entry may not be deleted.
        """
        entries = self.entries()
        total = sum(entry.size for entry in entries)
        deleted = []
        for entry in entries:
            over = keep_bytes is not None and total > keep_bytes
            if (over or entry.used < unused_since) and _delete(entry.path):
                total -= entry.size
                deleted.append(entry)
                tell(entry)
        return deleted


@dataclass(frozen=True)
class CachedFile:
    """One file of a cache: its size in bytes and when it was last used (seconds since 1970)."""

    path: Path
    kind: str
    size: int
    used: float

    @staticmethod
    def of(path: Path) -> CachedFile:
        status = path.stat()
        return CachedFile(path, path.name.rsplit("-", 1)[0], status.st_size, status.st_mtime)


def _delete(path: Path) -> bool:
    """Unless a process holds its lock. The lock's file stays: another process may wait for it."""
    try:
        with FileLock(str(path.with_suffix(".lock")), timeout=0):
            path.unlink(missing_ok=True)
    except Timeout:
        return False
    return True
