"""Messages between harness and sandbox: a JSON header and tensors as safetensors, length-prefixed.

Both sides read with the same strictness: a wrong length, header or tensor is a `WireError`, and
nothing that is read is ever executed.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from benchmark.basics.files import laid_out

MAGIC = b"ABi1"
PREFIX = struct.Struct("<4sIQ")  # magic, bytes of the header, bytes of the tensors
HEADER = 1 << 20  # most bytes of either header
DIMENSIONS, LONGEST = 8, 1 << 40  # of a tensor, even an empty one
PLAIN = {torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64,
         torch.float16, torch.bfloat16, torch.float32, torch.float64}  # fmt: skip


class WireError(Exception):
    """A message that breaks the protocol."""


@dataclass
class Message:
    """`header` says what is meant and names `tensors` by their position."""

    header: dict[str, Any]
    tensors: list[Tensor] = field(default_factory=list)


def encode_message(message: Message) -> bytes:
    """The bytes of a message.

    Raises:
        WireError: a tensor that is not a plain one (sparse, quantised, complex), or too much JSON.
    """
    for tensor in message.tensors:
        if tensor.layout != torch.strided or tensor.dtype not in PLAIN or tensor.is_meta:
            raise WireError(f"a tensor of {tensor.dtype}, {tensor.layout} cannot cross")
    header = json.dumps(message.header).encode()
    if len(header) > HEADER:
        raise WireError(f"a header of {len(header)} bytes cannot cross")
    named = {str(i): laid_out(tensor) for i, tensor in enumerate(message.tensors)}
    body = save(named) if named else b""
    return PREFIX.pack(MAGIC, len(header), len(body)) + header + body


def read_lengths(prefix: bytes, limit: int) -> tuple[int, int]:
    """Bytes of header and tensors that follow `prefix`.

    Raises:
        WireError: this is no message, or its tensors have more than `limit` bytes.
    """
    magic, header, body = PREFIX.unpack(prefix)
    if magic != MAGIC or header > HEADER:
        raise WireError("what came is not a message")
    if body > limit:
        raise WireError(f"a message of {body / 1e6:.0f} MB is above the limit of {limit >> 20} MB")
    return header, body


def decode_message(header: bytes, body: bytes) -> Message:
    """The message of these bytes.

    Raises:
        WireError: malformed JSON or safetensors.
    """
    try:
        said = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise WireError("a header is not JSON") from error
    if not isinstance(said, dict):
        raise WireError("a header is not a JSON object")
    return Message(said, _tensors(body) if body else [])


def _tensors(body: bytes) -> list[Tensor]:
    if len(body) < 8 or int.from_bytes(body[:8], "little") > HEADER:
        raise WireError("tensors are not in safetensors' format")
    try:
        named = load(body)
    except (SafetensorError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise WireError(f"tensors are not in safetensors' format ({error})") from error
    if set(named) != {str(i) for i in range(len(named))}:
        raise WireError("tensors are not numbered")
    tensors = [named[str(i)] for i in range(len(named))]
    if any(t.dtype not in PLAIN for t in tensors):
        raise WireError("a tensor's type is not a plain one")
    if any(t.dim() > DIMENSIONS or max(t.shape, default=0) > LONGEST for t in tensors):
        raise WireError("a tensor's shape is absurd")
    return tensors
