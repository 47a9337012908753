"""Files that a user asked for: whole, or as they were before. Needs no torch."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from benchmark.basics.errors import cannot_write


def replace_file(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Write a file so that a reader sees either nothing new or all of it.

    Args:
        mode: who may read and write it, less what the umask takes.

    Raises:
        OSError: the folder cannot be written (permissions, disk full).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".writing-{path.name}-{secrets.token_hex(8)}"
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_output(path: Path, content: bytes, what: str = "") -> None:
    """Write a file and the folders it lies in. What is there already is replaced as a whole, a link
    stays one, and a device or pipe is written to.

    Args:
        what: the file is, for the message, such as "the figure".

    Raises:
        InputError: no permission, no room, or a folder's name is taken by a file.
    """
    try:
        target = Path(os.path.realpath(path))
        if target.exists() and not stat.S_ISREG(target.stat().st_mode):
            target.write_bytes(content)
        else:
            replace_file(target, content)
    except OSError as error:
        raise cannot_write(path, error, what) from error


def check_output(path: Path, what: str = "") -> None:
    """Find out, before the work starts, whether a file can be written; what is there stays as it
    is, and its folder is made.

    Raises:
        InputError: as `write_output`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        there = path.exists()
        if there and not path.is_file() and not path.is_dir():
            return  # a pipe would be waited for
        path.open("ab").close()
        if not there:
            path.unlink()
    except OSError as error:
        raise cannot_write(path, error, what) from error
