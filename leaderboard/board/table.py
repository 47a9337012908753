"""The table of a suite as a frame: ranked, selected, shown, exported. Entries in, frames out."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from statistics import fmean
from typing import Any

import pandas as pd

from benchmark.basics.errors import InputError, cannot_write
from benchmark.results.rows import format_interval, format_ranks
from benchmark.results.standings import Standing, rank_methods
from leaderboard.board.entries import Board, Entry
from leaderboard.board.filters import ALL, Filters, choose_tasks

TASK = "recovery "  # begins the column of a task
HEADINGS = {
    "tier": "Tier",
    "method": "Method",
    "score": "Score",
    "interval": "95% interval",
    "ranks": "Ranks",
    "access": "Access",
    "trust": "Trust",
    "real_items": "Real items used",
    "items_trained": "Items trained",
    "items_generated": "Generated",
    "forward_passes": "Scored",
    "cpu_minutes": "CPU min",
    "failed": "Failed",
    "authors": "Authors",
    "paper": "Paper",
    "code": "Code",
    "date": "Date",
}


@lru_cache(maxsize=128)
def make_frame(board: Board, suite: str, tasks: str = ALL) -> pd.DataFrame:
    """One row a method, the best score first; do not change it, it is kept.

    `score`, `low`, `high`, `tier` and `ranks` are of the chosen tasks; costs are of all. `low` and
    `high` are NaN, `tier` is missing and `ranks` is empty where there is one seed only.

    Raises:
        InputError: there is no such suite or choice of tasks.
    """
    by_name = {entry.name: entry for entry in board.entries.get(suite, [])}
    rows = [_row(found, by_name[found.method]) for found in rank_entries(board, suite, tasks)]
    return pd.DataFrame(rows).astype({"tier": "Int64"}) if rows else pd.DataFrame()


def rank_entries(board: Board, suite: str, tasks: str = ALL) -> list[Standing]:
    """The standings of a suite's entries on some of its tasks, the best score first.

    Raises:
        InputError: there is no such suite or choice of tasks.
    """
    names = choose_tasks(suite, tasks)
    entries = board.entries.get(suite, [])
    return rank_methods(entries, names) if entries else []


def _row(standing: Standing, entry: Entry) -> dict[str, Any]:
    low, high = standing.interval or (float("nan"), float("nan"))
    card, costs = entry.card, entry.costs
    return {
        "tier": standing.tier,
        "method": entry.name,
        "score": standing.score,
        "low": low,
        "high": high,
        "ranks": format_ranks(standing.ranks) if standing.ranks else "",
        **{TASK + task: fmean(values) for task, values in entry.recoveries.items()},
        "access": entry.access_tier,
        "trust": entry.state.name,
        "references": entry.references,
        "real_items": costs.real_items,
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
        "reference": entry.reference,
        "mine": entry.mine,
    }


def select_rows(table: pd.DataFrame, filters: Filters) -> pd.DataFrame:
    """The rows that pass. Their tiers and ranks stay those among all; references always pass."""
    if table.empty:
        return table
    passes = pd.Series(True, index=table.index)
    if filters.access:
        passes &= table["access"].isin(filters.access)
    if filters.trust:
        passes &= table["trust"].isin(filters.trust)
    passes |= table["reference"] | table["mine"]
    for word in filters.search.casefold().split():
        texts = table["method"] + " " + table["authors"] + " " + table["summary"]
        passes &= texts.str.casefold().str.contains(word, regex=False)
    return table[passes]


def format_frame(table: pd.DataFrame) -> pd.DataFrame:
    """The columns a reader sees, by their headings; numbers stay numbers, rounded."""
    if table.empty:
        return pd.DataFrame(columns=list(HEADINGS.values()))
    interval = [
        format_interval((low, high) if low == low else None, reference)
        for low, high, reference in zip(
            table["low"], table["high"], table["reference"], strict=True
        )
    ]
    full = table.assign(
        interval=interval,
        score=table["score"].round(3),
        cpu_minutes=(table["cpu_seconds"] / 60).round(1),
    )
    tasks = [column for column in table if str(column).startswith(TASK)]
    order = list(HEADINGS)
    order[5:5] = tasks
    found = full[order].round(dict.fromkeys(tasks, 3))
    return found.rename(columns=HEADINGS).rename(columns=lambda name: name.removeprefix(TASK))


def export_frame(table: pd.DataFrame, path: Path) -> Path:
    """Store a frame as .csv or .parquet; in CSV no cell is a formula to a spreadsheet.

    Raises:
        InputError: neither, or the file cannot be written.
    """
    try:
        if path.suffix == ".parquet":
            table.to_parquet(path, index=False)
        elif path.suffix == ".csv":
            table.map(_defused).to_csv(path, index=False)
        else:
            raise InputError(f"cannot store a table as {path.name}: end it with .csv or .parquet")
    except OSError as error:
        raise cannot_write(path, error) from error
    return path


def _defused(cell: Any) -> Any:
    if isinstance(cell, str) and cell.lstrip()[:1] in ("=", "+", "-", "@"):
        return "'" + cell
    return cell
