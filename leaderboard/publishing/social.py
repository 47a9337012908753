"""The picture that a link to the leaderboard is shown with: drawn from our own results."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from benchmark.metrics.meanings import find_title
from benchmark.report.figures import encode_figure, use_settings
from benchmark.results.curves import gather_curves
from benchmark.results.style import FAINT, GREY, INK, PAPER, Style, make_printable, style_methods
from leaderboard.board.entries import Board
from leaderboard.board.filters import choose_first_suite
from leaderboard.board.social import SIZE
from leaderboard.board.table import make_frame, prefer_trusted, select_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DPI = 100
MOST = 2  # methods beside the references
CLAIM = "How well do mitigations of model collapse work?"


def draw_social_card(board: Board) -> bytes:
    """A PNG of `SIZE`: `nothing`, `clean` and the best methods on the tasks of the main suite.

    The same results give the same bytes.

    Raises:
        InputError: the board is empty.
    """
    from matplotlib.figure import Figure

    suite = choose_first_suite(board)
    methods = ["nothing", *_choose_best(board, suite), "clean"]
    looks = style_methods(methods)
    results = {name: board.result(suite, name) for name in methods}
    tasks = list(results["nothing"].tasks)
    with use_settings({"font.size": 13, "text.parse_math": False, "text.color": INK}):
        figure = Figure(figsize=(SIZE[0] / DPI, SIZE[1] / DPI), facecolor=PAPER)
        figure.text(0.05, 0.885, "Autophagy Bench", fontsize=34, weight="bold")
        figure.text(0.05, 0.81, CLAIM, fontsize=20)
        about = f"Models trained on what models made, suite {suite}: lower is better."
        figure.text(0.05, 0.75, about, fontsize=14, color=GREY)
        all_axes = figure.subplots(1, len(tasks), squeeze=False)[0]
        figure.subplots_adjust(left=0.07, right=0.97, top=0.6, bottom=0.2, wspace=0.32)
        for axes, task in zip(all_axes, tasks, strict=True):
            entry = results["nothing"].tasks[task].primary
            for name in reversed(methods):
                _draw_mean(axes, gather_curves(results[name], task, entry), looks[name])
            _dress(axes, task, find_title(entry))
        figure.legend(
            handles=_make_keys(looks), labels=_label_methods(methods), loc="lower center",
            ncols=len(methods), frameon=False, fontsize=14, bbox_to_anchor=(0.5, 0.01),
        )  # fmt: skip
        return encode_figure(figure, "png", DPI)


def _choose_best(board: Board, suite: str) -> list[str]:
    """The best methods that apply to all tasks and see no truth about single items; those that
    maintainers ran first, where there are any."""
    table = make_frame(board, suite)
    whole = select_whole(table)
    fair = whole[~whole["mine"] & ~whole["access"].str.contains("oracle")]
    return list(prefer_trusted(fair)["method"][:MOST])


def _draw_mean(axes: Axes, values: np.ndarray, look: Style) -> None:
    """The mean over seeds of (seeds, T + 1), where any has a value."""
    t = np.flatnonzero(~np.isnan(values).all(axis=0))
    axes.plot(
        t, np.nanmean(values[:, t], axis=0), color=look.colour, lw=3, marker=look.marker or None,
        ms=6, ls=(0, look.dashes) if look.dashes else "-",
    )  # fmt: skip


def _dress(axes: Axes, task: str, title: str) -> None:
    axes.set_title(f"{task}\n{make_printable(title, 40)}", fontsize=14, loc="left")
    axes.set_xlabel("generation", fontsize=12, color=GREY)
    axes.grid(color=FAINT, lw=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=11, length=0, colors=GREY)
    low, high = axes.get_xlim()
    axes.set_xticks(range(math.ceil(low), math.floor(high) + 1))
    for side in axes.spines.values():
        side.set_visible(False)


def _make_keys(looks: dict[str, Style]) -> list[object]:
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], color=look.colour, lw=3, marker=look.marker or None, ms=6,
               ls=(0, look.dashes) if look.dashes else "-")
        for look in looks.values()
    ]  # fmt: skip


def _label_methods(methods: Sequence[str]) -> list[str]:
    said = {"nothing": "no mitigation", "clean": "real data only"}
    return [said.get(name, make_printable(name)) for name in methods]
