"""Profiles of the last generation side by side, as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmark.results.final import summarise_profiles
from benchmark.results.schema import Result
from leaderboard.page.markup import Html, element, joined, table


def profiles(results: Mapping[str, Result], methods: Sequence[str]) -> Html:
    """One table a task, folded: entries by methods, mean over seeds with the least and the most."""
    some = results[methods[0]]
    parts = []
    for n, task in enumerate(some.tasks):
        found = summarise_profiles(results, task, methods)
        modality = some.tasks[task].modality
        rows = []
        for entry, cells in found.rows:
            said = element("span", entry.title, title=entry.explain(modality))
            good = element("small", entry.good)
            values = [joined([cell.mean, element("small", cell.spread)]) for cell in cells]
            rows.append([joined([said, good]), *values])
        inside = [element("summary", task), table(["Entry", *methods], rows, kind="numbers")]
        opened = {"open": ""} if n == 0 else {}
        parts.append(element("details", *inside, **opened))
    note = "Mean over seeds; below it the least and the most. Point at an entry for its meaning."
    return joined([element("p", note, kind="note"), *parts])
