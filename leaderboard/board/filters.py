"""What a reader may choose to see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmark.basics.errors import InputError
from benchmark.basics.spelling import ask_nearest
from benchmark.interface.access import Access
from benchmark.tasks.suites import load_suite
from leaderboard.board.entries import Board

MAIN = "small"
ALL = "all"  # tasks; beside the modalities and the name of a single one
TRUST = ("re-run", "measured", "re-scored", "self-reported")
BLIND = "blind"  # no access at all; beside the kinds
KINDS = (BLIND, *(kind.value for kind in Access))
SORTS = ("method", "tier", "score", "access", "trust", "training", "samples", "scored", "real",
         "date")  # fmt: skip
# Suites that answer a question of their own, in a tab of its name.
QUESTIONS = {"stress": "What breaks it?", "closed": "The laboratory loop"}


@dataclass(frozen=True)
class Filters:
    """What a reader chose; it fits into an address, so that a view can be shared.

    Attributes:
        suite: whose table.
        tasks: "all", a modality or one task: what score, tiers and ranks are computed of.
        access: the kinds of access that a reader can afford: methods that need no other are shown;
            all if empty. `BLIND` alone means none.
        trust: states to show; all if empty.
        search: what method, authors or summary must hold, in any case.
        sort: what rows are sorted by, one of `SORTS` or a task, the best first; the worst first
            with a "-" before it. By score if empty.
    """

    suite: str
    tasks: str = ALL
    access: tuple[str, ...] = ()
    trust: tuple[str, ...] = ()
    search: str = ""
    sort: str = ""

    def query(self) -> dict[str, str]:
        """The parameters of an address; what is not chosen is left out."""
        found = {
            "suite": self.suite,
            "tasks": "" if self.tasks == ALL else self.tasks,
            "access": ",".join(self.access),
            "trust": ",".join(self.trust),
            "search": self.search,
            "sort": self.sort,
        }
        return {name: value for name, value in found.items() if value}

    @property
    def narrowing(self) -> bool:
        """Whether they can hide a method."""
        return bool(self.access or self.trust or self.search)

    @classmethod
    def of_query(cls, query: Mapping[str, str], board: Board) -> Filters:
        """Those of an address.

        Raises:
            InputError: it asks for what is not there, or the board is empty.
        """
        suite = query.get("suite") or choose_first_suite(board)
        if suite not in board.entries:
            raise InputError(f"there is no suite {suite!r} here, only {', '.join(board.entries)}")
        # A chosen set of kinds was once written as the name of a tier, "archive + reserve".
        access = _split(query.get("access", "").replace(" + ", ","))
        trust, sort = _split(query.get("trust", "")), query.get("sort", "")
        tasks = query.get("tasks") or ALL
        _check(query, "tasks", [tasks], list_task_choices(suite))
        _check(query, "access", access, KINDS)
        _check(query, "trust", trust, TRUST)
        _check(query, "sort", [sort.removeprefix("-")], ("", *SORTS, *list_tasks(suite)))
        return cls(suite, tasks, access, trust, query.get("search", "")[:100], sort)

    @classmethod
    def settle(cls, asked: Filters, board: Board) -> Filters:
        """Those of the filter bar, where a choice may be left over from another suite.

        Raises:
            InputError: the board is empty.
        """
        suite = asked.suite if asked.suite in board.entries else choose_first_suite(board)
        known = (*SORTS, *list_tasks(suite))
        return cls(
            suite,
            asked.tasks if asked.tasks in list_task_choices(suite) else ALL,
            tuple(kind for kind in asked.access if kind in KINDS),
            tuple(state for state in asked.trust if state in TRUST),
            asked.search[:100],
            asked.sort if asked.sort.removeprefix("-") in known else "",
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


def _split(words: str) -> tuple[str, ...]:
    return tuple(word for word in words.split(",") if word)


def _check(query: Mapping[str, str], name: str, asked: Sequence[str], known: Sequence[str]) -> None:
    for word in asked:
        if word not in known:
            choices = ", ".join(filter(None, known))
            raise InputError(f"there is no {name}={word!r} to choose here, only {choices}")


def choose_first_suite(board: Board) -> str:
    """The suite shown first: the one that papers quote, if there are results.

    Raises:
        InputError: the board is empty.
    """
    if not board.entries:
        raise InputError("there is no result to show: see the refused entries")
    return min(board.entries, key=lambda suite: (suite != MAIN, suite in QUESTIONS, suite))


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


def list_tasks(suite: str) -> tuple[str, ...]:
    """The names of a suite's tasks."""
    return tuple(task.name for task in load_suite(suite).tasks)


def list_kinds(board: Board, suite: str) -> tuple[str, ...]:
    """The kinds of access that a suite's entries need, `BLIND` first."""
    needed = {Access[name].value for e in board.entries.get(suite, ()) for name in e.access}
    return (BLIND, *(kind for kind in KINDS if kind in needed))
