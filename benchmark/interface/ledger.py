"""What a generation cost, counted by the harness."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Ledger:
    """Costs of one generation.

    Attributes:
        items_trained: items shown to an optimiser (steps x batch), fine-tuning included.
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
