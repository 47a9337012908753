"""How an entry came to be trusted as far as it is: every state it had, since when, by whom."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from benchmark.basics.plain import read_limited
from benchmark.results.schema import LARGEST
from benchmark.submission.trust import CheckedResult
from leaderboard.board.entries import Entry

SHORT = 12  # digits of a commit or hash


@dataclass(frozen=True)
class Event:
    """One state.

    Attributes:
        date: the day, such as "2026-01-31".
        by: who found it out; of a self-reported result its authors.
        commit: of the benchmark that was used, shortened; "" where nobody checked.
        reason: one sentence.
        of: which other result of the name, as the first digits of its SHA-256; "" for the one
            shown.
    """

    state: str
    date: str
    by: str = ""
    commit: str = ""
    reason: str = ""
    of: str = ""


def list_history(entry: Entry) -> list[Event]:
    """Every state that the entry and other results of its name had, in the order in which the
    results were checked last.

    A reference comes with the benchmark and a previewed result is nobody's entry: they have none.

    Raises:
        InputError: its result is gone.
    """
    if entry.reference or entry.mine:
        return []
    digest = hashlib.sha256(read_limited(entry.path, LARGEST, "result")).hexdigest()
    found = [*entry.trust.earlier, entry.trust] if entry.trust is not None else []
    checked = [of.result_sha256 for of in found]
    place = checked.index(digest) if digest in checked else len(found)
    before = [event for of in found[:place] for event in _events(of, True)]
    own = [event for of in found[place : place + 1] for event in _events(of, False)]
    after = [event for of in found[place + 1 :] for event in _events(of, True)]
    authors = ", ".join(entry.card.authors) if entry.card else ""
    return [*before, Event("self-reported", entry.created[:10], authors), *own, *after]


def describe_history(entry: Entry) -> str:
    """The same in one line, without the authors, whose names may be any words."""
    return "; ".join(map(_describe, list_history(entry)))


def _events(found: CheckedResult, other: bool) -> Iterator[Event]:
    of = found.result_sha256[:SHORT] if other else ""
    for step in found.steps:
        yield Event(step.state, step.date, step.by, step.commit[:SHORT], step.reason, of)


def _describe(event: Event) -> str:
    by = f" by {event.by}" if event.by and event.commit else ""  # checked: by a maintainer
    code = f" with {event.commit}" if event.commit else ""
    of = f" (another result, {event.of})" if event.of else ""
    return f"{event.state} {event.date}{by}{code}{of}"
