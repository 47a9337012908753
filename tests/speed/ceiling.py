"""The rate of single-core float32 matrix products, measured beside what is compared with it."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

Shape = tuple[int, int, int]  # (m, k, n): m x k times k x n
LARGE: Shape = (1024, 1024, 1024)


def product(shape: Shape) -> Callable[[], torch.Tensor]:
    """A function that multiplies two matrices of `shape`."""
    m, k, n = shape
    a, b = torch.randn(m, k), torch.randn(k, n)
    return lambda: a @ b


def seconds(shape: Shape, rounds: int = 5) -> float:
    """Processor seconds of one product: the least of `rounds`, of about 20 ms each."""
    multiply = product(shape)
    repeats = max(1, 2 * LARGE[0] ** 3 // (shape[0] * shape[1] * shape[2]) // 2)
    multiply()
    times = []
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(repeats):
            multiply()
        times.append((time.process_time() - start) / repeats)
    return min(times)


def flop(shape: Shape) -> int:
    return 2 * shape[0] * shape[1] * shape[2]
