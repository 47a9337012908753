"""Several processes (ranks), one GPU each, that train one lineage together.

All of them run the same loop on the same random numbers. The parts of a training step's batch and
of a sampling are shared out; gradients are averaged by accelerate. Only rank 0 touches files: what
it reads it tells the others. What one of them alone decides, such as that its part diverged, all
must know (`agree`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import torch
from torch import Tensor
from torch import distributed as dist

Made = TypeVar("Made")


def count() -> int:
    """How many ranks there are: 1 outside of `launch`."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Which of them this process is, from 0 on."""
    return dist.get_rank() if count() > 1 else 0


def spread(make: Callable[..., Tensor], parts: Sequence[Any]) -> Tensor:
    """torch.cat(make(*part) for part in parts), the parts shared out among the ranks.

    Raises:
        Exception: what `make` raised on any of them.
    """
    first, step = rank(), count()
    own = agree(lambda: [make(*part) for part in parts[first::step]])
    if step == 1:
        return torch.cat(own)
    made = gather([part.cpu() for part in own])
    return torch.cat([made[i % step][i // step] for i in range(len(parts))])


def agree(make: Callable[[], Made]) -> Made:
    """What `make` makes of this rank's own part, unless it raises on one of them: then the first
    one's error is raised on all, which would wait in vain for those that have left.

    Raises:
        Exception: the same on every rank.
    """
    if count() == 1:
        return make()
    made: Made | None = None
    own: Exception | None = None
    try:
        made = make()
    except Exception as error:
        own = error
    failed = next(filter(None, gather(own)), None)
    if failed is None:
        return cast(Made, made)
    try:
        raise failed from own
    finally:
        del failed, own  # their tracebacks hold this frame, and what lies on the GPU with it


def gather(value: Any) -> list[Any]:
    """What each rank has, in their order; every one gives its `value`."""
    if count() == 1:
        return [value]
    values: list[Any] = [None] * count()
    dist.all_gather_object(values, value)
    return values


def broadcast(value: Any = None) -> Any:
    """What rank 0 has; it gives `value`, the others nothing."""
    if count() == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box, src=0)
    return box[0]
