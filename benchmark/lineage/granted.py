"""What the harness hands to a method in one generation: what it declared, and no more."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from benchmark.basics.seeds import stream
from benchmark.interface.access import Access
from benchmark.interface.generator import Generator
from benchmark.interface.items import Items
from benchmark.interface.ledger import Ledger
from benchmark.interface.round import Limits, Round
from benchmark.tasks.parts import Splits, Verifier
from benchmark.tasks.task import Task


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
