"""The round: all that a mitigation can see and do in one generation, and what it is charged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from benchmark.basics.errors import AccessError, BudgetError, MethodError
from benchmark.interface.access import Access
from benchmark.interface.generator import Sampling
from benchmark.interface.items import Items, TrainingSet
from benchmark.interface.ledger import Ledger
from benchmark.interface.sources import REAL

if TYPE_CHECKING:
    from benchmark.interface.generator import Generator


@dataclass(frozen=True)
class Limits:
    """Upper bounds of the ledger's auxiliary entries, in items per generation."""

    items_trained: int
    items_generated: int
    forward_passes: int


class Round:
    """One generation as a mitigation sees it.

    Attributes:
        generation: t.
        n: items in a crawl.
        modality: "image", "text", or an analytic task's name.
        vocabulary: text: how many tokens there are; 0 elsewhere.
        rng: a seeded generator, the method's own in this hook.
        limits: auxiliary work allowed in this generation.
        ledger: auxiliary work done so far in this generation.

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
    ) -> None:
        self.generation, self.n, self.modality = generation, n, modality
        self.rng, self.limits, self.vocabulary = rng, limits, vocabulary
        self._granted = granted
        self._generator = generator if Access.MODEL in granted else None
        self.ledger = ledger

    def renew(self, model: nn.Module) -> None:
        """Called by the harness when this generation's model is ready."""
        if Access.MODEL in self._granted:
            self._granted[Access.MODEL] = model

    def _get(self, access: Access, what: str) -> Any:
        if access not in self._granted:
            raise AccessError(
                f"round.{what} needs Access.{access.name}: "
                f"declare access = frozenset({{Access.{access.name}}})"
            )
        return self._granted[access]

    def _charge(self, entry: str, amount: int) -> None:
        if amount < 0:
            raise BudgetError(f"{entry} cannot change by {amount}")
        total = getattr(self.ledger, entry) + amount
        limit = getattr(self.limits, entry)
        if total > limit:
            raise BudgetError(
                f"{entry} would exceed this generation's limit of {limit} items "
                f"by asking for {amount} more"
            )
        setattr(self.ledger, entry, total)

    # --- what a method may see -------------------------------------------------------------

    @property
    def archive(self) -> Sequence[Items]:
        """The crawls of generations 0..t-1, as they were handed out. Needs `ARCHIVE`."""
        return self._get(Access.ARCHIVE, "archive")

    @property
    def reserve(self) -> Items:
        """The trusted real items. Needs `RESERVE`."""
        reserve = self._get(Access.RESERVE, "reserve")
        self.ledger.real_items = max(self.ledger.real_items, len(reserve))
        return reserve

    @property
    def provenance(self) -> Sequence[Tensor]:
        """For each crawl 0..t, int64 (n,): -1 real, i >= 0 own model i, -3 foreign. Needs
        `PROVENANCE`."""
        provenance = self._get(Access.PROVENANCE, "provenance")
        seen = sum(int((made == REAL).sum()) for made in provenance)
        self.ledger.real_items = max(self.ledger.real_items, seen)
        return provenance

    @property
    def model(self) -> nn.Module:
        """The newest own generator: of t-1 in `curate`, of t in `adjust` and `sampling`. Needs
        `MODEL`."""
        return self._get(Access.MODEL, "model")

    @property
    def steps(self) -> int:
        """Optimiser steps of one training run. Needs `MODEL`."""
        self._get(Access.MODEL, "steps")
        return self._generator.steps  # type: ignore[union-attr]

    @property
    def key(self) -> int:
        """A secret number, the same for the whole lineage, for watermarks. Needs `WATERMARK`."""
        return self._get(Access.WATERMARK, "key")

    # --- what a method may do, charged to the ledger ---------------------------------------

    def log_prob(self, items: Items, model: nn.Module | None = None) -> Tensor:
        """(N,) log-probabilities under the newest own generator or `model`. Needs `MODEL`."""
        model = self._own(model, "log_prob")
        self._charge("forward_passes", len(items))
        return self._generator.log_prob(model, items)  # type: ignore[union-attr]

    def logits(self, items: Items, model: nn.Module | None = None) -> Tensor:
        """(N, L, V) logits of every token given those before it, as they are sampled from. Text
        only, and large: ask for some hundred items at a time. Needs `MODEL`.

        Raises:
            MethodError: the task is not text.
        """
        model = self._own(model, "logits")
        self._charge("forward_passes", len(items))
        return self._generator.logits(model, items)  # type: ignore[union-attr]

    def features(self, items: Items, model: nn.Module | None = None) -> Tensor:
        """(N, F) hidden representations under the newest own generator. Needs `MODEL`."""
        model = self._own(model, "features")
        self._charge("forward_passes", len(items))
        return self._generator.features(model, items)  # type: ignore[union-attr]

    def sample(self, n: int, how: Sampling | None = None, model: nn.Module | None = None) -> Items:
        """`n` further items of the newest own generator or `model`. Needs `MODEL`."""
        model = self._own(model, "sample")
        self._charge("items_generated", n)
        return self._generator.sample(model, n, self.rng, how or Sampling())  # type: ignore[union-attr]

    def finetune(
        self,
        items: Items | TrainingSet,
        steps: int,
        model: nn.Module | None = None,
        rate: float = 1.0,
    ) -> nn.Module:
        """A copy of the newest own generator (or `model`) trained `steps` steps more on `items`,
        at `rate` times the recipe's learning rate. Needs `MODEL`."""
        model = self._own(model, "finetune")
        generator = self._generator
        assert generator is not None
        if steps < 1:
            raise MethodError(f"round.finetune needs at least one step, got {steps}")
        self._charge("items_trained", steps * generator.batch)
        data = items if isinstance(items, TrainingSet) else TrainingSet(items)
        return generator.train(data, self.rng, model=model, steps=steps, rate=rate)

    def verify(self, items: Items) -> Tensor:
        """(N,) scores of a frozen external scorer, higher is better. Needs `VERIFIER`."""
        verifier = self._get(Access.VERIFIER, "verify")
        self._charge("forward_passes", len(items))
        return verifier(items)

    def _own(self, model: nn.Module | None, what: str) -> nn.Module:
        newest = self._get(Access.MODEL, what)
        return newest if model is None else model
