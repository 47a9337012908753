"""Where generators compute: the CPU, or a GPU.

Random numbers are drawn and items are kept on the CPU in either case; codecs, verifiers and the
evaluator stay there, too, so that the ruler does not depend on the device. Only the pretrained
networks of suite `standard`, which are too large for that, and distances among their features
follow the generators.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

from benchmark.basics.errors import InputError

_current = ContextVar("device", default="cpu")


def check(name: str) -> None:
    """Raises InputError if this machine has no device `name`."""
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("no CUDA GPU is usable here (or this torch is a CPU build): use cpu")


def count_gpus() -> int:
    """GPUs that this process may use."""
    return torch.cuda.device_count()


def memory() -> int:
    """Bytes of the GPU that generators compute on, those that others use among them."""
    return torch.cuda.get_device_properties(0).total_memory


# What torch raises of a GPU whose memory is full, and of one that failed.
TROUBLE = (torch.OutOfMemoryError, torch.AcceleratorError)
# Libraries, such as cuBLAS, that find no memory are reported in words only.
WORDS = ("CUDA error", "cuDNN error", "Triton Error [CUDA]")
DEEPEST = 10  # causes that are looked at


def is_trouble(error: BaseException) -> bool:
    """Whether `error` is that the GPU has no memory left, or failed: not the fault of whose code
    happened to run, and gone when it runs again. Of a CPU nothing is."""
    if not torch.cuda.is_available():
        return False
    for found in list_causes(error):
        words = found.args[0] if type(found) is RuntimeError and found.args else None
        if type(found) in TROUBLE or (isinstance(words, str) and words.startswith(WORDS)):
            return True
    return False


def list_causes(error: BaseException) -> list[BaseException]:
    """`error` and what it names as its cause, and so on: torch.compile raises errors of its own
    from what it met."""
    found = [error]
    while len(found) < DEEPEST and (cause := found[-1].__cause__) is not None:
        found.append(cause)
    return found


@contextmanager
def computing_on(name: str) -> Iterator[None]:
    """Generators made inside compute on `name`.

    Raises:
        InputError: this machine does not have it.
    """
    check(name)
    token = _current.set(name)
    try:
        yield
    finally:
        _current.reset(token)


def name() -> str:
    """What the innermost `computing_on` was told; "cpu" outside of any."""
    return _current.get()


def current() -> torch.device:
    """The device of the innermost `computing_on`; the CPU outside of any."""
    return torch.device(name())


# FLOP a second of dense bf16 products, by the makers' data sheets, of a name's first match.
PEAKS = {
    "H100 PCIe": 756e12,
    "H100 NVL": 835e12,
    "H100": 989e12,
    "H200": 989e12,
    "B200": 2250e12,
    "A100": 312e12,
    "L40S": 362e12,
}


def peak(device: torch.device) -> float | None:
    """FLOP a second that `device` can do in bf16; None of a CPU or an unknown card."""
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device)
    return next((rate for card, rate in PEAKS.items() if card in name), None)


def title(name: str) -> str:
    """What a result calls the device: a GPU's model where this machine has it (a cluster's driver
    may have none), its plain name elsewhere."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else name
