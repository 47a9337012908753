"""Calls a method's hooks and checks what they return: each breach is one clear sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.errors import MethodError
from benchmark.items import Items, TrainingSet
from benchmark.mitigation import Access, Mitigation, Sampling
from benchmark.round import Round


def call(strategy: Mitigation, hook: str, t: int) -> Callable[..., Any]:
    """The hook, with whatever it raises turned into a MethodError that names it."""

    def wrapped(*args: Any) -> Any:
        try:
            return getattr(strategy, hook)(*args)
        except MethodError as error:
            raise type(error)(f"{_where(strategy, hook, t)}: {error}") from error
        except Exception as error:  # a method may raise anything; it becomes the lineage's record
            said = str(error) or "no message"
            raise MethodError(
                f"{_where(strategy, hook, t)} raised {type(error).__name__}: {said}"
            ) from error

    if hook != "loss":
        return wrapped

    def loss(per_element: Tensor, outputs: Tensor) -> Tensor:
        result = wrapped(per_element, outputs)
        if not isinstance(result, Tensor) or result.shape != per_element.shape:
            got = tuple(result.shape) if isinstance(result, Tensor) else type(result).__name__
            raise MethodError(
                f"{_where(strategy, 'loss', t)} must return a tensor of shape "
                f"{tuple(per_element.shape)} like its first argument, got {got}"
            )
        return result

    return loss


def checked_training_set(
    strategy: Mitigation, crawls: list[Items], reserve: Items, round_: Round
) -> TrainingSet:
    """`curate`'s training set, if it keeps the contract.

    Raises:
        MethodError: nothing or the wrong type returned, an empty set, items of another kind,
            weights that are not finite, negative or all zero, more items than were accessible,
            or the crawl, archive or reserve changed in place.
    """
    crawl, t = crawls[-1], round_.generation
    where = _where(strategy, "curate", t)
    lent = [*crawls, reserve]
    before = [items.digest() for items in lent]
    result = call(strategy, "curate", t)(crawl, round_)
    if [items.digest() for items in lent] != before:
        raise MethodError(f"{where} changed the items it was handed in place: work on a copy")
    if not isinstance(result, TrainingSet):
        raise MethodError(
            f"{where} returned {type(result).__name__}: return a TrainingSet(items, weights=None)"
        )
    if not isinstance(result.items, Items) or not result.items.same_kind(crawl):
        raise MethodError(f"{where} must return items like the crawl's, {crawl!r}")
    if len(result) == 0:
        raise MethodError(f"{where} returned an empty training set")
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
    return TrainingSet(result.items, result.weights)


def _check_weights(weights: Any, n: int, where: str) -> None:
    if not isinstance(weights, Tensor) or weights.shape != (n,):
        raise MethodError(f"{where} must return weights of shape ({n},)")
    if not torch.isfinite(weights).all():
        raise MethodError(f"{where} returned weights that are not finite")
    if (weights < 0).any() or weights.sum() == 0:
        raise MethodError(f"{where} returned weights that are negative or all zero")


def checked_model(strategy: Mitigation, model: nn.Module, round_: Round) -> nn.Module:
    """`adjust`'s model, of the same architecture."""
    result = call(strategy, "adjust", round_.generation)(model, round_)
    if type(result) is not type(model):
        raise MethodError(
            f"{_where(strategy, 'adjust', round_.generation)} returned {type(result).__name__}: "
            f"return the adjusted {type(model).__name__}"
        )
    return result


def checked_sampling(strategy: Mitigation, round_: Round) -> Sampling:
    """`sampling`'s settings; marking output needs `WATERMARK`."""
    where = _where(strategy, "sampling", round_.generation)
    result = call(strategy, "sampling", round_.generation)(round_)
    if not isinstance(result, Sampling):
        raise MethodError(f"{where} returned {type(result).__name__}: return a Sampling(...)")
    if (result.logits or result.pixels) and Access.WATERMARK not in strategy.access:
        raise MethodError(f"{where} marks its output: declare Access.WATERMARK")
    return result


def _where(strategy: Mitigation, hook: str, t: int) -> str:
    return f"{type(strategy).__name__}.{hook} at generation {t}"
