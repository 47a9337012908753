"""Calls a method's hooks and checks what they return: each breach is one clear sentence.

A hook is a stranger's code. Whatever it raises becomes a `MethodError` that names it, what it
leaves changed is put back (see `containment`), and what it hands over is brought to a plain form
(see `interface.plain_numbers`). What it is handed is a copy, or is checked after every hook.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.autograd import Function

from benchmark.basics.arithmetic import COMPUTING
from benchmark.basics.containment import Containment, contain
from benchmark.basics.errors import Breach, Diverged, MethodError
from benchmark.basics.ranks import agree
from benchmark.interface.access import Access
from benchmark.interface.generator import Generator, LossHook, Sampling
from benchmark.interface.items import Items, TrainingSet, read_columns
from benchmark.interface.mitigation import Mitigation, list_overridden
from benchmark.interface.plain_model import plain_model, plain_sampling
from benchmark.interface.plain_numbers import plain_columns, plain_count, plain_loss, plain_weights
from benchmark.interface.round import Ledger, Round

Made = TypeVar("Made")


class Hooks:
    """The hooks of a method's instance, made for generation `t`.

    Args:
        access: what the method declares.
        lent: the items that it may be handed in this generation, the crawl first.
    """

    def __init__(
        self, method: type[Mitigation], t: int, access: frozenset[Access], lent: list[Items]
    ) -> None:
        self._name, self._t, self._access, self._lent = method.__name__, t, access, lent
        for items in lent:
            items.watch()
        where = f"{self._name}() at generation {t}"
        made = contain(method, where)()
        if not isinstance(made, Mitigation):
            raise MethodError(f"{where} made a {type(made).__name__}, which is no Mitigation")
        self._strategy = made

    def where(self, hook: str | None = None) -> str:
        """How sentences about a hook, or about all that a generation's do together, begin."""
        named = f"{self._name}.{hook}" if hook else self._name
        return f"{named} at generation {self._t}"

    def overrides(self, hook: str) -> bool:
        return hook in list_overridden(type(self._strategy))

    def check_lent(self, hook: str) -> None:
        """After `hook`: nothing that was handed out in this generation may be another one now.

        Raises:
            MethodError: items were changed in place.
        """
        if any(items.changed() for items in self._lent):
            raise MethodError(
                f"{self.where(hook)} changed the items it was handed in place: work on a copy"
            )

    def curate(self, round_: Round, ledger: Ledger, generator: Generator) -> TrainingSet:
        """`curate`'s training set, if it keeps the contract.

        Raises:
            MethodError: nothing or the wrong type returned, an empty set, items of another kind or
                with values that cannot be, weights that are not finite, negative or all zero, more
                items than were accessible, or the crawl, archive or reserve changed in place.
        """
        crawl, where = self._lent[0], self.where("curate")
        whole = round_.limits.items_trained // generator.batch

        def curate() -> TrainingSet:
            return self._own(self._strategy.curate(crawl, round_))

        result = contain(curate, where)()
        self.check_lent("curate")
        if not result.items.same_kind(crawl):
            raise MethodError(f"{where} must return items like the crawl's, {crawl!r}")
        if len(result) == 0:
            raise MethodError(f"{where} returned an empty training set")
        for name, column in read_columns(result.items).items():
            if column.is_floating_point() and not torch.isfinite(column).all():
                raise MethodError(f"{where} returned items whose {name} are not finite")
        for name, count in generator.ranges.items():
            column = read_columns(result.items)[name]
            low, high = int(column.min()), int(column.max())
            if low < 0 or high >= count:
                raise MethodError(
                    f"{where} returned items whose {name} are {low} to {high}: only 0 to "
                    f"{count - 1} exist"
                )
        if isinstance(result.weights, Mapping) and not set(result.weights) <= set(
            generator.columns
        ):
            columns = ", ".join(generator.columns) or "none here"
            raise MethodError(
                f"{where} returned weights of the columns {', '.join(result.weights)}: those that "
                f"a model each makes ({columns}) may have some, else return one tensor"
            )
        accessible = sum(map(len, self._lent)) + ledger.items_generated
        if len(result) > accessible:
            raise MethodError(
                f"{where} returned {len(result)} items, more than the {accessible} it had access to"
            )
        left = whole - ledger.items_trained // generator.batch
        steps = left if result.steps is None else result.steps
        if not 1 <= steps <= left:
            raise MethodError(
                f"{where} asks for {steps} optimiser steps of training: 1 to {left} of this "
                f"generation's {whole} are left"
            )
        return replace(result, steps=steps)

    def _own(self, result: Any) -> TrainingSet:
        """A training set that nothing which the method still holds of it can change later."""
        if not isinstance(result, TrainingSet):
            raise Breach(
                f"returned {type(result).__name__}: return a TrainingSet(items, weights=None)"
            )
        items, weights, steps = result.items, result.weights, result.steps
        if not isinstance(items, Items):
            raise Breach(f"returned {type(items).__name__} as items of its training set")
        if not any(items is lent for lent in self._lent):
            columns = plain_columns(items.columns)
            items = Items(**{name: self._kind(name, column) for name, column in columns.items()})
        weights = None if weights is None else plain_weights(weights, len(items))
        return TrainingSet(items, weights, None if steps is None else plain_count(steps, "steps"))

    def _kind(self, name: str, column: Tensor) -> Tensor:
        """A copy of `column`, of the crawl's dtype where that changes no value."""
        like = read_columns(self._lent[0]).get(name, column)
        if column.is_floating_point() == like.is_floating_point() and not column.is_complex():
            cast = column.to(like.dtype)
            if torch.equal(cast.to(column.dtype), column):
                column = cast
        return column.clone()

    def train(self, train: Callable[[LossHook | None], Made]) -> Made:
        """What `train` makes with `loss`, or with None where the method does not override it.

        Raises:
            MethodError: the hook or its backward pass raised, or its value cannot be a loss.
            Diverged: the loss is not finite.
        """
        if not self.overrides("loss"):
            return train(None)
        # Of the rest of what a call may leave changed only the whole training is relieved.
        with Containment(self.where("loss")):
            try:
                made = train(self._loss)
            except Diverged as error:
                raise Diverged(f"{self.where('loss')}: {error}") from error
        self.check_lent("loss")
        return made

    def _loss(self, per_element: Tensor, outputs: Tensor) -> Tensor:
        return _Apart.apply(self._strategy, self.where("loss"), per_element, outputs)

    def adjust(self, model: nn.Module, round_: Round) -> nn.Module:
        """`adjust`'s weights in a model of the same architecture.

        Raises:
            MethodError: what came back cannot be stored and resumed (see `plain_model`).
            Diverged: weights that are not finite.
        """
        if not self.overrides("adjust"):
            return model

        def adjust() -> nn.Module:
            return plain_model(self._strategy.adjust(copy.deepcopy(model), round_), model)

        adjusted = contain(adjust, self.where("adjust"))()
        self.check_lent("adjust")
        if not all(torch.isfinite(weight).all() for weight in adjusted.state_dict().values()):
            raise Diverged(f"{self.where('adjust')} returned weights that are not finite")
        return adjusted

    def sampling(self, round_: Round, model: nn.Module) -> Sampling:
        """`sampling`'s settings for `model`; marking output needs `WATERMARK`.

        Raises:
            MethodError: they are no settings, or out of range.
        """
        if not self.overrides("sampling"):
            return Sampling()
        where = self.where("sampling")
        how = contain(lambda: plain_sampling(self._strategy.sampling(round_), model), where)()
        self.check_lent("sampling")
        if (how.logits or how.pixels) and Access.WATERMARK not in self._access:
            raise MethodError(f"{where} marks its output: declare Access.WATERMARK")
        if how.logits is not None:
            how = replace(how, logits=_keeping_shape(how.logits, 1, f"{where}, logits"))
        if how.pixels is not None:
            how = replace(how, pixels=_keeping_shape(how.pixels, 0, f"{where}, pixels"))
        return how


class _Apart(Function):
    """A loss hook whose graph is apart from the trainer's: what goes wrong in it, forwards or
    backwards, is the hook's, and nothing else is."""

    @staticmethod
    def forward(ctx: Any, strategy: Mitigation, where: str, *given: Tensor) -> Tensor:
        leaves = [x.detach().requires_grad_() for x in given]

        def value_of() -> Tensor:
            # Copies, because a hook may change its arguments in place.
            return plain_loss(strategy.loss(*(leaf.clone() for leaf in leaves)), given[0])

        with torch.enable_grad():
            # Ranks call the hook on parts of their own, one as often as the other.
            value = agree(contain(value_of, where, COMPUTING))
        ctx.apart, ctx.where = (value, leaves), f"{where}, in the backward pass,"
        return value.detach()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        (value, leaves), ctx.apart = ctx.apart, None

        def gradients_of() -> tuple[Tensor | None, ...]:
            found = torch.autograd.grad(value, leaves, gradients[0], allow_unused=True)
            if all(gradient is None for gradient in found):
                raise Breach("found that the loss does not depend on what the hook was given")
            return found

        return None, None, *agree(contain(gradients_of, ctx.where, COMPUTING))


def _keeping_shape(
    function: Callable[..., Any], argument: int, where: str
) -> Callable[..., Tensor]:
    """`function`, contained, which must return a tensor like its argument number `argument`; what
    it is handed and what it returns are copies."""

    def call(*args: Tensor) -> Tensor:
        like = args[argument]
        result = function(*(x.clone() for x in args))
        fits = isinstance(result, Tensor) and result.shape == like.shape
        if fits and result.dtype != like.dtype:
            fits = result.is_floating_point() and like.is_floating_point()
        if not fits or result.layout != torch.strided or result.is_meta:
            got = type(result).__name__
            if isinstance(result, Tensor):
                got = f"{result.dtype} {tuple(result.shape)}, {result.layout}, {result.device}"
            raise Breach(f"must return a {like.dtype} {tuple(like.shape)} tensor, got {got}")
        return result.detach().to(like.device, like.dtype, copy=True)

    return contain(call, where, COMPUTING)
