"""The folder of a submission: what may be in it, read once and kept as bytes."""

from __future__ import annotations

import hashlib
import os
import stat
import zlib
from dataclasses import dataclass
from pathlib import Path

from benchmark.basics.errors import InputError
from benchmark.basics.spelling import ask_nearest_path

LARGEST = {"method.py": 65_536, "card.yaml": 16_384, "README.md": 65_536}  # bytes
SOURCE = "method.py"  # all of what `Folder.source` hashes and the sandbox is given
DENSE = 8_192  # bytes of it, compressed: code is a quarter of its size, data stay what they are
UNSENT = "__pycache__"  # what Python leaves beside a file that was run


@dataclass(frozen=True)
class Folder:
    """A submission's files as they were when read.

    Attributes:
        path: the folder.
        files: name -> content of `method.py`, `card.yaml` and `README.md`.
    """

    path: Path
    files: dict[str, bytes]

    @property
    def method(self) -> Path:
        return self.path / "method.py"

    @property
    def source(self) -> str:
        """SHA-256 of `method.py`, as a result names it."""
        return hashlib.sha256(self.files["method.py"]).hexdigest()


def read_folder(path: Path) -> Folder:
    """Read a submission.

    Raises:
        InputError: it is not a folder with just the three files, of limited size and no links.
    """
    if path.is_symlink() or not path.is_dir():
        near = "" if path.exists() else ask_nearest_path(path)
        raise InputError(f"{path} is not a folder{near}: give the folder that holds method.py")
    try:
        found = sorted(entry.name for entry in os.scandir(path) if entry.name != UNSENT)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    for name in found:
        if name not in LARGEST:
            raise InputError(
                f"{path} holds {name!r}: a submission has only {', '.join(LARGEST)}; move the rest "
                f"elsewhere (a method is one file)"
            )
    for name in LARGEST:
        if name not in found:
            raise InputError(f"{path} has no {name}: autophagy new shows one to copy")
    return Folder(path, {name: _read(path / name, most) for name, most in LARGEST.items()})


def _read(path: Path, most: int) -> bytes:
    try:
        # Neither a link is followed nor a pipe waited for, whatever changes meanwhile.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}): make it an ordinary file, no link"
        ) from error
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise InputError(f"{path} is not an ordinary file: make it one")
        content = file.read(most + 1)
    if len(content) > most:
        if path.name == SOURCE:
            raise InputError(
                f"{path} is larger than {most:,} bytes: a submission's source is at most 64 KB, so "
                f"that no data travel in it; take out what is not code"
            )
        raise InputError(f"{path} is larger than {most:,} bytes: make it smaller")
    dense = len(zlib.compress(content, 9))
    if path.name == SOURCE and dense > DENSE:
        raise InputError(
            f"{path} has {dense:,} bytes when compressed, {DENSE:,} are the most: data travel in "
            f"it; take out what is not code"
        )
    try:
        content.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text (byte {error.start}): save it so") from error
    if not content.strip():
        raise InputError(f"{path} is empty: write it")
    return content
