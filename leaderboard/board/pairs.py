"""Two methods side by side: the paired test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmark.results.places import Sample, find_difference
from leaderboard.board.entries import Board
from leaderboard.board.filters import ALL, choose_tasks


@dataclass(frozen=True)
class Pair:
    """The test of method `a` against method `b` on the tasks that both apply to.

    It is paired where both have the same seeds; a re-run's are its own, and then nothing is.

    Attributes:
        tasks: for each task, the mean over seeds of a's recovery minus b's.
        absent: the tasks that one of them does not apply to.
        paired: whether both have the same seeds.
        difference: of the scores, a minus b.
        interval: its 95% interval; None with one seed.
        p: two-sided, for this comparison alone; None with one seed.
    """

    a: str
    b: str
    tasks: dict[str, float]
    difference: float | None
    interval: tuple[float, float] | None
    p: float | None
    absent: tuple[str, ...] = ()
    paired: bool = True

    @property
    def sentence(self) -> str:
        """What the test says, in words."""
        left_out = f" Not applicable, so left out: {', '.join(self.absent)}." if self.absent else ""
        return self._compare() + left_out

    def _compare(self) -> str:
        if self.difference is None:
            return f"{self.a} and {self.b} apply to no task in common."
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
    one, other = (board.entry(suite, name) for name in (a, b))
    shared = [name for name in names if one.recoveries[name] and other.recoveries[name]]
    absent = tuple(name for name in names if name not in shared)
    if not shared:
        return Pair(a, b, {}, None, None, None, absent)
    samples = [
        Sample(np.array([entry.recoveries[name] for name in shared]), entry.seeds)
        for entry in (one, other)
    ]
    difference, interval, p = find_difference(*samples)
    gaps = samples[0].values.mean(axis=-1) - samples[1].values.mean(axis=-1)
    by_task = dict(zip(shared, gaps.tolist(), strict=True))
    return Pair(a, b, by_task, difference, interval, p, absent, one.seeds == other.seeds)
