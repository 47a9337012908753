"""What the tabs share: the filter bar, plots as Gradio wants them, choices of methods."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

import altair as alt
import gradio as gr
from gradio.components.plot import PlotData

from benchmark.interface.find import REFERENCES
from leaderboard.board.entries import Board
from leaderboard.board.filters import ALL, TRUST, Filters, list_access_tiers, list_task_choices
from leaderboard.board.table import make_frame, select_rows

MOST_OFFERED = 200  # methods in a list to choose from
MOST_CHOSEN = 6  # methods with a colour of their own
SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"  # a name, not fetched


class Choice(NamedTuple):
    """What a dropdown offers, and what of it is chosen."""

    offered: Any
    value: Any

    def update(self) -> gr.Dropdown:
        """Shows it."""
        return gr.Dropdown(choices=self.offered, value=self.value)


@dataclass(frozen=True)
class Bar:
    """The components of the filter bar, and where the page notes its address."""

    suite: gr.Radio
    tasks: gr.Dropdown
    access: gr.Dropdown
    trust: gr.Dropdown
    search: gr.Textbox

    @property
    def all(self) -> list[Any]:
        """The components in the order of the fields of `Filters`."""
        return [self.suite, self.tasks, self.access, self.trust, self.search]


def bar(board: Board) -> Bar:
    """Lay out the filters; the first suite is chosen."""
    filters = Filters.of_query({}, board) if board.entries else Filters("")
    with gr.Row(elem_id="bar"):
        suite = gr.Radio(list(board.entries), value=filters.suite or None, label="Suite",
                         elem_id="suite", min_width=150)  # fmt: skip
        tasks = gr.Dropdown(
            task_labels(filters.suite),
            value=ALL if filters.suite else None,
            label="Rank by",
            elem_id="tasks",
            min_width=150,
        )
        access = gr.Dropdown(
            access_of(board, filters.suite), multiselect=True, value=[], label="Access",
            min_width=150, elem_id="access",
        )  # fmt: skip
        trust = gr.Dropdown(list(TRUST), multiselect=True, value=[], label="Trust", elem_id="trust",
                            min_width=150)  # fmt: skip
        search = gr.Textbox(label="Search", placeholder="method, author", max_length=100,
                            elem_id="search", min_width=150)  # fmt: skip
    return Bar(suite, tasks, access, trust, search)


def chosen(board: Board, values: tuple[Any, ...]) -> Filters:
    """The filters that the bar's values stand for; what the board does not have is left out."""
    suite, tasks, access, trust, search = values
    asked = Filters(
        suite or "", tasks or ALL, tuple(access or ()), tuple(trust or ()), search or ""
    )
    return Filters.of_query(asked.query(), board)


def updates(board: Board, filters: Filters) -> list[Any]:
    """What the bar shows of some filters."""
    return [
        gr.Radio(choices=list(board.entries), value=filters.suite),
        gr.Dropdown(choices=task_labels(filters.suite), value=filters.tasks),
        gr.Dropdown(choices=access_of(board, filters.suite), value=list(filters.access)),
        gr.Dropdown(value=list(filters.trust)),
        gr.Textbox(value=filters.search),
    ]


def task_labels(suite: str) -> list[tuple[str, str]]:
    """What the table can be ranked by, in words."""
    words = {ALL: "all tasks", "image": "image tasks", "text": "text tasks"}
    return [(words.get(name, name), name) for name in list_task_choices(suite)] if suite else []


def access_of(board: Board, suite: str) -> list[str]:
    """The tiers that a suite's entries have."""
    return list(list_access_tiers(board, suite))


def names(board: Board, filters: Filters) -> list[str]:
    """The methods that pass the filters, best first, without the references."""
    found = select_rows(make_frame(board, filters.suite, filters.tasks), filters)
    return [name for name in found["method"] if name not in REFERENCES]


def offered(board: Board, filters: Filters, *picked: str | None) -> list[str]:
    """The methods of a list to choose from: the best that pass the filters, and those `picked`.

    A list of thousands would make every browser slow; a search brings the others.
    """
    whole = make_frame(board, filters.suite, filters.tasks)
    passing = select_rows(whole, filters)
    best = list((whole if passing.empty else passing)["method"].head(MOST_OFFERED))
    there = set(whole["method"])
    wanted = [*REFERENCES, *(name for name in picked if name)]
    return list(dict.fromkeys([*best, *(name for name in wanted if name in there)]))


def plot(chart: alt.LayerChart) -> PlotData:
    """A chart for `gr.Plot`, as the Vega-Lite that Gradio brings along (5) reads it."""
    spec = chart.to_dict(validate=False)  # half the time; what is drawn is ours
    spec["$schema"] = SCHEMA
    return PlotData(type="altair", plot=json.dumps(spec))
