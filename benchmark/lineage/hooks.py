"""Calls a method's hooks and checks what they return: each breach is one clear sentence."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.basics.errors import MethodError
from benchmark.interface.access import Access
from benchmark.interface.generator import Generator, LossHook, Sampling
from benchmark.interface.items import Items, TrainingSet
from benchmark.interface.mitigation import Mitigation
from benchmark.interface.round import Round


def make_instance(method: type[Mitigation], t: int) -> Mitigation:
    """A new instance for generation `t`."""
    return _guarded(method, f"{method.__name__}() at generation {t}")()


def _guarded(function: Callable[..., Any], where: str) -> Callable[..., Any]:
    """`function`, with whatever it raises turned into a MethodError that says where."""

    def wrapped(*args: Any) -> Any:
        try:
            return function(*args)
        except MethodError as error:
            raise type(error)(f"{where}: {error}") from error
        except Exception as error:  # a method may raise anything; it becomes the lineage's record
            said = str(error) or "no message"
            raise MethodError(f"{where} raised {type(error).__name__}: {said}") from error

    return wrapped


def _keeping_shape(
    function: Callable[..., Any], argument: int, where: str
) -> Callable[..., Tensor]:
    """`function`, guarded, which must return a tensor like its argument number `argument`."""
    inner = _guarded(function, where)

    def wrapped(*args: Any) -> Tensor:
        like: Tensor = args[argument]
        shape, dtype = like.shape, like.dtype
        result = inner(*args)
        if not isinstance(result, Tensor) or (result.shape, result.dtype) != (shape, dtype):
            got = type(result).__name__
            if isinstance(result, Tensor):
                got = f"{result.dtype} {tuple(result.shape)}"
            raise MethodError(f"{where} must return a {dtype} {tuple(shape)} tensor, got {got}")
        return result

    return wrapped


def checked_loss(strategy: Mitigation, t: int) -> LossHook | None:
    """`loss`, checked; None where the method does not override it."""
    if type(strategy).loss is Mitigation.loss:
        return None
    return _keeping_shape(strategy.loss, 0, _where(strategy, "loss", t))


def checked_training_set(
    strategy: Mitigation,
    crawls: list[Items],
    reserve: Items,
    round_: Round,
    generator: Generator,
) -> TrainingSet:
    """`curate`'s training set, if it keeps the contract.

    Raises:
        MethodError: nothing or the wrong type returned, an empty set, items of another kind or
            with values that cannot be, weights that are not finite, negative or all zero, more
            items than were accessible, or the crawl, archive or reserve changed in place.
    """
    crawl, t = crawls[-1], round_.generation
    where = _where(strategy, "curate", t)
    lent = [crawl]
    lent += crawls[:-1] if Access.ARCHIVE in strategy.access else []
    lent += [reserve] if Access.RESERVE in strategy.access else []
    for items in lent:
        items.watch()
    result = _guarded(strategy.curate, where)(crawl, round_)
    changed = [items.changed() for items in lent]  # of all of them: it ends the watch
    if any(changed):
        raise MethodError(f"{where} changed the items it was handed in place: work on a copy")
    if not isinstance(result, TrainingSet):
        raise MethodError(
            f"{where} returned {type(result).__name__}: return a TrainingSet(items, weights=None)"
        )
    if not isinstance(result.items, Items) or not result.items.same_kind(crawl):
        raise MethodError(f"{where} must return items like the crawl's, {crawl!r}")
    if len(result) == 0:
        raise MethodError(f"{where} returned an empty training set")
    for name, count in generator.ranges.items():
        low, high = int(result.items[name].min()), int(result.items[name].max())
        if low < 0 or high >= count:
            raise MethodError(
                f"{where} returned items whose {name} are {low} to {high}: only 0 to {count - 1} "
                f"exist"
            )
    access = strategy.access
    accessible = len(crawl) + round_.ledger.items_generated
    accessible += sum(map(len, crawls[:-1])) * (Access.ARCHIVE in access)
    accessible += len(reserve) * (Access.RESERVE in access)
    if len(result) > accessible:
        raise MethodError(
            f"{where} returned {len(result)} items, more than the {accessible} it had access to"
        )
    if result.weights is not None:
        _check_weights(result.weights, len(result), where)
    return TrainingSet(
        result.items,
        result.weights,
        _checked_steps(result.steps, round_, generator.batch, where),
    )


def _checked_steps(steps: Any, round_: Round, batch: int, where: str) -> int:
    """The optimiser steps that the training takes: all that are left, unless the method keeps some
    of them back."""
    whole, used = round_.limits.items_trained, round_.ledger.items_trained
    left = (whole - used) // batch
    if steps is None:
        steps = left
    if not isinstance(steps, int) or not 1 <= steps <= left:
        raise MethodError(
            f"{where} asks for {steps} optimiser steps of training: 1 to {left} of this "
            f"generation's {whole // batch} are left"
        )
    return int(steps)


def _check_weights(weights: Any, n: int, where: str) -> None:
    if not isinstance(weights, Tensor) or weights.shape != (n,) or weights.is_complex():
        raise MethodError(f"{where} must return real weights of shape ({n},)")
    if not torch.isfinite(weights).all():
        raise MethodError(f"{where} returned weights that are not finite")
    if (weights < 0).any() or weights.sum() == 0:
        raise MethodError(f"{where} returned weights that are negative or all zero")


def checked_model(strategy: Mitigation, model: nn.Module, round_: Round) -> nn.Module:
    """`adjust`'s model, of the same architecture."""
    if type(strategy).adjust is Mitigation.adjust:
        return model
    where = _where(strategy, "adjust", round_.generation)
    result = _guarded(strategy.adjust, where)(copy.deepcopy(model), round_)
    if type(result) is not type(model):
        raise MethodError(
            f"{where} returned {type(result).__name__}: return the adjusted {type(model).__name__}"
        )
    return result


def checked_sampling(strategy: Mitigation, round_: Round) -> Sampling:
    """`sampling`'s settings; marking output needs `WATERMARK`."""
    where = _where(strategy, "sampling", round_.generation)
    result = _guarded(strategy.sampling, where)(round_)
    if not isinstance(result, Sampling):
        raise MethodError(f"{where} returned {type(result).__name__}: return a Sampling(...)")
    positive = {"temperature": result.temperature, "top_p": result.top_p}
    for name, value in positive.items():
        if not isinstance(value, int | float) or not 0 < value < math.inf:
            raise MethodError(f"{where} returned {name} {value}: it must be above 0")
    numbers = isinstance(result.guidance, int | float) and isinstance(result.top_k, int)
    if not numbers or not math.isfinite(result.guidance) or result.top_k < 0:
        raise MethodError(
            f"{where} returned guidance {result.guidance} and top_k {result.top_k}: guidance must "
            f"be finite, top_k 0 or more"
        )
    if (result.logits or result.pixels) and Access.WATERMARK not in strategy.access:
        raise MethodError(f"{where} marks its output: declare Access.WATERMARK")
    if result.logits is not None:
        result = replace(result, logits=_keeping_shape(result.logits, 1, f"{where}, logits"))
    if result.pixels is not None:
        result = replace(result, pixels=_keeping_shape(result.pixels, 0, f"{where}, pixels"))
    return result


def _where(strategy: Mitigation, hook: str, t: int) -> str:
    return f"{type(strategy).__name__}.{hook} at generation {t}"
