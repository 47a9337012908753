"""Draws the figures of docs/findings.md from the stored results.

    python -m leaderboard.publishing.figures SUITE FOLDER

writes recovery.svg, profiles.svg, improvement.svg, cost.svg and, of a suite with numerals,
pairs.png; the same results give the same bytes. `docs` holds the figures of suite small, which
those of another would replace: give another folder for them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmark.basics.errors import AutophagyError, InputError
from benchmark.basics.files import write_bytes
from benchmark.report.figures import apply_look, encode_figure, save_picture_grid
from benchmark.results.gallery import load_gallery, pick_rows
from benchmark.results.reliability import find_improvement, find_profile
from benchmark.results.standings import Standing
from benchmark.results.style import COLOURS, FAINT, GREY, MARKERS, style_methods
from benchmark.tasks.suites import load_suite
from leaderboard.board.entries import Board, read_board
from leaderboard.board.source import HERE
from leaderboard.board.table import join_counts, make_frame, select_whole
from leaderboard.publishing.evidence import list_scores, list_whole, tabulate_access

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 8  # lines
MOST_ROWS = 16  # of the matrix
MOST_INSIDE = 4  # tasks whose legend has room inside the axes
APART = 1.05  # items sampled and scored, in multiples of those of `nothing`
BESIDE, LINE = 0.25, 0.06  # names of points so near in x need so much of y each
ASIDE = 6  # points of paper between a point and its name
LOWEST = -1.0  # of an axis of recovery: what lies lower stands at the edge
PAIRED = ("nothing", "verifier_filter", "oracle", "clean")  # whose pairs are drawn


def draw_figures(board: Board, suite: str) -> dict[str, Figure]:
    """The figures of a suite, by file name.

    Raises:
        InputError: fewer than two methods apply to all of its tasks.
    """
    found = list_whole(board, suite)
    if len(found) < 2:
        raise InputError(f"there are too few results of suite {suite} to draw: run more methods")
    best = [row[2] for row in tabulate_access(board, suite)][:MOST]
    return {
        "recovery.svg": draw_recoveries(found),
        "profiles.svg": draw_profiles([s for s in found if s.method in best]),
        "improvement.svg": draw_improvement(found[:MOST_ROWS]),
        "cost.svg": draw_costs(select_whole(make_frame(board, suite))),
    }


def draw_recoveries(found: Sequence[Standing]) -> Figure:
    """Score with its interval and the means of the tasks, a method a row, the best on top."""
    tasks, rows = list(found[0].recoveries), np.arange(len(found))
    outside = len(tasks) > MOST_INSIDE
    figure, axes = _begin((7.5, 0.24 * len(found) + 1.2 + 0.06 * len(tasks) * outside))
    scores = np.clip([s.score or 0.0 for s in found], LOWEST, None)
    ends = [s.interval or (s.score or 0.0, s.score or 0.0) for s in found]
    low, high = np.clip(np.array(ends).T, LOWEST, None)
    axes.barh(rows, high - low, left=low, height=0.55, color=FAINT, label="95% interval")
    axes.plot(scores, rows, "|", color="black", ms=10, mew=2, label="score")
    for i, task in enumerate(tasks):
        mark = MARKERS[i % len(MARKERS)]
        colour = COLOURS[(i + i // len(MARKERS)) % len(COLOURS)]  # no two tasks have both in common
        means = np.clip([np.mean(s.recoveries[task]) for s in found], LOWEST, None)
        axes.plot(means, rows, mark, color=colour, ms=4, alpha=0.8, label=task)
    axes.set_yticks(rows, [f"{s.method}  ({s.access_tier})" for s in found])
    axes.invert_yaxis()
    _mark_references(axes)
    seeds = join_counts(len(standing.seeds) for standing in found)
    axes.set_xlabel(f"recovery (seeds: {seeds}; below {LOWEST:g} drawn at its edge)")
    if outside:
        figure.legend(fontsize=7, frameon=False, ncols=3, loc="outside lower center")
    else:
        axes.legend(fontsize=8, frameon=False, loc="lower right")
    return figure


def draw_profiles(found: Sequence[Standing]) -> Figure:
    """Share of lineages that recover more than a threshold, a line a method."""
    figure, axes = _begin((9.0, 3.6))
    thresholds = np.linspace(LOWEST, 1.2, 221)
    scores = list_scores(found)
    shares = [find_profile(of, thresholds) for of in scores]
    styles = style_methods([s.method for s in found])
    for standing, share in zip(found, shares, strict=True):
        style, name = styles[standing.method], f"{standing.method} ({standing.access_tier})"
        dash = "-" if style.marker == MARKERS[0] else "--"
        axes.plot(thresholds, share, dash, color=style.colour, lw=1.6, label=name)
    _mark_references(axes)
    lineages = join_counts(of.size for of in scores)
    axes.set_xlabel("recovery τ")
    axes.set_ylabel(f"share of {lineages} lineages above τ")
    figure.legend(fontsize=8, frameon=False, loc="outside right upper")
    return figure


def draw_improvement(found: Sequence[Standing]) -> Figure:
    """Probability that a lineage of the row's method recovers more than one of the column's."""
    side = 0.42 * len(found) + 1.8
    figure, axes = _begin((side, side * 0.85))
    chance = find_improvement(list_scores(found))
    axes.imshow(chance, vmin=0, vmax=1, cmap="RdBu", aspect="auto")
    names, places = [s.method for s in found], range(len(found))
    axes.set_xticks(places, names, rotation=60, ha="right", rotation_mode="anchor")
    axes.set_yticks(places, names)
    for i, j in np.ndindex(*chance.shape):
        white = abs(chance[i, j] - 0.5) > 0.35
        axes.text(
            j, i, f"{chance[i, j]:.1f}".lstrip("0") if i != j else "", ha="center", va="center",
            fontsize=7, color="white" if white else "black",
        )  # fmt: skip
    return figure


def draw_costs(frame: pd.DataFrame) -> Figure:
    """Score against what is sampled and scored, in multiples of what `nothing` publishes. The best
    are named, and those that take more than the others, which stand apart.

    Args:
        frame: rows as in `table.make_frame`, best first.
    """
    figure, axes = _begin((7.0, 4.2))
    best, named = set(frame["method"].head(MOST)), []
    for i, (kind, of) in enumerate(frame.groupby("access", sort=False)):
        mark = MARKERS[i // len(COLOURS) % len(MARKERS)]
        work, scores = of["samples"] + of["scored"], of["score"].clip(lower=LOWEST)
        axes.plot(work, scores, mark, color=COLOURS[i % len(COLOURS)], ms=5, label=str(kind))
        named += [
            (x, y, name)
            for x, y, name in zip(work, scores, of["method"], strict=True)
            if name in best or x > APART
        ]
    _name_points(axes, named)
    axes.margins(x=0.32)  # for the names
    axes.axhline(0, color=GREY, lw=0.8)
    axes.axhline(1, color=GREY, lw=0.8, ls=":")
    axes.set_xlabel("items sampled and scored, in multiples of those that every lineage publishes")
    axes.set_ylabel("score (recovery)")
    figure.legend(fontsize=7, frameon=False, ncols=5, loc="outside upper center")
    return figure


def draw_pairs(board: Board, suite: str, file: Path) -> None:
    """Write what four methods published of numerals at the beginning and at the end, from their
    stored galleries, if they are there: a picture each with its caption, and the numbers named.

    Raises:
        InputError: the file cannot be written.
    """
    tasks = [t for t in load_suite(suite).tasks if getattr(t.evaluation, "strip", 0)]
    stored = {method: board.root / "gallery" / suite / f"{method}.json" for method in PAIRED}
    if not tasks or not all(path.is_file() for path in stored.values()):
        return
    task = tasks[0]
    of_task = {method: load_gallery(path).tasks[task.name] for method, path in stored.items()}
    ends = (0, task.generations)
    seed = next(iter(of_task.values())).seed
    save_picture_grid(
        {method: pick_rows(shown, ends) for method, shown in of_task.items()}, file,
        f"{task.name}, suite {suite}, seed {seed}: pairs by generation; below, the numbers 1 to "
        f"999 that captions name",
    )  # fmt: skip


def _begin(size: tuple[float, float]) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots()


def _name_points(axes: Axes, points: Sequence[tuple[float, float, str]]) -> None:
    """Write names beside points (x, y): on the left of those that take no more than others, and
    each below those above it that it would touch."""
    written: list[tuple[bool, float, float]] = []
    for x, y, name in sorted(points, key=lambda point: -point[1]):
        more = x > APART
        above = [at - LINE for side, near, at in written if side == more and abs(near - x) < BESIDE]
        place = min([y, *above])
        written.append((more, x, place))
        # Not by spaces, which a browser leaves out.
        axes.annotate(
            name, (x, place), xytext=(ASIDE if more else -ASIDE, 0),
            textcoords="offset points", fontsize=7, va="center", ha="left" if more else "right",
        )  # fmt: skip


def _mark_references(axes: Axes) -> None:
    """0 is `nothing`, 1 is `clean`."""
    axes.axvline(0, color=GREY, lw=0.8)
    axes.axvline(1, color=GREY, lw=0.8, ls=":")


def write_figures(suite: str, folder: Path) -> None:
    """Write the figures of `suite` into `folder`.

    Raises:
        InputError: there are too few results, or the folder cannot be written.
    """
    board = read_board(HERE)
    with apply_look():
        for name, figure in draw_figures(board, suite).items():
            write_bytes(folder / name, encode_figure(figure, "svg"))
    draw_pairs(board, suite, folder / "pairs.png")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        "python -m leaderboard.publishing.figures",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("suite", metavar="SUITE")
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    given = parser.parse_args(arguments)
    try:
        write_figures(given.suite, given.folder)
    except AutophagyError as error:
        sys.exit(f"figures: {error}")


if __name__ == "__main__":
    main()
