"""The table of a suite as a frame: ranked, selected, shown, exported. Entries in, frames out."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pandas as pd

from benchmark.basics.errors import InputError, cannot_write
from benchmark.results import statistics
from benchmark.results.captions import ranks_text
from leaderboard.board.entries import Board, Entry
from leaderboard.board.filters import ALL, Filters, chosen_tasks

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
def frame(board: Board, suite: str, tasks: str = ALL) -> pd.DataFrame:
    """One row a method, the best score first; do not change it, it is kept.

    `score`, `low`, `high`, `tier` and `ranks` are of the chosen tasks; costs are of all. `low` and
    `high` are NaN, `tier` is missing and `ranks` is empty where there is one seed only.

    Raises:
        InputError: there is no such suite or choice of tasks.
    """
    entries = board.entries.get(suite, [])
    names = chosen_tasks(suite, tasks)
    if not entries:
        return pd.DataFrame()
    scores = np.array([[entry.recoveries[name] for name in names] for entry in entries])
    rows = [
        _row(entry, place) for entry, place in zip(entries, statistics.places(scores), strict=True)
    ]
    found = pd.DataFrame(rows).astype({"tier": "Int64"})
    return found.sort_values("score", ascending=False, kind="stable", ignore_index=True)


def _row(entry: Entry, place: statistics.Place) -> dict[str, Any]:
    low, high = place.interval or (float("nan"), float("nan"))
    card, costs = entry.card, entry.costs
    return {
        "tier": place.tier,
        "method": entry.name,
        "score": place.score,
        "low": low,
        "high": high,
        "ranks": ranks_text(place.ranks) if place.ranks else "",
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


def select(table: pd.DataFrame, filters: Filters) -> pd.DataFrame:
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


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """The columns a reader sees, by their headings; numbers stay numbers, rounded."""
    if table.empty:
        return pd.DataFrame(columns=list(HEADINGS.values()))
    interval = [
        f"{low:z.2f} to {high:z.2f}" if low == low else "-"
        for low, high in zip(table["low"], table["high"], strict=True)
    ]
    interval = [
        "by definition" if of else words
        for of, words in zip(table["reference"], interval, strict=True)
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


def export(table: pd.DataFrame, path: Path) -> Path:
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
