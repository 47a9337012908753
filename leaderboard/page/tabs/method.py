"""One method: its card, its curves, its profile, its samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from leaderboard.board.entries import Board
from leaderboard.board.filters import Filters
from leaderboard.board.table import make_frame
from leaderboard.page.curves import curve, measured
from leaderboard.page.markup import element
from leaderboard.page.method_page import method_page
from leaderboard.page.samples import samples
from leaderboard.page.widgets import Choice, offered


@dataclass(frozen=True)
class Parts:
    """Components of the tab."""

    method: gr.Dropdown
    task: gr.Dropdown
    measure: gr.Dropdown
    above: gr.HTML
    curves: gr.Plot
    curves_note: gr.HTML
    samples: gr.HTML
    below: gr.HTML

    @property
    def controls(self) -> list[Any]:
        """What a reader chooses here."""
        return [self.method, self.task, self.measure]

    @property
    def dependent(self) -> list[Any]:
        """Controls whose choices hang on others."""
        return [self.measure]

    @property
    def drawn(self) -> list[Any]:
        """What `drawn` fills, in its order."""
        return [self.above, self.curves, self.curves_note, self.samples, self.below]


def layout() -> Parts:
    """The tab's components, empty."""
    method = gr.Dropdown([], label="Method", elem_id="method")
    above = gr.HTML(elem_id="card")
    gr.HTML(str(element("h3", "By generation")))
    with gr.Row():
        task = gr.Dropdown([], label="Task", min_width=150, elem_id="method-task")
        measure = gr.Dropdown([], label="Measure", min_width=150, elem_id="method-measure")
    plot = gr.Plot(show_label=False, container=False, elem_classes="picture")
    note, shown, below = gr.HTML(), gr.HTML(), gr.HTML(elem_id="profile")
    return Parts(method, task, measure, above, plot, note, shown, below)


def choices(board: Board, filters: Filters, picked: Sequence[Any]) -> list[Choice]:
    """All methods of the suite, best first; what was picked stays where it can."""
    method, task, measure = picked
    there = offered(board, filters, method)
    method = method if method in there else next(m for m in there if m != "oracle")
    tasks = board.result(filters.suite, method).tasks
    task = task if task in tasks else next(iter(tasks))
    measures = measured(board, filters.suite, task)
    known = {name for _, name in measures}
    return [
        Choice(there, method),
        Choice(list(tasks), task),
        Choice(measures, measure if measure in known else tasks[task].primary),
    ]


def drawn(board: Board, filters: Filters, picked: Sequence[Any]) -> list[Any]:
    """The method's page, in the order of `Parts.drawn`."""
    method, task, measure = picked
    whole = make_frame(board, filters.suite, filters.tasks)
    above, below = method_page(
        board, filters.suite, method, whole[whole["method"] == method].iloc[0]
    )
    return [
        str(above),
        *curve(board, filters.suite, task, measure, [method]),
        str(samples(board, filters.suite, task, [method])),
        str(below),
    ]
