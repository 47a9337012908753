"""What a method inside may ask of its round, with which arguments."""

from __future__ import annotations

from typing import Any

from torch import nn

from benchmark.basics.errors import MethodError
from benchmark.interface.generator import Sampling
from benchmark.interface.items import Items, TrainingSet
from benchmark.interface.round import Round
from benchmark.run.sandbox.values import identifier, is_number

READS = ("archive", "reserve", "provenance", "model", "steps", "key")


def ask_round(round: Round | None, ask: Any, args: list[Any]) -> Any:
    """What `round` answers when `ask`, an attribute or method of it, is asked with `args`.

    Raises:
        MethodError: access or budget forbids it, or a number makes no sense.
        TypeError: there is no such question.
    """
    if round is None:
        raise MethodError("no round has begun")
    if ask in READS and not args:
        return getattr(round, ask)
    if ask in ("log_prob", "logits", "features") and _are(args, Items, nn.Module | None):
        return getattr(round, ask)(*args)
    if ask == "verify" and _are(args, Items):
        return round.verify(*args)
    if ask == "sample" and _are(args, int, Sampling | None, nn.Module | None):
        if args[0] < 0:
            raise MethodError("round.sample takes a number of items that is not negative")
        return round.sample(*args)
    kinds = (Items | TrainingSet, int, nn.Module | None, int | float)
    if ask == "finetune" and _are(args, *kinds):
        if args[1] < 1 or not is_number(args[3]):
            raise MethodError("round.finetune takes at least one step and a finite rate")
        return round.finetune(*args)
    raise TypeError(f"round.{identifier(ask)} does not take what it was given")


def _are(args: list[Any], *kinds: Any) -> bool:
    """Whether `args` are of these kinds, True and False not being numbers."""
    return len(args) == len(kinds) and all(
        isinstance(a, kind) and not isinstance(a, bool) for a, kind in zip(args, kinds, strict=True)
    )
