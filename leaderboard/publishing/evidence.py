"""Tables of how far the board can be believed (agreement, ranks), and of what methods do (the best
of each access tier, what is kept of real and synthetic items)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from statistics import fmean

import numpy as np
import pandas as pd

from benchmark.basics.errors import InputError
from benchmark.results.curves import gather_curves
from benchmark.results.places import separate_samples
from benchmark.results.reliability import (
    correlate_halves,
    correlate_tasks,
    find_improvement,
    resample_ranks,
    separate_mates,
)
from benchmark.results.rows import format_interval, format_ranks, format_score
from benchmark.results.standings import Standing, make_sample
from benchmark.results.statistics import Scores
from benchmark.results.transfer import EVERY, FEWEST, compare_suites
from benchmark.tasks.suites import load_suite
from leaderboard.board.entries import Board
from leaderboard.board.opening import list_best
from leaderboard.board.table import doubt_row, make_frame, rank_entries, select_whole

Rows = list[list[str]]
DRAWS = 2_000  # of the bootstrap
SHARES = "kept_real", "kept_synthetic", "trained_on_real"
TOLD = 0.05  # between the shares kept of real and of synthetic items: who tells them apart


def list_whole(board: Board, suite: str) -> list[Standing]:
    """The methods that apply to all tasks, the best first; without the references."""
    return [s for s in rank_entries(board, suite) if not (s.reference or s.partial)]


def list_scores(found: Sequence[Standing]) -> list[Scores]:
    """(tasks, seeds) recoveries of each method; those of a re-run are of other seeds."""
    return [make_sample(standing, list(standing.recoveries)).values for standing in found]


def tabulate_agreement(board: Board, suite: str, others: Sequence[str]) -> Rows:
    """[what, value, of what] of the agreement between halves of the seeds, tasks and suites.

    Args:
        others: suites whose ranking of the same methods is compared with that of `suite`.
    """
    found = list_whole(board, suite)
    if len(found) < FEWEST:
        return []
    tasks, seeds = list(found[0].recoveries), load_suite(suite).seeds
    many = f"{len(found)} methods"
    rows: Rows = []
    alike = [standing for standing in found if standing.seeds == seeds]
    if len(seeds) > 1 and len(alike) >= FEWEST:
        mean, least = correlate_halves(list_scores(alike))
        of = many if len(alike) == len(found) else f"{len(alike)} methods of the public seeds"
        rows.append(["halves of the seeds", f"{mean:z.2f} (least {least:z.2f})", of])
    means = [[fmean(of) for of in standing.recoveries.values()] for standing in found]
    between = correlate_tasks(np.array(means)[..., None])
    for i, j in itertools.combinations(range(len(tasks)), 2):
        rows.append([f"{tasks[i]} and {tasks[j]}", f"{between[i, j]:z.2f}", many])
    for other in others:
        try:
            standings = {name: rank_entries(board, name) for name in (other, suite)}
            whole = [row for row in compare_suites(standings) if row.tasks == EVERY]
        except InputError:
            continue  # too few methods have been run on both
        low, high = whole[0].interval
        words = f"{whole[0].tau:z.2f} ({low:z.2f} to {high:z.2f})"
        rows.append([f"suites {other} and {suite}", words, f"{whole[0].methods} methods"])
    if found[0].tier is not None:
        better = separate_samples([make_sample(standing, tasks) for standing in found])
        pairs = len(found) * (len(found) - 1) // 2
        mates, apart = separate_mates([s.tier or 0 for s in found], better)
        told = int(better.sum())
        rows.append(["pairs told apart", f"{told / pairs:.0%}", f"{told} of {pairs} pairs"])
        if mates:
            rows.append(["tier-mates told apart", f"{apart / mates:.0%}", f"{apart} of {mates}"])
    return rows


def tabulate_ranks(board: Board, suite: str) -> Rows:
    """[method, score, interval, tier, ranks by tests, ranks by bootstrap, probability that it
    improves on `nothing`, on the next method] of the methods that apply to all tasks."""
    found = list_whole(board, suite)
    if len(found) < 2 or found[0].tier is None:
        return []
    scores, public = list_scores(found), load_suite(suite).seeds
    # With the references, as the ranks by tests.
    nothing, clean = (np.full((len(scores[0]), len(public)), worth) for worth in (0.0, 1.0))
    seeds = [*(standing.seeds for standing in found), public, public]
    drawn = resample_ranks(
        [*scores, nothing, clean], np.random.default_rng(0), DRAWS, seeds=seeds
    )  # fmt: skip
    chance = find_improvement([*scores, nothing])
    rows = []
    for i, standing in enumerate(found):
        low, high = (int(rank) for rank in drawn[i])
        following = f"{chance[i, i + 1]:.2f}" if i + 1 < len(found) else ""
        rows.append([
            standing.method, format_score(standing.score),
            format_interval(standing.interval, reference=False), str(standing.tier),
            "" if standing.ranks is None else format_ranks(standing.ranks),
            format_ranks((low, high)), f"{chance[i, -1]:.2f}", following,
        ])  # fmt: skip
    return rows


def tabulate_selection(board: Board, suite: str) -> Rows:
    """[method, task, kept of a crawl's real items, kept of its synthetic ones, real share of what
    was trained on, recovery] of methods that keep more of the ones than of the others; means over
    seeds and t >= 1."""
    rows = []
    for standing in rank_entries(board, suite):
        result = board.result(suite, standing.method)
        for task, recoveries in standing.recoveries.items():
            curves = [gather_curves(result, task, entry)[:, 1:] for entry in SHARES]
            if not recoveries or any(np.isnan(values).all() for values in curves):
                continue
            real, made, trained = (float(np.nanmean(values)) for values in curves)
            if abs(real - made) >= TOLD:
                shares = [f"{share:.2f}" for share in (real, made, trained)]
                rows.append([standing.method, task, *shares, f"{np.mean(recoveries):z.2f}"])
    return rows


def tabulate_access(board: Board, suite: str) -> Rows:
    """[access, methods, best method, score, interval, relative training, relative samples] of each
    access tier, the best first; the costs are those of `nothing` times what is said, and beside a
    score stands what to doubt of it."""
    frame = make_frame(board, suite)
    if frame.empty:
        return []
    many = select_whole(frame)["access"].value_counts()
    return [
        [
            row["access"], str(many[row["access"]]), row["method"], _score(row),
            format_interval(None if pd.isna(row["low"]) else (row["low"], row["high"]), False),
            f"{row['training']:.2f} x", f"{row['samples']:.2f} x",
        ]
        for row in sorted(list_best(frame), key=lambda row: -row["score"])
    ]  # fmt: skip


def _score(row: pd.Series) -> str:
    doubt = doubt_row(row)
    return format_score(row["score"]) + (f" ({doubt})" if doubt else "")
