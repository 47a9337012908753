"""Two methods side by side: the paired test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmark.results import statistics
from leaderboard.board.entries import Board
from leaderboard.board.filters import ALL, choose_tasks


@dataclass(frozen=True)
class Pair:
    """The paired test of method `a` against method `b` on the same tasks and seeds.

    Attributes:
        tasks: for each task, the mean over seeds of a's recovery minus b's.
        difference: of the scores, a minus b.
        interval: its 95% interval; None with one seed.
        p: two-sided, for this comparison alone; None with one seed.
    """

    a: str
    b: str
    tasks: dict[str, float]
    difference: float
    interval: tuple[float, float] | None
    p: float | None

    @property
    def sentence(self) -> str:
        """What the test says, in words."""
        if self.interval is None or self.p is None:
            return f"{self.a} minus {self.b}: {self.difference:+z.2f}; one seed tells no more."
        low, high = self.interval
        numbers = f"{self.difference:+z.2f}, 95% interval {low:+z.2f} to {high:+z.2f}"
        # For 0 < p: a value without any variance has p = 0.
        chance = f"p = {self.p:.2g}" if self.p >= 0.001 else "p < 0.001"
        if self.p >= 0.05:
            return f"{self.a} and {self.b} cannot be told apart ({numbers}, {chance})."
        best, other = (self.a, self.b) if self.difference > 0 else (self.b, self.a)
        return f"{best} is better than {other} ({self.a} minus {self.b}: {numbers}, {chance})."


def compare_pair(board: Board, suite: str, a: str, b: str, tasks: str = ALL) -> Pair:
    """Compare two entries.

    Raises:
        InputError: one of them, or the choice of tasks, is not there.
    """
    names = choose_tasks(suite, tasks)
    both = [board.entry(suite, name) for name in (a, b)]
    one, other = (np.array([entry.recoveries[name] for name in names]) for entry in both)
    paired = one - other
    several = paired.shape[-1] > 1
    low, high = statistics.intervals(paired)
    return Pair(
        a,
        b,
        dict(zip(names, paired.mean(axis=-1).tolist(), strict=True)),
        float(statistics.suite_score(paired)),
        (float(low), float(high)) if several else None,
        float(statistics.p_values(paired)) if several else None,
    )
