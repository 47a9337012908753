"""Writes the tables of a document anew from the stored results.

A table stands between `<!-- scores SUITE -->`, `<!-- costs SUITE -->` or
`<!-- profile SUITE TASK -->`
and `<!-- end -->`:

    python -m leaderboard.publishing.documents README.md docs/findings.md
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import fmean

import numpy as np

from benchmark.metrics.meanings import choose_short
from benchmark.results.curves import curves, entries_in
from benchmark.results.standings import standings
from benchmark.results.transfer import EVERY, transfers
from leaderboard.board.entries import Board, read_board
from leaderboard.board.source import HERE
from leaderboard.board.table import TASK, frame

PLACE = re.compile(r"(<!-- (\w+) ([\w .-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill_document(text: str, board: Board) -> str:
    """`text` with every table written anew.

    Raises:
        KeyError: a table of no known kind.
    """

    def written(found: re.Match[str]) -> str:
        begin, kind, words, end = found.groups()
        return f"{begin}\n{TABLES[kind](board, *words.split())}\n\n{end}"

    return PLACE.sub(written, text)


def _scores(board: Board, suite: str) -> str:
    """Tiers, scores, intervals and recoveries."""
    table = frame(board, suite)
    tasks = [str(column) for column in table if str(column).startswith(TASK)]
    heads = ["tier", "method", "access", "score", "95% interval"]
    rows = []
    for row in table.to_dict("records"):
        interval = f"{row['low']:z.2f} to {row['high']:z.2f}"
        rows.append(
            [
                str(row["tier"]),
                f"`{row['method']}`",
                row["access"],
                f"{row['score']:z.2f}",
                "by definition" if row["reference"] else interval,
                *(f"{row[task]:z.2f}" for task in tasks),
            ]
        )
    return _markdown([*heads, *(f"`{task.removeprefix(TASK)}`" for task in tasks)], rows)


def _costs(board: Board, suite: str) -> str:
    """What the methods cost beyond the training and publishing that all share."""
    table = frame(board, suite)
    base = table.set_index("method").loc["nothing"]
    rows = [
        [
            f"`{row['method']}`",
            f"{row['items_generated'] - base['items_generated']:,}",
            f"{row['items_trained'] - base['items_trained']:,}",
            f"{row['forward_passes']:,}",
            f"{row['real_items']:,}",
            f"{row['cpu_seconds'] / 60:.1f}",
        ]
        for row in table.to_dict("records")
    ]
    heads = ["method", "extra samples", "extra items trained", "items scored", "real items"]
    return _markdown([*heads, "CPU minutes"], rows)


def _profile(board: Board, suite: str, task: str) -> str:
    """The profile of the last generation, mean over the seeds that reached it."""
    result = board.result(suite, "nothing")
    entries = choose_short(result.tasks[task].modality, entries_in(result, task))
    first = {entry: _mean(board, suite, "nothing", task, entry, 0) for entry in entries}
    rows = [["generation 0", *(first | {"trained_on_real": "1.00"}).values()]]
    rows += [
        [f"`{name}`", *(_mean(board, suite, name, task, entry, -1) for entry in entries)]
        for name in frame(board, suite)["method"]
    ]
    return _markdown(["method", *entries], rows)


def _transfer(board: Board, one: str, other: str) -> str:
    """How alike two suites rank the methods that have results in both."""
    suites = {
        suite: standings({e.name: board.result(suite, e.name) for e in board.entries[suite]})
        for suite in (one, other)
    }
    rows = [
        [
            found.tasks if found.tasks == EVERY else f"`{found.tasks}`",
            str(found.methods),
            f"{found.tau:z.2f}",
            f"{found.interval[0]:z.2f} to {found.interval[1]:z.2f}",
            f"{found.agreed} of {found.separated}",
        ]
        for found in transfers(suites)
    ]
    return _markdown(["tasks", "methods", "Kendall's tau", "95% interval", "ordered alike"], rows)


def _mean(board: Board, suite: str, method: str, task: str, entry: str, generation: int) -> str:
    values = curves(board.result(suite, method), task, entry)[:, generation]
    values = values[~np.isnan(values)]
    return f"{fmean(values):.2f}" if len(values) else "-"


def _markdown(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


TABLES: dict[str, Callable[..., str]] = {
    "scores": _scores,
    "costs": _costs,
    "profile": _profile,
    "transfer": _transfer,
}


if __name__ == "__main__":
    for file in map(Path, sys.argv[1:]):
        file.write_text(fill_document(file.read_text("utf-8"), read_board(HERE)), "utf-8")
