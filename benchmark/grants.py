"""What the harness hands to a method in one generation: what it declared, and no more."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from benchmark.data.sources import Splits
from benchmark.generators.base import Generator
from benchmark.items import Items
from benchmark.ledger import Ledger
from benchmark.mitigation import Access
from benchmark.round import Limits, Round
from benchmark.seeds import stream
from benchmark.tasks.base import Task
from benchmark.verifiers import Verifier


def granted(
    access: frozenset[Access],
    archive: list[Items],
    splits: Splits,
    provenance: list[Tensor],
    model: nn.Module | None,
    seed: int,
    verifier: Verifier | None,
) -> dict[Access, Any]:
    """For each declared access what it gives, as `Round` takes it."""
    everything: dict[Access, Any] = {
        Access.ARCHIVE: tuple(archive),
        Access.MODEL: model,
        Access.RESERVE: splits.reserve,
        Access.VERIFIER: verifier,
        Access.PROVENANCE: tuple(provenance),
    }
    if Access.WATERMARK in access:
        everything[Access.WATERMARK] = stream("watermark key", seed).initial_seed()
    return {name: everything[name] for name in access}


def round_of(
    task: Task,
    seed: int,
    t: int,
    purpose: str,
    granted: dict[Access, Any],
    generator: Generator,
    ledger: Ledger,
) -> Round:
    """Generation `t` as a method sees it; `purpose` names its random numbers."""
    budget = task.budget
    limits = Limits(
        items_trained=round(budget.items_trained * generator.steps * generator.batch),
        items_generated=round(budget.items_generated * task.n),
        forward_passes=round(budget.forward_passes * task.n),
    )
    rng = task.rng(seed, t, purpose)
    vocabulary = generator.ranges.get("tokens", 0)
    return Round(t, task.n, task.modality, rng, granted, generator, ledger, limits, vocabulary)
