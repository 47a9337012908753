"""The stored samples of an entry, read once and again when their file has changed."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from benchmark.results.gallery import Gallery, load_gallery
from leaderboard.board.entries import Board


def load_entry_gallery(board: Board, suite: str, method: str) -> Gallery | None:
    """The gallery of an entry, or None if none was sent.

    Raises:
        CorruptFile: it is damaged.
        InputError: there is no such entry.
    """
    if board.entry(suite, method).mine:
        return None
    path = board.root / "gallery" / suite / f"{method}.json"
    return _stored(path, path.stat().st_mtime_ns) if path.is_file() else None


@lru_cache(maxsize=64)
def _stored(path: Path, changed: int) -> Gallery:
    return load_gallery(path)
