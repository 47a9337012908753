"""Several processes (ranks), one GPU each, that train one lineage together.

All of them run the same loop on the same random numbers. The parts of a training step's batch and
of a sampling are shared out; gradients are averaged by accelerate. Only rank 0 touches files: what
it reads it tells the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch import distributed as dist


def count() -> int:
    """How many ranks there are: 1 outside of `launch`."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Which of them this process is, from 0 on."""
    return dist.get_rank() if count() > 1 else 0


def spread(make: Callable[..., Tensor], parts: Sequence[Any]) -> Tensor:
    """torch.cat(make(*part) for part in parts), the parts shared out among the ranks."""
    first, step = rank(), count()
    own = [make(*part) for part in parts[first::step]]
    if step == 1:
        return torch.cat(own)
    made: list[Any] = [None] * step
    dist.all_gather_object(made, [part.cpu() for part in own])
    return torch.cat([made[i % step][i // step] for i in range(len(parts))])


def broadcast(value: Any = None) -> Any:
    """What rank 0 has; it gives `value`, the others nothing."""
    if count() == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box, src=0)
    return box[0]
