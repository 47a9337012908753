"""The global generators of torch, numpy and Python, which cross with every message.

A hook that draws from them then draws the same numbers on either side of the pipe.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmark.runs.sandbox.values import check_natural, is_number
from benchmark.runs.sandbox.wire import WireError

WORDS = 624  # of a Mersenne twister


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
    """Put the generators into the states that `capture_states` described.

    Raises:
        WireError: these are no states.
    """
    try:
        first = check_natural(said["first"], len(tensors))
        position, has_gauss, gauss = said["numpy"]
        check_natural(position, WORDS + 1), check_natural(has_gauss, 2)
        if not is_number(gauss) or not (said["python"] is None or is_number(said["python"])):
            raise WireError("a generator's state is not a number")
        key, words = tensors[first + 1], tensors[first + 2]
        if key.shape != (WORDS,) or words.shape != (WORDS + 1,) or not _words(key, words[:-1]):
            raise WireError("a generator's state has another form")
        state = {"key": key.numpy().astype(np.uint32), "pos": position}
        torch.set_rng_state(tensors[first])
        np.random.set_state(
            {"bit_generator": "MT19937", "state": state, "has_gauss": has_gauss, "gauss": gauss}
        )
        random.setstate((3, tuple(words.tolist()), said["python"]))
        if rng is not None:
            rng.set_state(tensors[first + 3])
    except (KeyError, TypeError, ValueError, IndexError, RuntimeError, OverflowError) as error:
        raise WireError("a generator's state has another form") from error


def _words(*arrays: Tensor) -> bool:
    return all(
        a.dtype == torch.int64 and bool((a >= 0).all()) and bool((a < 1 << 32).all())
        for a in arrays
    )
