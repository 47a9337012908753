"""What is scored is unmarked; what is published may carry a mark, within bounds.

What no score looks at, labels and the settings of texts, could be a mark, too, and is bounded for
every method.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from benchmark.basics import device
from benchmark.basics.errors import MethodError
from benchmark.basics.ranks import broadcast, gather
from benchmark.interface.generator import Generator, Sampling
from benchmark.interface.items import Items
from benchmark.metrics.nats import measure_nats

PSNR = 34.0  # least decibels of a marked image against the unmarked one
NATS = 0.5  # most nats a token between marked and unmarked distributions, on average
TEXT_NATS = 1.0  # the same of a single text
MISREAD = 0.5  # share of labels that the evaluator misreads, beyond that of the first model
CERTAIN = -1e8  # a logit below it: where all but one are, nothing is drawn
LOOKED_AT = 1_000  # items whose labels are read: the first ones, since their order is random


class Written(NamedTuple):
    """What a model wrote: `scored` without, `published` with its mark; the same without one."""

    scored: Items
    published: Items


@runtime_checkable
class Unscored(Protocol):
    """A generator of which the score looks at the model and not at what it publishes, so that a
    numeric setting could be a mark."""

    def settings_nats(self, model: nn.Module, items: Items, how: Sampling) -> float:
        """KL in nats a token between the distributions that `items` are drawn from by the numeric
        settings of `how` and those of the model itself, on average."""
        ...


@runtime_checkable
class LabelReader(Protocol):
    """An evaluator whose score looks at images and not at labels, so that these could be a mark."""

    def misread(self, items: Items) -> float:
        """Share of the items whose label is not what the image shows."""
        ...


def write_marked(
    generator: Generator,
    model: nn.Module,
    n: int,
    rng: Callable[[], torch.Generator],  # anew: the marked text is drawn by the same numbers
    how: Sampling,
    where: str,
) -> Written:
    """`n` items by the numeric settings of `how`, and the same with its marks.

    Raises:
        MethodError: a mark, or a numeric setting that no score looks at, changes more than its
            bound allows; `where` says whose it is.
        Diverged: the model's output is not finite.
    """
    plain = replace(how, logits=None, pixels=None)
    scored = generator.sample(model, n, rng(), plain)
    if plain != Sampling() and isinstance(generator, Unscored):
        nats = broadcast(generator.settings_nats(model, scored, plain))
        if not nats <= NATS:
            raise MethodError(
                f"{where}: its temperature, top_p or top_k change the model's next-token "
                f"distribution by {nats:.2f} nats a token; {NATS} on average are allowed, since "
                f"the score is of the model and they would be a mark: choose milder ones"
            )
    columns = dict(scored.columns)
    if how.logits is not None and "tokens" in columns:
        meter = Divergence(how.logits)
        marked = generator.sample(model, n, rng(), replace(plain, logits=meter))
        columns = dict(marked.columns)  # a picture that is painted of a marked caption, too
        _check_nats(meter.of_texts(), where)
    if how.pixels is not None and "image" in columns:
        unmarked = columns["image"]
        columns["image"] = how.pixels(unmarked.clone())
        _check_decibels(unmarked, columns["image"], where)
    if all(columns[name] is column for name, column in scored.columns.items()):
        return Written(scored, scored)
    return Written(scored, Items(**columns))


class Divergence:
    """A logits mark that measures itself: KL(marked || unmarked) in nats of every token drawn. What
    fills a row after a caption's end is not drawn."""

    def __init__(self, mark: Callable[[Tensor, Tensor], Tensor]) -> None:
        self._mark = mark
        # By batch of texts, then by token: nats (B,), and whether each was drawn.
        self._batches: list[list[tuple[Tensor, Tensor]]] = []

    def __call__(self, written: Tensor, logits: Tensor) -> Tensor:
        marked = self._mark(written, logits.clone())
        # Marks compute on the CPU; half a million numbers a token are counted where models are.
        where = device.current()
        nats = measure_nats(marked.to(where), logits.to(where)).cpu()
        if not written.shape[1]:
            self._batches.append([])
        # A mark may not make a choice where there was none, either.
        drawn = ((logits > CERTAIN).sum(-1) > 1) | (nats != 0)
        self._batches[-1].append((nats, drawn))
        return marked

    def of_texts(self) -> Tensor:
        """(N,) nats a token of every text, whichever rank wrote it."""
        own = []
        for batch in self._batches:
            nats, drawn = (torch.stack(parts) for parts in zip(*batch, strict=True))
            own.append((nats * drawn).sum(0) / drawn.sum(0).clamp(min=1))
        return torch.cat([nats for of_rank in gather(own) for nats in of_rank])


def check_labels(
    reader: LabelReader, scored: Items, first: Callable[[], Items], where: str
) -> None:
    """At most `MISREAD` more of the labels are not what their images show than of those of the
    first model's samples.

    Args:
        scored: what a model wrote, unmarked: a mark may mislead the reader.
        first: the same of generation 0, by no settings.

    Raises:
        MethodError: more of them are; `where` says who published.
    """
    looked_at = slice(LOOKED_AT)
    wrong = reader.misread(scored.take(looked_at))
    if wrong <= MISREAD:
        return
    usual = reader.misread(first().take(looked_at))
    if wrong > MISREAD + usual:
        raise MethodError(
            f"{where}: {wrong:.0%} of the labels published are not what their images show, "
            f"{usual:.0%} of the first model's were not; {MISREAD * 100:.0f} points more are "
            f"allowed, since the score does not look at labels and they would be a mark: look at "
            f"what it trains on and how long, at loss and adjust, at guidance and temperature"
        )


def _check_nats(of_texts: Tensor, where: str) -> None:
    mean, most = float(of_texts.mean()), float(of_texts.max())
    # Written so that a distribution which is not a number breaks the bound.
    if not mean <= NATS or not most <= TEXT_NATS:
        raise MethodError(
            f"{where}: its logits mark changes the model's next-token distribution by {mean:.2f} "
            f"nats a token, in one text by {most:.2f}; {NATS} on average and {TEXT_NATS} in any "
            f"text are allowed: make the mark weaker"
        )


def _check_decibels(unmarked: Tensor, marked: Tensor, where: str) -> None:
    squares = (marked.float() - unmarked.float()).square().flatten(1).mean(1)
    worst = float(squares.max())
    least = math.inf if worst == 0 else 10 * math.log10(255**2 / worst)
    if least < PSNR:
        raise MethodError(
            f"{where}: its pixels mark leaves an image at {least:.1f} dB of the unmarked one, "
            f"{PSNR:g} dB are the least for each: make the mark weaker"
        )
