"""One file on its way to a repository of a Hub."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from huggingface_hub import RepoFile


@dataclass(frozen=True)
class Part:
    """One file: where it goes, and its content or the file that holds it."""

    path: str
    content: bytes | Path

    @property
    def size(self) -> int:
        if isinstance(self.content, Path):
            return self.content.stat().st_size
        return len(self.content)

    def read(self) -> bytes:
        return self.content.read_bytes() if isinstance(self.content, Path) else self.content

    def oids(self) -> tuple[str, str]:
        """Git's SHA-1 of the blob and the SHA-256 of the content: a Hub names files by either."""
        content = self.read()
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False)
        return blob.hexdigest(), hashlib.sha256(content).hexdigest()

    def is_in(self, file: RepoFile) -> bool:
        """Whether the Hub's file has this content."""
        blob, sha = self.oids()
        return file.lfs.sha256 == sha if file.lfs else file.blob_id == blob
