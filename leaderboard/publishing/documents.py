"""Writes the tables of a document anew from the stored results.

A table stands between a mark and `<!-- end -->`. Marks are `<!-- scores SUITE -->`, and likewise
`costs`, `access`, `selection`, `ranks` and `separation`; `<!-- agreement SUITE OTHER... -->`,
`<!-- transfer ONE OTHER -->`, `<!-- changes SUITE STANDARD -->` and `<!-- profile SUITE TASK -->`,
which may name the entries that it shows. `<!-- scores SUITE 10 -->` has the first ten only:

    python -m leaderboard.publishing.documents README.md docs/findings.md
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
import numpy.typing as npt

from benchmark.basics.errors import AutophagyError, InputError
from benchmark.basics.files import write_bytes
from benchmark.basics.plain import escape_markdown, quote_code
from benchmark.basics.spelling import ask_nearest
from benchmark.interface.names import REFERENCES
from benchmark.metrics.meanings import choose_short
from benchmark.results.costs import sum_both
from benchmark.results.curves import gather_curves, name_measures
from benchmark.results.references import frozen_file
from benchmark.results.rows import make_score_rows
from benchmark.results.schema import load_result
from benchmark.results.transfer import EVERY, compare_suites
from benchmark.tasks.suites import load_suite
from leaderboard.board.entries import Board, read_board
from leaderboard.board.source import HERE
from leaderboard.board.table import rank_entries
from leaderboard.publishing.evidence import (
    tabulate_access,
    tabulate_agreement,
    tabulate_ranks,
    tabulate_selection,
)

PLACE = re.compile(r"(<!-- (\w+) ([\w .-]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


class Code(str):
    """A name, which a document shows as code."""


def fill_document(text: str, board: Board) -> str:
    """`text` with every table written anew.

    Raises:
        InputError: a mark asks for what is not there, or has no end. Names the mark.
    """

    def written(found: re.Match[str]) -> str:
        begin, kind, words, old, end = found.groups()
        try:
            if "<!--" in old:
                raise InputError("another mark begins before its <!-- end -->")
            return f"{begin}\n{_write_table(board, kind, words.split())}\n\n{end}"
        except InputError as error:
            raise InputError(f"{begin.strip()}: {error}") from error

    return PLACE.sub(written, text)


def _write_table(board: Board, kind: str, words: Sequence[str]) -> str:
    if kind not in TABLES:
        raise InputError(
            f"there is no table {kind!r}{ask_nearest(kind, TABLES)}: choose one of "
            f"{', '.join(TABLES)}"
        )
    try:
        inspect.signature(TABLES[kind]).bind(board, *words)
    except TypeError as error:
        raise InputError(
            f"that is a word too many or too few for {kind}: see `python -m "
            f"leaderboard.publishing.documents --help`"
        ) from error
    return TABLES[kind](board, *words)


def _scores(board: Board, suite: str, most: str = "") -> str:
    """Tiers, scores, intervals and recoveries; of the first `most` methods, or of all."""
    rows = make_score_rows(rank_entries(board, suite))
    if most and not re.fullmatch("[1-9][0-9]*", most):
        raise InputError(f"{most!r} is no number of methods: give one from 1 on, or none for all")
    if not rows:
        return f"There is no result of suite {suite} yet."
    heads = ["tier", "method", "access", "score", "95% interval"]
    shown = rows[: int(most)] if most else rows
    cells = [
        (row.tier, Code(row.method), row.access, row.score, row.interval, *row.recoveries.values())
        for row in shown
    ]
    table = _markdown([*heads, *map(Code, rows[0].recoveries)], cells)
    left = len(rows) - len(shown)
    return f"{table}\n\nThe first {len(shown)} of {len(rows)}." if left else table


def _costs(board: Board, suite: str) -> str:
    """What the methods cost beyond the training and publishing that all share, where they ran."""
    standings = rank_entries(board, suite)
    if not standings:
        return f"There is no result of suite {suite} yet."
    nothing, rows = load_result(frozen_file(suite, REFERENCES[0])), []
    for standing in standings:
        mine, base = sum_both(board.result(suite, standing.method), nothing)
        rows.append([
            Code(standing.method),
            f"{mine.items_generated - base.items_generated:,}",
            f"{mine.items_trained - base.items_trained:,}",
            f"{mine.forward_passes:,}",
            f"{mine.real_items:,}",
            f"{mine.cpu_seconds / 60:.1f}",
        ])  # fmt: skip
    heads = ["method", "extra samples", "extra items trained", "items scored", "real items"]
    return _markdown([*heads, "CPU minutes"], rows)


def _separation(board: Board, suite: str) -> str:
    """How far apart the frozen references are: what a recovery is measured with."""
    load_suite(suite)  # whether there is one of this name
    nothing, clean = (load_result(frozen_file(suite, name)) for name in REFERENCES)
    rows = []
    for task, found in nothing.tasks.items():
        worse, better = (gather_curves(result, task, found.primary) for result in (nothing, clean))
        gaps = (worse - better)[:, 1:]
        sums, last = gaps.sum(1), gaps[:, -1]
        seconds = [
            sum(generation.seconds.values())
            for lineage in clean.tasks[task].lineages
            for generation in lineage.generations[1:]
        ]
        each = " ".join(f"{value:#.3g}" for value in sums)
        rows.append([
            Code(task), Code(found.primary),
            f"{fmean(sums):#.3g} ({each})", _divide_spread(sums),
            f"{fmean(last):#.3g}", _divide_spread(last),
            f"{fmean(seconds):.1f}",
        ])  # fmt: skip
    heads = ["task", "primary metric", "sum of gaps from t = 1 on", "over its sd", "gap at T"]
    return _markdown([*heads, "over its sd", "CPU s a generation"], rows)


def _divide_spread(values: npt.NDArray[np.float64]) -> str:
    """Of (seeds,) the mean over the standard deviation; one seed, or equal ones, have none."""
    spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    return f"{values.mean() / spread:.2g}" if spread else "-"


def _profile(board: Board, suite: str, task: str, *chosen: str) -> str:
    """The profile of the last generation, or the entries `chosen` of it, mean over the seeds that
    reached it, of the methods that apply to the task: what recovers most of it first."""
    result = board.result(suite, "nothing")
    if task not in result.tasks:
        raise InputError(
            f"suite {suite!r} has no task {task!r}{ask_nearest(task, result.tasks)}: choose one of "
            f"{', '.join(result.tasks)}"
        )
    measured = name_measures(result, task)
    for entry in chosen:
        if entry not in measured:
            raise InputError(
                f"{task} has no {entry!r}{ask_nearest(entry, measured)} in its profile"
            )
    entries = chosen or choose_short(result.tasks[task].modality, measured)
    first = {entry: _mean(board, suite, "nothing", task, entry, 0) for entry in entries}
    if "trained_on_real" in first:  # by every method
        first["trained_on_real"] = "1.00"
    rows = [["generation 0", "", *first.values()]]
    worth = {s.method: s.recoveries[task] for s in rank_entries(board, suite) if s.recoveries[task]}
    for name in sorted(worth, key=lambda name: -fmean(worth[name])):
        last = (_mean(board, suite, name, task, entry, -1) for entry in entries)
        rows.append([Code(name), f"{fmean(worth[name]):z.2f}", *last])
    return _markdown(["method", "recovery", *map(Code, entries)], rows)


def _transfer(board: Board, one: str, other: str) -> str:
    """How alike two suites rank the methods that have results in both."""
    suites = {suite: rank_entries(board, suite) for suite in (one, other)}
    rows = [
        [
            found.tasks if found.tasks == EVERY else Code(found.tasks),
            str(found.methods),
            f"{found.tau:z.2f}",
            f"{found.interval[0]:z.2f} to {found.interval[1]:z.2f}",
            f"{found.agreed} of {found.separated}",
        ]
        for found in compare_suites(suites)
    ]
    return _markdown(["tasks", "methods", "Kendall's tau", "95% interval", "ordered alike"], rows)


def _changes(board: Board, suite: str, standard: str) -> str:
    """What a change of a task makes of each method that has results in both suites: recoveries of
    the standard task, and below it of each task whose name begins with the same, seed by seed."""
    changed, usual = (
        {standing.method: standing for standing in rank_entries(board, one) if not standing.partial}
        for one in (suite, standard)
    )
    methods = [name for name in changed if name in usual and name not in REFERENCES]
    if not methods:
        return _too_few(suite)
    rows = []
    for task in load_suite(standard).tasks:
        rows.append([Code(task.name), *(_seeds(usual[m].recoveries[task.name]) for m in methods)])
        rows += [
            [Code(name), *(_seeds(changed[m].recoveries[name]) for m in methods)]
            for name in changed[methods[0]].recoveries
            if name.startswith(f"{task.name}-")
        ]
    return _markdown(["task", *map(Code, methods)], rows)


def _seeds(recoveries: Sequence[float]) -> str:
    """Mean recovery, and that of every seed."""
    return f"{fmean(recoveries):z.2f} ({' '.join(f'{value:z.2f}' for value in recoveries)})"


def _agreement(board: Board, suite: str, *others: str) -> str:
    """Kendall's tau between halves of the seeds, between tasks and between suites."""
    for other in others:
        load_suite(other)  # too few results are no error, but an unknown name is
    rows = tabulate_agreement(board, suite, others)
    return _markdown(["Kendall's tau between", "value", "of"], rows) if rows else _too_few(suite)


def _ranks(board: Board, suite: str) -> str:
    """Where each method stands, by tests and by resampled seeds."""
    rows = [[Code(name), *rest] for name, *rest in tabulate_ranks(board, suite)]
    heads = ["method", "score", "95% interval", "tier", "ranks by tests", "ranks by bootstrap"]
    more = ["P(above nothing)", "P(above the next)"]
    return _markdown([*heads, *more], rows) if rows else _too_few(suite)


def _access(board: Board, suite: str) -> str:
    """The best method of each access tier and what it costs beside `nothing`."""
    rows = [[tier, count, Code(name), *rest] for tier, count, name, *rest
            in tabulate_access(board, suite)]  # fmt: skip
    heads = ["access", "methods", "best method", "score", "95% interval", "training", "samples"]
    return _markdown(heads, rows) if rows else _too_few(suite)


def _selection(board: Board, suite: str) -> str:
    """What methods keep of real and of synthetic items, where they tell them apart."""
    rows = [[Code(name), Code(task), *rest] for name, task, *rest
            in tabulate_selection(board, suite)]  # fmt: skip
    heads = ["method", "task", "kept of the real", "kept of the synthetic", "trained on real"]
    return _markdown([*heads, "recovery"], rows) if rows else _too_few(suite)


def _too_few(suite: str) -> str:
    return f"There are too few results of suite {suite} yet."


def _mean(board: Board, suite: str, method: str, task: str, entry: str, generation: int) -> str:
    values = gather_curves(board.result(suite, method), task, entry)[:, generation]
    values = values[~np.isnan(values)]
    return f"{fmean(values):#.3g}" if len(values) else "-"


def _markdown(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table; whatever is in a cell, it is that cell's text."""
    heads = list(heads)
    escaped = [[_cell(cell) for cell in line] for line in (heads, *rows)]
    lines = [escaped[0], ["---"] * len(heads), *escaped[1:]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return quote_code(text) if isinstance(text, Code) else escape_markdown(text)


TABLES: dict[str, Callable[..., str]] = {
    "scores": _scores,
    "costs": _costs,
    "access": _access,
    "selection": _selection,
    "ranks": _ranks,
    "agreement": _agreement,
    "separation": _separation,
    "profile": _profile,
    "transfer": _transfer,
    "changes": _changes,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        "python -m leaderboard.publishing.documents",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("documents", type=Path, nargs="+", metavar="DOCUMENT.md")
    for file in parser.parse_args(arguments).documents:
        try:
            text = file.read_text("utf-8")
            write_bytes(file, fill_document(text, read_board(HERE)).encode())
        except OSError as error:
            sys.exit(f"documents: cannot read {file}: {error.strerror}; give a document")
        except UnicodeDecodeError:
            sys.exit(f"documents: cannot read {file}: it is no text in UTF-8; give a document")
        except AutophagyError as error:
            sys.exit(f"documents: {file}: {error}")


if __name__ == "__main__":
    main()
