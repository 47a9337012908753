"""The global generators of torch, numpy and Python, which cross with every message.

A hook that draws from them then draws the same numbers on either side of the pipe. A state that
came from inside is taken apart and checked field by field: the libraries that read it trust it.
"""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmark.runs.sandbox.values import check_natural, is_number
from benchmark.runs.sandbox.wire import WireError

WORDS = 624  # of a Mersenne twister
MOST = 40.0  # of what is kept of a pair of normal numbers: no double is so unlikely
# The bytes of torch's CPU generator, all of them.
TORCH = np.dtype(
    [
        ("seed", "<u8"), ("left", "<i4"), ("seeded", "<i4"), ("next", "<u8"),
        ("words", "<u8", WORDS), ("normal", "<f8", 3), ("normal_is_valid", "<i4"),
        ("padding", "<i4"), ("float_normal", "<f4"), ("float_normal_is_valid", "<u4"),
    ]
)  # fmt: skip


def capture_states(rng: torch.Generator | None, tensors: list[Tensor]) -> dict[str, Any]:
    """The states of the global generators and of `rng`; arrays are appended to `tensors`."""
    numpy: Any = np.random.get_state(legacy=False)
    _, python, python_gauss = random.getstate()
    first = len(tensors)
    tensors += [
        torch.get_rng_state(),
        torch.from_numpy(numpy["state"]["key"].astype(np.int64)),
        torch.tensor(python),
    ]
    if rng is not None:
        tensors.append(rng.get_state())
    return {
        "first": first,
        "numpy": [int(numpy["state"]["pos"]), int(numpy["has_gauss"]), float(numpy["gauss"])],
        "python": python_gauss,
    }


def restore_states(said: Any, rng: torch.Generator | None, tensors: list[Tensor]) -> None:
    """Put the generators into the states that `capture_states` described; all of them or none.

    Raises:
        WireError: these are no states.
    """
    if not isinstance(said, dict) or set(said) != {"first", "numpy", "python"}:
        raise WireError("generators' states came in another form")
    first = check_natural(said["first"], len(tensors))
    states = tensors[first:]
    if len(states) != 3 + (rng is not None):
        raise WireError("the states of other generators came")
    if not isinstance(said["numpy"], list) or len(said["numpy"]) != 3:
        raise WireError("numpy's generator has another state")
    position, has_gauss, gauss = said["numpy"]
    check_natural(position, WORDS + 1)
    check_natural(has_gauss, 2)
    _check_normal(gauss)
    if said["python"] is not None:
        _check_normal(said["python"])
    _check_words(states[1], WORDS)
    _check_words(states[2], WORDS + 1)
    check_natural(int(states[2][-1]), WORDS + 1)
    for state in (states[0], *states[3:]):
        _check_torch(state)
    key = {"key": states[1].numpy().astype(np.uint32), "pos": position}
    np.random.set_state(
        {"bit_generator": "MT19937", "state": key, "has_gauss": has_gauss, "gauss": gauss}
    )
    random.setstate((3, tuple(states[2].tolist()), said["python"]))
    torch.set_rng_state(states[0])
    if rng is not None:
        rng.set_state(states[3])


def _check_normal(value: Any) -> None:
    if not is_number(value) or abs(value) > MOST:
        raise WireError("a generator keeps what is no normal number")


def _check_words(words: Tensor, count: int) -> None:
    plain = words.dtype == torch.int64 and words.shape == (count,)
    if not plain or not bool(((words >= 0) & (words < 1 << 32)).all()):
        raise WireError("a generator's state is not of 32-bit words")


def _check_torch(state: Tensor) -> None:
    """Raises WireError if torch would read outside of its words, or draw what is no number."""
    if state.dtype != torch.uint8 or state.shape != (TORCH.itemsize,):
        raise WireError("torch's generator has a state of another size")
    fields = np.frombuffer(state.numpy().tobytes(), TORCH)[0]
    left, following = int(fields["left"]), int(fields["next"])
    # The words are used up in order; before the first of them is drawn, new ones are made.
    in_order = (left, following) == (1, 0) or (1 <= left <= WORDS and left + following == WORDS + 1)
    flags = (fields["seeded"], fields["normal_is_valid"], fields["float_normal_is_valid"])
    if not in_order or any(flag not in (0, 1) for flag in flags):
        raise WireError("torch's generator has an impossible state")
    _check_words(torch.from_numpy(fields["words"].astype(np.int64)), WORDS)
    kept = [*fields["normal"], fields["float_normal"]]
    if not all(math.isfinite(value) and abs(value) <= MOST for value in kept):
        raise WireError("torch's generator keeps what is no normal number")
