"""What a reader may choose to see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmark.basics.errors import InputError
from benchmark.basics.spelling import ask_nearest
from benchmark.tasks.suites import load_suite
from leaderboard.board.entries import Board

MAIN = "small"
ALL = "all"  # tasks; beside the modalities and the name of a single one
TRUST = ("re-run", "measured", "re-scored", "self-reported")


@dataclass(frozen=True)
class Filters:
    """What a reader chose; it fits into an address, so that a view can be shared.

    Attributes:
        suite: whose table.
        tasks: "all", a modality or one task: what score, tiers and ranks are computed of.
        access: access tiers to show; all if empty.
        trust: states to show; all if empty.
        search: what method, authors or summary must hold, in any case.
    """

    suite: str
    tasks: str = ALL
    access: tuple[str, ...] = ()
    trust: tuple[str, ...] = ()
    search: str = ""

    def query(self) -> dict[str, str]:
        """The parameters of an address; what is not chosen is left out."""
        found = {
            "suite": self.suite,
            "tasks": "" if self.tasks == ALL else self.tasks,
            "access": ",".join(self.access),
            "trust": ",".join(self.trust),
            "search": self.search,
        }
        return {name: value for name, value in found.items() if value}

    @classmethod
    def of_query(cls, query: Mapping[str, str], board: Board) -> Filters:
        """Those of an address; what the board does not have is as if not chosen."""
        suites = list(board.entries)
        asked = query.get("suite", "")
        suite = asked if asked in suites else choose_first_suite(board)
        chosen = query.get("tasks", ALL)
        tiers, trust = list_access_tiers(board, suite), query.get("trust", "").split(",")
        return cls(
            suite,
            chosen if chosen in list_task_choices(suite) else ALL,
            tuple(a for a in query.get("access", "").split(",") if a in tiers),
            tuple(t for t in trust if t in TRUST),
            query.get("search", "")[:100],
        )


def find_own_view(board: Board) -> dict[str, str]:
    """The parameters of the address that shows what is previewed: one result on its page, several
    in the table, of the suite that the first is of; none without any."""
    own = [entry for entries in board.entries.values() for entry in entries if entry.mine]
    if not own:
        return {}
    first = own[0]
    alone = {"tab": "method", "method": first.name, "a": first.name}
    return Filters(first.suite).query() | (alone if len(own) == 1 else {"tab": "table"})


def choose_first_suite(board: Board) -> str:
    """The suite shown first: the one that papers quote, if there are results.

    Raises:
        InputError: the board is empty.
    """
    if not board.entries:
        raise InputError("there is no result to show: see the refused entries")
    return min(board.entries, key=lambda suite: (suite != MAIN, suite))


def list_task_choices(suite: str) -> tuple[str, ...]:
    """What can be ranked: all tasks, those of a modality, or one."""
    tasks = load_suite(suite).tasks
    modalities = sorted({task.modality for task in tasks})
    return (ALL, *(modalities if len(modalities) > 1 else ()), *(task.name for task in tasks))


def choose_tasks(suite: str, choice: str) -> list[str]:
    """The names of the tasks that `choice` stands for.

    Raises:
        InputError: the suite has no such choice.
    """
    tasks = [t.name for t in load_suite(suite).tasks if choice in (ALL, t.modality, t.name)]
    if not tasks:
        known = list_task_choices(suite)
        near = ask_nearest(choice, known)
        raise InputError(f"suite {suite!r} has no tasks {choice!r}{near}: choose {known}")
    return tasks


def list_access_tiers(board: Board, suite: str) -> tuple[str, ...]:
    """The access tiers of a suite's entries, the fewest kinds of access first."""
    entries = board.entries.get(suite, ())
    tiers = {entry.access_tier: len(entry.access) for entry in entries if not entry.reference}
    return tuple(sorted(tiers, key=lambda tier: (tiers[tier], tier)))
