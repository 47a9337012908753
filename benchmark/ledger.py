"""What a generation cost, counted by the harness."""

from __future__ import annotations

import time
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


class Clock:
    """Processor seconds by stage."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.process_time()

    def lap(self, stage: str, saved: float = 0.0) -> None:
        """`saved`: what the stage took when it was computed for the cache, so that a method's
        costs do not depend on what ran before it."""
        now = time.process_time()
        self.laps[stage] = round(self.laps.get(stage, 0.0) + now - self._last + saved, 3)
        self._last = now
