"""The stored samples of an entry, read once and again when their file has changed."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from benchmark.results.gallery import Gallery, load_gallery
from benchmark.results.schema import load_result
from leaderboard.board.entries import Board, Show


def load_entry_gallery(board: Board, suite: str, method: str) -> Gallery | None:
    """The gallery of an entry, or None if none was sent; of a preview, what its run kept.

    Raises:
        CorruptFile: it is damaged.
        InputError: there is no such entry, or its samples cannot be shown.
    """
    entry = board.entry(suite, method)
    if entry.mine:
        return _kept(board.show, entry.path) if board.show else None
    path = board.root / "gallery" / suite / f"{method}.json"
    return _stored(path, path.stat().st_mtime_ns) if path.is_file() else None


@lru_cache(maxsize=64)
def _kept(show: Show, path: Path) -> Gallery:
    return show(load_result(path), path)


@lru_cache(maxsize=64)
def _stored(path: Path, changed: int) -> Gallery:
    return load_gallery(path)
