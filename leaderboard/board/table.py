"""The table of a suite as a frame: ranked, selected, sorted, exported. Entries in, frames out."""

from __future__ import annotations

import csv
import io
from collections.abc import Hashable, Iterable
from functools import lru_cache
from pathlib import Path
from statistics import fmean
from typing import Any

import pandas as pd

from benchmark.basics.errors import InputError
from benchmark.basics.output import write_output
from benchmark.basics.plain import defuse_cell
from benchmark.results.rows import INAPPLICABLE, format_ranks
from benchmark.results.standings import Standing, rank_methods
from benchmark.submission.trust import TRUSTED
from leaderboard.board.entries import Board, Entry
from leaderboard.board.filters import ALL, BLIND, Filters, choose_tasks

TASK = "recovery "  # begins the column of a task
# What a sort name reads, and whether the least is the best.
ORDERS = {
    "method": ("method", True), "tier": ("tier", True), "score": ("score", False),
    "access": ("access", True), "trust": ("trust", True), "training": ("training", True),
    "samples": ("samples", True), "scored": ("scored", True), "real": ("real_items", True),
    "date": ("date", False),
}  # fmt: skip


@lru_cache(maxsize=128)
def make_frame(board: Board, suite: str, tasks: str = ALL) -> pd.DataFrame:
    """One row a method, the best score first; do not change it, it is kept.

    Of an entry that was re-run, recoveries, seeds and failures are those of the re-run, and
    `claimed` is the score of its result; the costs are the re-run's, as of so many lineages as the
    result has. A task that a method does
    not apply to is NaN and named in `not_applicable`; the score is then of the others; where it is
    one of the chosen tasks the row is `partial`, without tier and ranks. `warning` says what to
    doubt.
    `score`, `low`, `high`, `tier` and `ranks` are of the chosen tasks; costs are of all. `seeds`
    are those that were scored, `n` how many recoveries (tasks times seeds) there are. `low` and
    `high` are NaN where there is one seed only; `tier` is missing and `ranks` is empty where the
    suite has one seed only.

    Raises:
        InputError: there is no such suite or choice of tasks.
    """
    by_name = {entry.name: entry for entry in board.entries.get(suite, [])}
    rows = [_row(found, by_name[found.method]) for found in rank_entries(board, suite, tasks)]
    return pd.DataFrame(rows).astype({"tier": "Int64"}) if rows else pd.DataFrame()


def rank_entries(board: Board, suite: str, tasks: str = ALL) -> list[Standing]:
    """The standings of a suite's entries on some of its tasks, the best score first.

    Tiers and ranks are made of the entries that maintainers measured or re-ran; others are placed
    among them, so that nobody moves an entry by sending a file.

    Raises:
        InputError: there is no such suite or choice of tasks.
    """
    names = choose_tasks(suite, tasks)
    entries = board.entries.get(suite, [])
    return rank_methods(entries, names, anchored=True) if entries else []


def _row(standing: Standing, entry: Entry) -> dict[str, Any]:
    low, high = standing.interval or (float("nan"), float("nan"))
    card, costs = entry.card, entry.costs
    return {
        "tier": standing.tier,
        "method": entry.name,
        "score": float("nan") if standing.score is None else standing.score,
        "low": low,
        "high": high,
        "ranks": format_ranks(standing.ranks) if standing.ranks else "",
        **{TASK + t: fmean(of) if of else float("nan") for t, of in entry.recoveries.items()},
        "not_applicable": ", ".join(entry.inapplicable),
        "partial": standing.partial,
        "warning": standing.warning,
        "claimed": float("nan") if entry.claimed is None else entry.claimed,
        "access": entry.access_tier,
        "trust": entry.state.name,
        "references": entry.references,
        "real_items": costs.real_items,
        "training": entry.relative.training,
        "samples": entry.relative.samples,
        "scored": entry.relative.scored,
        "cost": entry.relative.sentence,
        "items_trained": costs.items_trained,
        "items_generated": costs.items_generated,
        "forward_passes": costs.forward_passes,
        "cpu_seconds": costs.cpu_seconds,
        "failed": entry.lost,
        "lineages": entry.lineages,
        "authors": ", ".join(card.authors) if card else "",
        "summary": entry.summary,
        "paper": (card.paper if card else None) or "",
        "code": (card.code if card else None) or "",
        "date": entry.created[:10],
        "suite": entry.suite,
        "version": entry.version,
        "task_hashes": "; ".join(f"{task} {digest}" for task, digest in entry.hashes.items()),
        "source_sha256": entry.source,
        "hardware": "; ".join(entry.machines),
        "seeds": " ".join(map(str, entry.seeds)),
        "n": sum(map(len, entry.recoveries.values())),
        "reference": entry.reference,
        "mine": entry.mine,
    }


def select_whole(table: pd.DataFrame) -> pd.DataFrame:
    """The methods whose score is of all ranked tasks: no reference, nothing that does not apply to
    one of them."""
    return table[~table["reference"] & ~table["partial"]]


def prefer_trusted(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that maintainers measured or re-ran, where there are any, else all: whoever sends a
    number is not shown as the best before it is checked."""
    trusted = table[table["trust"].isin(TRUSTED)]
    return table if trusted.empty else trusted


def doubt_row(row: pd.Series) -> str:
    """What to say wherever a row is shown as the best of some; "" where maintainers ran it."""
    if row["trust"] in TRUSTED:
        return ""
    return "; ".join(filter(None, (row["trust"], row["warning"] and f"score {row['warning']}")))


def count_seeds(table: pd.DataFrame) -> list[int]:
    """How many seeds each row's score is of: those of a re-run are other ones, and other many."""
    return [len(seeds.split()) for seeds in table["seeds"]]


def say_seeds(counts: Iterable[int]) -> str:
    """ "n = 5 seeds", or "n = 3 or 5 seeds" where rows differ."""
    found = join_counts(counts)
    return f"n = {found} seed{'' if found == '1' else 's'}"


def join_counts(counts: Iterable[int]) -> str:
    """ "5", or "3 or 5" where rows differ."""
    return " or ".join(map(str, sorted(set(counts))))


def select_rows(table: pd.DataFrame, filters: Filters) -> pd.DataFrame:
    """The rows that pass. Their tiers and ranks stay those among all; references always pass, and
    what is only previewed stands first, whatever it scores."""
    if table.empty:
        return table
    passes = pd.Series(True, index=table.index)
    if filters.access:
        afforded = {*filters.access, BLIND}
        passes &= table["access"].map(lambda tier: set(tier.split(" + ")) <= afforded)
    if filters.trust:
        passes &= table["trust"].isin(filters.trust)
    passes |= table["reference"] | table["mine"]
    for word in filters.search.casefold().split():
        texts = table["method"] + " " + table["authors"] + " " + table["summary"]
        passes &= texts.str.casefold().str.contains(word, regex=False)
    found = table[passes]
    return found.sort_values("mine", ascending=False, kind="stable")


def order_rows(table: pd.DataFrame, sort: str) -> pd.DataFrame:
    """The rows in the order of `Filters.sort`: what has no value comes last either way."""
    if not sort or table.empty:
        return table
    name = sort.removeprefix("-")
    column, rising = ORDERS.get(name, (TASK + name, False))
    return table.sort_values(
        column, ascending=rising != sort.startswith("-"), kind="stable", na_position="last"
    )


def describe_row(row: dict[Hashable, Any]) -> str:
    """What a reader must know of a row's score; "" if nothing."""
    said = [f"n/a: {row['not_applicable']}"] if row["not_applicable"] else []
    said += [f"{row['failed']} of {row['lineages']} lineages failed"] if row["failed"] else []
    said += [f"score {row['warning']}"] if row["warning"] else []
    said += [f"claimed {row['claimed']:z.2f}"] if not pd.isna(row["claimed"]) else []
    return "; ".join(said)


def export_frame(table: pd.DataFrame, path: Path) -> Path:
    """Store a frame as .csv or .parquet; in CSV no cell is a formula to a spreadsheet.

    Raises:
        InputError: neither, or the file cannot be written.
    """
    if path.suffix == ".parquet":
        kept = io.BytesIO()
        table.to_parquet(kept, index=False)
        content = kept.getvalue()
    elif path.suffix == ".csv":
        content = _write_csv(table)
    else:
        raise InputError(f"cannot store a table as {path.name}: end it with .csv or .parquet")
    write_output(path, content)
    return path


def _write_csv(table: pd.DataFrame) -> bytes:
    """The table as CSV: every text in quotes and no formula; "n/a" where a task does not apply."""
    plain = table.map(lambda cell: defuse_cell(cell) if isinstance(cell, str) else cell)
    for column in plain:
        if str(column).startswith(TASK):
            plain[column] = plain[column].astype(object).where(plain[column].notna(), INAPPLICABLE)
    plain = plain.rename(columns=lambda name: defuse_cell(str(name)))
    return plain.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC).encode()
