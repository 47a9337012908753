"""Files that are whole or absent: written atomically, checked against their SHA-256 when read."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from benchmark.basics.errors import CorruptFile, cannot_write
from benchmark.basics.output import replace_file
from benchmark.basics.plain import clean_terminal, read_ordinary

KEPT = (
    "choose another --out folder or make room, then run the same command again (finished "
    "generations are kept)"
)

PATIENCE = 10.0  # seconds that another process is waited for without a word

SHORT = "/int16"  # behind the name of what was int16 before it was written


def write_bytes(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Write a file so that a reader sees either nothing new or all of it.

    Args:
        mode: who may read and write it, less what the umask takes.

    Raises:
        InputError: the folder cannot be written (permissions, disk full).
    """
    try:
        replace_file(path, content, mode)
    except OSError as error:
        raise cannot_write(path, error, remedy=KEPT) from error


def clear_unfinished(path: Path) -> None:
    """Delete what killed processes left half written of `path`; for whoever holds its lock."""
    for stale in path.parent.glob(f".writing-{path.name}-*"):
        stale.unlink(missing_ok=True)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Inside, this process alone writes to `folder`: another one that asks waits until it ends, and
    says so after a while, for one that is suspended is waited for without end.

    Raises:
        InputError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(str(folder / ".lock"))
        try:
            lock.acquire(timeout=PATIENCE)
        except Timeout:
            said = f"Waiting for another process, which writes to {folder}"
            print(clean_terminal(said), file=sys.stderr, flush=True)
            lock.acquire()
    except OSError as error:
        raise cannot_write(folder, error, remedy=KEPT) from error
    try:
        clear_unfinished(folder / "*")
        yield
    finally:
        lock.release()


def write_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Save tensors with their digest; int64 is kept as int16 where it fits."""
    packed = dict(_pack(name, laid_out(tensor)) for name, tensor in tensors.items())
    # One metadata key only: with several, safetensors writes them in random order.
    write_bytes(path, save(packed, metadata={"sha256": tensor_digest(packed)}))


def read_tensors(path: Path, belongs_to: Path | None = None) -> dict[str, Tensor]:
    """Load what `write_tensors` saved: equal tensors of the same types, on the CPU.

    Args:
        belongs_to: what is useless without this file, so must be deleted with it (a lineage's
            folder); the file itself without it.

    Raises:
        CorruptFile: the file is missing, truncated or changed, or of a type that torch has not.
    """
    try:
        # Not by its name, which safetensors takes as UTF-8 only.
        content = read_ordinary(path)
        tensors = load(content)
        expected = (_header(content).get("__metadata__") or {}).get("sha256")
    except (SafetensorError, OSError) as error:
        raise cannot_use(path, str(error), belongs_to) from error
    except KeyError as error:  # safetensors knows more types than torch
        raise cannot_use(path, f"it holds numbers of type {error}", belongs_to) from error
    if tensor_digest(tensors) != expected:
        raise cannot_use(path, "its checksum does not match", belongs_to)
    return dict(_unpack(name, tensor) for name, tensor in tensors.items())


def _header(content: bytes) -> dict[str, Any]:
    """What the bytes of a file in safetensors' format say of its tensors."""
    size = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + size])


def _pack(name: str, tensor: Tensor) -> tuple[str, Tensor]:
    if tensor.dtype == torch.int16:
        return name + SHORT, tensor
    if tensor.dtype != torch.int64:
        return name, tensor
    limits = torch.iinfo(torch.int16)
    fits = not tensor.numel() or (tensor.min() >= limits.min and tensor.max() <= limits.max)
    return name, tensor.to(torch.int16) if fits else tensor


def _unpack(name: str, tensor: Tensor) -> tuple[str, Tensor]:
    if name.endswith(SHORT):
        return name.removesuffix(SHORT), tensor
    return name, tensor.long() if tensor.dtype == torch.int16 else tensor


def write_record(path: Path, record: dict[str, Any], mode: int = 0o666) -> None:
    """Save a dictionary as JSON with the SHA-256 of its content; `mode` as for `write_bytes`."""
    text = _canonical(record)
    digest = hashlib.sha256(text.encode()).hexdigest()
    document = {"sha256": digest, "record": record}
    write_bytes(path, (json.dumps(document, indent=1, sort_keys=True) + "\n").encode(), mode)


def read_record(path: Path, belongs_to: Path | None = None) -> dict[str, Any]:
    """Load what `write_record` saved; `belongs_to` as for `read_tensors`.

    Raises:
        CorruptFile: the file is missing, truncated or changed.
    """
    try:
        document = json.loads(read_ordinary(path).decode())
        record, expected = document["record"], document["sha256"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise cannot_use(path, f"{type(error).__name__}: {error}", belongs_to) from error
    if not isinstance(record, dict):
        raise cannot_use(path, "it holds no record", belongs_to)
    if hashlib.sha256(_canonical(record).encode()).hexdigest() != expected:
        raise cannot_use(path, "its checksum does not match", belongs_to)
    return record


def _canonical(record: dict[str, Any]) -> str:
    return json.dumps(record, sort_keys=True, separators=(",", ":"))


def cannot_use(path: Path, why: str, belongs_to: Path | None = None) -> CorruptFile:
    """The error for a stored file; `belongs_to` as for `read_tensors`."""
    return CorruptFile(
        f"{path} cannot be used ({why}): delete {belongs_to or path} and run the same command again"
    )


def tensor_digest(tensors: dict[str, Tensor]) -> str:
    """SHA-256 of named tensors: of names, types, shapes and values, whatever the order of the names
    and however and wherever the values lie in memory."""
    sha = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        sha.update(f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
        sha.update(_flat_bytes(tensor).numpy().data)
    return sha.hexdigest()


def laid_out(tensor: Tensor) -> Tensor:
    """A copy on the CPU with its last dimension densest: what is written, hashed or sent.

    Not `contiguous()`: that returns a tensor as it is where dimensions of size one have strides of
    another layout (a 1x1 convolution, channels last), which nothing can view as bytes.
    """
    return _resolved(tensor).clone(memory_format=torch.contiguous_format)


def bytes_of(tensor: Tensor) -> Tensor:
    """uint8 (N, B), to read only: the values of each row (entry of the first dimension) as bytes.
    Where the tensor lies like that already, this is its own memory."""
    flat, rows = _flat_bytes(tensor), len(tensor)
    return flat.view(rows, len(flat) // rows if rows else 0)


def make_dense(tensor: Tensor) -> Tensor:
    """`tensor` itself if its strides are the usual ones of its shape, those of dimensions of size
    one, too; else a copy."""
    usual = torch.empty(tensor.shape, device="meta").stride()
    return (
        tensor if tensor.stride() == usual else tensor.clone(memory_format=torch.contiguous_format)
    )


def _resolved(tensor: Tensor) -> Tensor:
    return tensor.detach().cpu().resolve_conj().resolve_neg()


def _flat_bytes(tensor: Tensor) -> Tensor:
    return make_dense(_resolved(tensor)).reshape(-1).view(torch.uint8)
