"""Files that are whole or absent: written atomically, checked against their SHA-256 when read."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from benchmark.basics.errors import CorruptFile, InputError
from benchmark.interface.items import _bytes


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees either nothing new or all of it.

    Raises:
        InputError: the folder cannot be written (permissions, disk full).
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.parent / f".writing-{path.name}-{secrets.token_hex(8)}"
        try:
            with temporary.open("xb") as file:  # readable by whom the umask lets
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError) -> InputError:
    """What is said of a file or folder that cannot be written."""
    return InputError(
        f"cannot write {path}: {error.strerror or error}; choose another --out folder or make "
        f"room, then run the same command again (finished generations are kept)"
    )


def clear_unfinished(path: Path) -> None:
    """Delete what killed processes left half written of `path`; for whoever holds its lock."""
    for stale in path.parent.glob(f".writing-{path.name}-*"):
        stale.unlink(missing_ok=True)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Inside, this process alone writes to `folder`: another one that asks waits until it ends.

    Raises:
        InputError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(str(folder / ".lock"))
        lock.acquire()
    except OSError as error:
        raise unwritable(folder, error) from error
    try:
        clear_unfinished(folder / "*")
        yield
    finally:
        lock.release()


def write_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Save tensors with their digest; integers above 8 bits are kept as int16 where they fit."""
    packed = {name: _pack(tensor.detach().cpu().contiguous()) for name, tensor in tensors.items()}
    # One metadata key only: with several, safetensors writes them in random order.
    write_bytes(path, save(packed, metadata={"sha256": tensor_digest(packed)}))


def read_tensors(path: Path, belongs_to: Path | None = None) -> dict[str, Tensor]:
    """Load what `write_tensors` saved; integers above 8 bits come back as int64.

    Args:
        belongs_to: what is useless without this file, so must be deleted with it (a lineage's
            folder); the file itself without it.

    Raises:
        CorruptFile: the file is missing, truncated or changed.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            expected = (file.metadata() or {}).get("sha256")
    except (SafetensorError, OSError) as error:
        raise _corrupt(path, str(error), belongs_to) from error
    if tensor_digest(tensors) != expected:
        raise _corrupt(path, "its checksum does not match", belongs_to)
    return {n: t.long() if t.dtype == torch.int16 else t for n, t in tensors.items()}


def _pack(tensor: Tensor) -> Tensor:
    if tensor.dtype != torch.int64:
        return tensor
    limits = torch.iinfo(torch.int16)
    fits = not tensor.numel() or (tensor.min() >= limits.min and tensor.max() <= limits.max)
    return tensor.to(torch.int16) if fits else tensor


def write_record(path: Path, record: dict[str, Any]) -> None:
    """Save a dictionary as JSON with the SHA-256 of its content."""
    text = _canonical(record)
    digest = hashlib.sha256(text.encode()).hexdigest()
    document = {"sha256": digest, "record": record}
    write_bytes(path, (json.dumps(document, indent=1, sort_keys=True) + "\n").encode())


def read_record(path: Path, belongs_to: Path | None = None) -> dict[str, Any]:
    """Load what `write_record` saved; `belongs_to` as for `read_tensors`.

    Raises:
        CorruptFile: the file is missing, truncated or changed.
    """
    try:
        document = json.loads(path.read_text())
        record, expected = document["record"], document["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _corrupt(path, f"{type(error).__name__}: {error}", belongs_to) from error
    if hashlib.sha256(_canonical(record).encode()).hexdigest() != expected:
        raise _corrupt(path, "its checksum does not match", belongs_to)
    return record


def _canonical(record: dict[str, Any]) -> str:
    return json.dumps(record, sort_keys=True, separators=(",", ":"))


def _corrupt(path: Path, why: str, belongs_to: Path | None) -> CorruptFile:
    return CorruptFile(
        f"{path} cannot be used ({why}): delete {belongs_to or path} and run the same command again"
    )


def tensor_digest(tensors: dict[str, Tensor]) -> str:
    """SHA-256 of named tensors, independent of the order of the names."""
    sha = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        sha.update(f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
        sha.update(_bytes(tensor))
    return sha.hexdigest()
