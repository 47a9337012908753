"""A suite's entries in the formats that papers and other benchmarks read."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

from benchmark.basics.errors import InputError
from benchmark.basics.output import check_output, write_output
from benchmark.basics.spelling import ask_nearest
from leaderboard.board.citations import make_bibtex
from leaderboard.board.entries import Board, Entry
from leaderboard.board.every_eval import make_record, name_record, write_record
from leaderboard.board.table import export_frame, make_frame

ENDINGS = (".csv", ".parquet", ".bib")


def choose_entries(board: Board, suite: str, methods: Sequence[str] = ()) -> list[Entry]:
    """Those that are called so, best first; all of the suite without names.

    Raises:
        InputError: there is no such suite or method on the board.
    """
    if suite not in board.entries:
        near = ask_nearest(suite, board.entries)
        raise InputError(
            f"there is no result of suite {suite!r}{near}: the board has "
            f"{', '.join(board.entries) or 'none'}"
        )
    for name in methods:
        board.entry(suite, name)
    order = make_frame(board, suite)["method"]
    return [board.entry(suite, name) for name in order if not methods or name in methods]


def export_entries(
    board: Board, suite: str, to: Path, methods: Sequence[str] = (), every_eval: bool = False
) -> list[Path]:
    """Write a table (.csv, .parquet), the papers (.bib), or records of Every Eval Ever.

    Args:
        to: the file, whose ending decides; a folder for `every_eval`.
        methods: only these; the references stay in a table.

    Returns:
        The files that were written.

    Raises:
        InputError: there is no such suite, method or ending, or a file cannot be written.
    """
    chosen = choose_entries(board, suite, methods)
    if every_eval:
        return _write_records(chosen, to)
    if to.suffix not in ENDINGS:
        raise InputError(
            f"cannot export to {to.name}: end it with {', '.join(ENDINGS)}, or give a folder and "
            f"--every-eval-ever"
        )
    if to.suffix == ".bib":
        write_output(to, make_bibtex(chosen).encode())
        return [to]
    names = {entry.name for entry in chosen}
    table = make_frame(board, suite)
    check_output(to)
    return [export_frame(table[table["method"].isin(names) | table["reference"]], to)]


def _write_records(entries: Sequence[Entry], folder: Path) -> list[Path]:
    """One file an entry; the references, which score 0 and 1 by definition, are none."""
    now = datetime.datetime.now(datetime.UTC)
    # All are made before one is written: no part of an export is left behind by what ends it.
    records = [make_record(entry, now) for entry in entries if not entry.reference]
    contents = {folder / name_record(record): write_record(record) for record in records}
    for path, content in contents.items():
        write_output(path, content)
    return list(contents)
