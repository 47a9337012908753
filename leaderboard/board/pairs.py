"""Two methods side by side: one verdict, that of the table's tests, and why tiers may differ."""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchmark.results.places import correct_pair, find_difference
from benchmark.results.standings import make_sample
from benchmark.results.statistics import suite_score
from leaderboard.board.entries import Board
from leaderboard.board.filters import ALL, choose_tasks
from leaderboard.board.table import rank_entries

ERROR = 0.05  # the risk of any wrong verdict in the table


@dataclass(frozen=True)
class Pair:
    """The test of method `a` against method `b` on the tasks that both apply to.

    It is paired where both have the same seeds; a re-run's are its own, and then nothing is.

    Attributes:
        tasks: for each task, the mean over seeds of a's recovery minus b's.
        absent: the tasks that one of them does not apply to.
        paired: whether both have the same seeds.
        difference: of the scores, a minus b.
        interval: its 95% interval, for this comparison alone; None with one seed.
        p: two-sided, corrected for `tests` comparisons as the tiers are; None with one seed, and
            where one of them has no place in the table.
        tests: the comparisons that `p` is corrected for.
        levels: the tiers of a and b, where they have some.
        heads: the first method of each tier.
        placed: those of the two that maintainers did not measure, and so only placed among others.
        behind: those of the two that are worse, by the table's tests, than the first of the tier
            that the better placed of them stands in.
    """

    a: str
    b: str
    tasks: dict[str, float]
    difference: float | None
    interval: tuple[float, float] | None
    p: float | None
    tests: int = 0
    absent: tuple[str, ...] = ()
    paired: bool = True
    levels: tuple[int | None, int | None] = (None, None)
    heads: tuple[str, ...] = ()
    placed: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()

    @property
    def separated(self) -> bool:
        """Whether the table's tests tell them apart."""
        return self.p is not None and self.p < ERROR

    @property
    def sentence(self) -> str:
        """The verdict, in words."""
        left_out = f" Not applicable, so left out: {', '.join(self.absent)}." if self.absent else ""
        return self._compare() + left_out

    def _compare(self) -> str:
        if self.difference is None:
            return f"{self.a} and {self.b} apply to no task in common."
        if self.interval is None:
            return f"{self.a} minus {self.b}: {self.difference:+z.2f}; one seed tells no more."
        low, high = self.interval
        numbers = f"{self.difference:+z.2f}, 95% interval {low:+z.2f} to {high:+z.2f}"
        if self.p is None:
            return (
                f"{self.a} minus {self.b}: {numbers}; no verdict, as one of them has no place "
                f"among the methods that apply to all tasks."
            )
        # For 0 < p: a value without any variance has p = 0.
        chance = f"p = {self.p:.2g}" if self.p >= 0.001 else "p < 0.001"
        chance += f", corrected for {self.tests} tests" if self.tests > 1 else ""
        if not self.separated:
            return f"{self.a} and {self.b} cannot be told apart ({numbers}; {chance})."
        best, other = self._order()
        return f"{best} is better than {other} ({self.a} minus {self.b}: {numbers}; {chance})."

    @property
    def reason(self) -> str:
        """Why the interval, or the tiers, seem to say something else; "" if they do not."""
        if self.p is None or self.interval is None or self.difference is None or self.a == self.b:
            return ""
        said = []
        low, high = self.interval
        if not self.separated and (low > 0 or high < 0):
            said.append(
                f"The interval is for this comparison alone and leaves out 0; among the "
                f"{self.tests} comparisons that the table makes, such a difference would come by "
                f"chance too often."
            )
        one, other = self.levels
        if one is None or other is None:
            return " ".join(said)
        if self.separated and one == other:
            said.append(self._explain_tier(one))
        if not self.separated and one != other:
            said.append(self._explain_tiers(min(one, other), max(one, other)))
        return " ".join(said)

    def _explain_tier(self, tier: int) -> str:
        """Why two that are told apart share a tier."""
        head, (best, worse) = self.heads[tier - 1], self._order()
        if worse in self.behind:  # as every other head, or it would stand with that one
            why = f"{worse} is worse than the first of every tier"
            why += ", but what is only placed opens none."
        elif worse == head:
            why = f"{best} is better than its first ({head})"
            why += ", but what is only placed opens no tier."
        else:
            why = "a tier ends with the first method that is worse than the tier's first "
            why += f"({head}), and {worse} is not."
        if self.placed:
            why += f" Tiers are made of entries that maintainers measured; {_join(self.placed)} "
            why += f"{'is' if len(self.placed) == 1 else 'are'} only placed among them."
        return f"Both are of tier {tier}: {why}"

    def _explain_tiers(self, upper: int, lower: int) -> str:
        """Why two that are not told apart stand in different tiers."""
        head = self.heads[upper - 1]
        best, worse = (self.a, self.b) if self.levels[0] == upper else (self.b, self.a)
        why = f"They stand in tiers {upper} and {lower}: "
        if worse in self.behind:
            why += f"{worse} is worse than {head}, the first of tier {upper}, but not than {best}."
            return why
        return (
            f"{why}tier {upper} ends with the first method that is worse than its own first "
            f"({head}), which is {self.heads[upper]}; {worse} comes after that in the order of "
            f"scores, though it cannot be told from {head}."
        )

    def _order(self) -> tuple[str, str]:
        better = (self.difference or 0) > 0
        return (self.a, self.b) if better else (self.b, self.a)


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
        return Pair(a, b, {}, None, None, None, absent=absent)
    samples = [make_sample(entry, shared) for entry in (one, other)]
    difference, interval, p = find_difference(*samples)
    gaps = samples[0].values.mean(axis=-1) - samples[1].values.mean(axis=-1)
    by_task = dict(zip(shared, gaps.tolist(), strict=True))
    paired = one.seeds == other.seeds
    found = Pair(a, b, by_task, difference, interval, None, 0, absent, paired)
    if absent or p is None:
        return found
    return _judge(found, board, suite, tasks, names)


def _judge(pair: Pair, board: Board, suite: str, tasks: str, names: list[str]) -> Pair:
    """With the verdict of the table's tests, and the tiers."""
    ranked = [s for s in rank_entries(board, suite, tasks) if not s.partial]
    where = {standing.method: place for place, standing in enumerate(ranked)}
    i, j = where[pair.a], where[pair.b]
    anchors = [standing.trusted or standing.reference for standing in ranked]
    samples = [make_sample(standing, names) for standing in ranked]
    p, tests = (1.0, 1) if i == j else correct_pair(samples, anchors, i, j)
    heads: dict[int, str] = {}
    for standing, made in zip(ranked, anchors, strict=True):
        if made and standing.tier is not None:
            heads.setdefault(standing.tier, standing.method)
    placed = tuple(name for name in (pair.a, pair.b) if not anchors[where[name]])
    levels = (ranked[i].tier, ranked[j].tier)
    behind: list[str] = []
    if levels[0] is not None and levels[1] is not None:
        head = where[heads[min(levels[0], levels[1])]]
        for k in (i, j):
            lower = suite_score(samples[k].values) < suite_score(samples[head].values)
            if lower and correct_pair(samples, anchors, k, head)[0] < ERROR:
                behind.append(ranked[k].method)
    return replace(
        pair, p=p, tests=tests, levels=levels, placed=placed, behind=tuple(behind),
        heads=tuple(heads[level] for level in sorted(heads)),
    )  # fmt: skip


def _join(names: tuple[str, ...]) -> str:
    return " and ".join(names)
