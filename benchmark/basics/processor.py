"""How a process that computes lineages uses its processor: one thread, memory that it keeps."""

from __future__ import annotations

import ctypes
import platform
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch

from benchmark.basics import machine
from benchmark.basics.device import title

# Parameters of glibc's mallopt(3).
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
KEPT, LARGE = 512 * 2**20, 64 * 2**20  # bytes
HUGE_PAGE, MADV_HUGEPAGE = 2 * 2**20, 14  # of Linux's madvise(2)


def settle() -> None:
    """One thread, and up to `KEPT` bytes of freed memory are kept for the next tensors.

    glibc would return them to the system, which must clear their pages when the next step asks for
    them again: a tenth of the time in which a small language model trains. Tensors of `LARGE` bytes
    and more are still returned, so that they leave no holes. The system is asked to map that memory
    in huge pages, which saves up to another tenth: a step visits some megabytes here and there.
    """
    torch.set_num_threads(1)
    mallopt = _of_the_c_library("mallopt")
    if mallopt is not None:
        mallopt(TRIM_THRESHOLD, KEPT)
        mallopt(MMAP_THRESHOLD, LARGE)
        _ask_for_huge_pages()


@contextmanager
def without_denormals() -> Iterator[None]:
    """Inside, denormal numbers are 0 in this thread: they are slow, and some kernels take them for
    0 anyway. Python's own floats are concerned, too, so it is as before afterwards."""
    before = sys.float_info.min / 2 == 0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def release() -> None:
    """Return to the system what is kept but free."""
    trim = _of_the_c_library("malloc_trim")
    if trim is not None:
        trim(0)


@cache
def describe(device: str = "cpu") -> str:
    """What decides how this process rounds, and what its times depend on: system, processor, cores
    it may use, the instructions that torch uses, torch, its BLAS and the GPU, if `device` is it."""
    cores = machine.cores()
    parts = (
        f"{platform.system()} {platform.machine()}",
        machine.processor(),
        f"{cores} core{'s' if cores > 1 else ''}",
        torch.backends.cpu.get_cpu_capability(),
        f"torch {torch.__version__}",
        _blas(),
        "" if device == "cpu" else f"{machine.GPU}{title(device)}",
    )
    return ", ".join(part for part in parts if part)


def _blas() -> str:
    """Name and, of MKL, version of the library that multiplies matrices; "" if torch hides it."""
    built = torch.__config__.show()
    name = re.search(r"BLAS_INFO=(\w+)", built)
    version = re.search(r"Math Kernel Library Version ([\d.]+)", built)
    if version:
        return f"MKL {version[1]}"
    return name[1] if name else ""


def _ask_for_huge_pages() -> None:
    """For the memory that is kept: blocks are asked for, advised on and freed, never touched."""
    library = ctypes.CDLL(None)
    library.malloc.argtypes, library.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
    library.free.argtypes = [ctypes.c_void_p]
    library.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    size = LARGE - HUGE_PAGE
    blocks = [library.malloc(size) for _ in range(KEPT // LARGE - 1)]
    for block in filter(None, blocks):
        start = -(-block // HUGE_PAGE) * HUGE_PAGE
        library.madvise(start, block + size - start, MADV_HUGEPAGE)
    for block in blocks:
        library.free(block)


def _of_the_c_library(name: str) -> Any:
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
