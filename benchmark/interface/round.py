"""The round: all that a mitigation can see and do in one generation, and what it is charged."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from benchmark.basics.errors import AccessError, BudgetError, MethodError
from benchmark.interface.access import Access
from benchmark.interface.generator import Generator, Sampling
from benchmark.interface.items import Items, TrainingSet
from benchmark.interface.plain_model import plain_model, plain_sampling
from benchmark.interface.plain_numbers import plain_count, plain_number
from benchmark.interface.sources import REAL


class Offer(NamedTuple):
    """What one attribute or method of a round needs, and the ledger's entry it is charged to."""

    access: Access
    charge: str = ""


# All that a round offers beyond the crawl; the sandbox lets nothing else through. What a method
# of it takes is what its signature says.
ROUND = {
    "archive": Offer(Access.ARCHIVE),
    "reserve": Offer(Access.RESERVE, "real_items"),
    "provenance": Offer(Access.PROVENANCE, "real_items"),
    "model": Offer(Access.MODEL),
    "steps": Offer(Access.MODEL),
    "key": Offer(Access.WATERMARK),
    "log_prob": Offer(Access.MODEL, "forward_passes"),
    "logits": Offer(Access.MODEL, "forward_passes"),
    "features": Offer(Access.MODEL, "forward_passes"),
    "sample": Offer(Access.MODEL, "items_generated"),
    "fill": Offer(Access.MODEL, "items_generated"),
    "finetune": Offer(Access.MODEL, "items_trained"),
    "verify": Offer(Access.VERIFIER, "forward_passes"),
}

MOST_LOGITS = 500  # items at once: their logits are the largest thing that a round hands out


@dataclass
class Ledger:
    """Costs of one generation, counted by the harness.

    Attributes:
        items_trained: items shown to an optimiser (steps x batch), by training and fine-tuning.
        items_generated: items published, plus those a method sampled for itself.
        forward_passes: items a method scored or embedded.
        real_items: trusted real items a method was shown (reserve, or real by provenance).
    """

    items_trained: int = 0
    items_generated: int = 0
    forward_passes: int = 0
    real_items: int = 0

    def as_dict(self) -> dict[str, int]:
        return vars(self).copy()


@dataclass(frozen=True)
class Limits:
    """Upper bounds of the ledger's entries, in items per generation; `items_trained` is the whole
    training, which fine-tuning is taken from."""

    items_trained: int
    items_generated: int
    forward_passes: int


class Round:
    """One generation as a mitigation sees it.

    Attributes:
        generation: t.
        n: items in a crawl.
        modality: "image", "text", "pair" (a picture with its caption), or an analytic task's name.
        vocabulary: text and pairs: how many tokens there are; 0 elsewhere.
        rng: a seeded generator, the method's own in this hook.
        limits: auxiliary work allowed in this generation.
        ledger: auxiliary work done so far in this generation, a copy of the harness's count.

    Everything else depends on the method's `access` and raises `AccessError` without it: what is
    not declared is not inside this object.
    """

    def __init__(
        self,
        generation: int,
        n: int,
        modality: str,
        rng: torch.Generator,
        granted: dict[Access, Any],
        generator: Generator | None,
        ledger: Ledger,
        limits: Limits,
        vocabulary: int = 0,
        trained: bool = False,  # whether the model is this generation's
    ) -> None:
        self.generation, self.n, self.modality = generation, n, modality
        self.rng, self.limits, self.vocabulary = rng, limits, vocabulary
        self._granted = granted
        self._generator = generator if Access.MODEL in granted else None
        self._ledger, self.ledger = ledger, replace(ledger)
        self._limits = limits
        self._shown: dict[str, int] = {}  # of each source of real items, how many
        self._trained = trained
        self._copy: nn.Module | None = None

    def renew(self, model: nn.Module) -> None:
        """Called by the harness when this generation's model is ready."""
        if Access.MODEL in self._granted:
            self._granted[Access.MODEL] = model
        self._trained, self._copy, self.ledger = True, None, replace(self._ledger)

    def _get(self, what: str) -> Any:
        """What was granted for `what`, one of `ROUND`."""
        access = ROUND[what].access
        if access not in self._granted:
            raise AccessError(
                f"round.{what} needs Access.{access.name}: "
                f"declare access = frozenset({{Access.{access.name}}})"
            )
        return self._granted[access]

    def _charge(self, what: str, amount: int) -> None:
        """Charge `amount` items for `what`, if that is within the limits."""
        entry = ROUND[what].charge
        if amount < 0:
            raise BudgetError(f"{entry} cannot change by {amount}")
        total = getattr(self._ledger, entry) + amount
        limit = getattr(self._limits, entry)
        if total > limit and what == "finetune":
            batch = self._generator.batch  # type: ignore[union-attr]
            left = (limit - getattr(self._ledger, entry)) // batch
            raise BudgetError(
                f"round.{what} asks for {amount // batch} of this generation's {limit // batch} "
                f"optimiser steps, {left} are left: keep some back from the training, as in "
                f"TrainingSet(items, steps=round.steps - {amount // batch})"
            )
        if total > limit:
            raise BudgetError(
                f"{entry} would exceed this generation's limit of {limit} items "
                f"by asking for {amount} more"
            )
        self._set(entry, total)

    def _note(self, what: str, seen: int) -> None:
        """So many different items were shown by now; to look again costs nothing. Those of one
        source are none of another."""
        entry = ROUND[what].charge
        self._shown[what] = seen
        self._set(entry, max(getattr(self._ledger, entry), sum(self._shown.values())))

    def _set(self, entry: str, total: int) -> None:
        setattr(self._ledger, entry, total)
        self.ledger = replace(self._ledger)

    # --- what a method may see -------------------------------------------------------------

    @property
    def archive(self) -> Sequence[Items]:
        """The crawls of generations 0..t-1, as they were handed out. Needs `ARCHIVE`."""
        return self._get("archive")

    @property
    def reserve(self) -> Items:
        """The trusted real items. Needs `RESERVE`."""
        reserve = self._get("reserve")
        self._note("reserve", len(reserve))
        return reserve

    @property
    def provenance(self) -> Sequence[Tensor]:
        """Of each crawl 0..t, int64 (n,): -1 real, i >= 0 own model i, -3 foreign. Needs
        `PROVENANCE`."""
        provenance = self._get("provenance")
        self._note("provenance", sum(int((made == REAL).sum()) for made in provenance))
        return tuple(made.clone() for made in provenance)

    @property
    def model(self) -> nn.Module:
        """A copy of the newest own generator: of t in `adjust` and `sampling`; of t-1 in `curate`,
        where it needs `ARCHIVE`, too. Needs `MODEL`."""
        newest = self._weights("model")
        if self._copy is None:
            self._copy = copy.deepcopy(newest)
        return self._copy

    @property
    def steps(self) -> int:
        """Optimiser steps of a generation, for training and fine-tuning together. Needs
        `MODEL`."""
        self._get("steps")
        return self._generator.steps  # type: ignore[union-attr]

    @property
    def key(self) -> int:
        """A secret number, the same for the whole lineage, for watermarks. Needs `WATERMARK`."""
        return self._get("key")

    # --- what a method may do, charged to the ledger ---------------------------------------

    def log_prob(self, items: Items, model: nn.Module | None = None, blind: bool = False) -> Tensor:
        """(N,) log-probabilities under the newest own generator or `model`. Of pairs these are
        log p(caption | picture), exactly, or log p(caption) if `blind`. Of images they are the
        usual surrogate, minus the loss of denoising, at noise that an item has by its place among
        `items`: the same images in another order get others. Needs `MODEL`.

        Raises:
            MethodError: `blind`, and the items are not pairs.
        """
        model = self._own(model, "log_prob")
        self._charge("log_prob", _count_items(items, "log_prob"))
        generator = self._generator
        assert generator is not None
        return generator.log_prior(model, items) if blind else generator.log_prob(model, items)

    def logits(self, items: Items, model: nn.Module | None = None) -> Tensor:
        """(N, L, V) logits of every token given those before it, as they are sampled from (of pairs
        also given the picture). Large: ask for some hundred items at a time. Needs `MODEL`.

        Raises:
            MethodError: the items have no tokens, or more than `MOST_LOGITS` were given.
        """
        model = self._own(model, "logits")
        count = _count_items(items, "logits")
        if count > MOST_LOGITS:
            raise MethodError(
                f"round.logits of {count} items at once would take too much memory: ask for "
                f"at most {MOST_LOGITS} at a time"
            )
        self._charge("logits", count)
        return self._generator.logits(model, items)  # type: ignore[union-attr]

    def features(self, items: Items, model: nn.Module | None = None) -> Tensor:
        """(N, F) hidden representations under the newest own generator; of images at noise that
        an item has by its place, as `log_prob`. Needs `MODEL`."""
        model = self._own(model, "features")
        self._charge("features", _count_items(items, "features"))
        return self._generator.features(model, items)  # type: ignore[union-attr]

    def sample(self, n: int, how: Sampling | None = None, model: nn.Module | None = None) -> Items:
        """`n` further items of the newest own generator or `model`. Needs `MODEL`."""
        n, model = plain_count(n, "round.sample(n)"), self._own(model, "sample")
        how = Sampling() if how is None else plain_sampling(how, self._get("sample"))
        self._charge("sample", n)
        return self._generator.sample(model, n, self.rng, how)  # type: ignore[union-attr]

    def fill(self, items: Items, column: str, model: nn.Module | None = None) -> Items:
        """`items` with `column` made anew from the other by the newest own generator or `model`:
        "tokens" writes a caption of each picture, "image" paints a picture of each caption. Pairs
        only; charged as generated. Needs `MODEL`.

        Raises:
            MethodError: the items are not pairs, or have no such column.
        """
        model = self._own(model, "fill")
        self._charge("fill", _count_items(items, "fill"))
        return self._generator.fill(model, items, column, self.rng)  # type: ignore[union-attr]

    def finetune(
        self,
        items: Items | TrainingSet,
        steps: int,
        model: nn.Module | None = None,
        rate: float = 1.0,
    ) -> nn.Module:
        """A copy of the newest own generator (or `model`) trained `steps` steps more on `items`,
        at `rate` times the recipe's learning rate. Needs `MODEL`, in `curate` also `ARCHIVE`.

        Raises:
            BudgetError: the generation has not so many steps left, see `TrainingSet.steps`.
        """
        newest = self._weights("finetune")
        model = newest if model is None else plain_model(model, newest)
        steps, rate = plain_count(steps, "round.finetune(steps)"), plain_number(rate)
        generator = self._generator
        assert generator is not None
        if steps < 1:
            raise MethodError(f"round.finetune needs at least one step, got {steps}")
        if not math.isfinite(rate):
            raise MethodError(f"round.finetune needs a finite rate, got {rate}")
        data = items if isinstance(items, TrainingSet) else TrainingSet(items)
        _count_items(data.items, "finetune")
        # All items are encoded; those that these steps cannot show are charged for it.
        self._charge("log_prob", max(0, len(data) - steps * generator.batch))
        self._charge("finetune", steps * generator.batch)
        with torch.inference_mode(False), torch.enable_grad():  # whatever the hook computes in
            return generator.train(data, self.rng, model=model, steps=steps, rate=rate)

    def verify(self, items: Items) -> Tensor:
        """(N,) scores of a frozen external scorer, higher is better. Needs `VERIFIER`."""
        verifier = self._get("verify")
        self._charge("verify", _count_items(items, "verify"))
        return verifier(items)

    def _weights(self, what: str) -> nn.Module:
        """The newest model, where its weights may be handed out: those of a generation before are
        memory, which is declared."""
        newest = self._get(what)
        if not self._trained and Access.ARCHIVE not in self._granted:
            raise AccessError(
                f"round.{what} in curate is of the generation before: declare Access.ARCHIVE, too"
            )
        return newest

    def _own(self, model: nn.Module | None, what: str) -> nn.Module:
        newest = self._get(what)
        return newest if model is None else plain_model(model, newest)


def _count_items(items: Items, what: str) -> int:
    """How many there are, if they are some."""
    if not isinstance(items, Items):
        raise MethodError(f"round.{what} takes Items, not {type(items).__name__}")
    if not len(items):
        raise MethodError(f"round.{what} was asked about no items: give one or more")
    return len(items)
