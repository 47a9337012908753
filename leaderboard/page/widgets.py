"""What the tabs share: the filter bar, plots as Gradio wants them, choices of methods."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import altair as alt
import gradio as gr
from gradio.components.plot import PlotData

from benchmark.basics.errors import AutophagyError
from benchmark.interface.names import REFERENCES
from benchmark.metrics.meanings import list_metrics
from benchmark.results.curves import name_measures
from benchmark.results.final import summarise_profiles
from benchmark.results.gallery import Shown, group_excerpts
from benchmark.results.html import load_template
from benchmark.results.schema import Result
from leaderboard.board.entries import Board
from leaderboard.board.filters import (
    ALL,
    QUESTIONS,
    TRUST,
    Filters,
    choose_first_suite,
    list_kinds,
    list_task_choices,
)
from leaderboard.board.galleries import load_entry_gallery
from leaderboard.board.table import ORDERS, make_frame, select_rows
from leaderboard.page.lines import draw_generations

MOST_OFFERED = 200  # methods in a list to choose from
MOST_CHOSEN = 8  # methods with a colour of their own
KINDS_FIRST = {name for name, (_, rising) in ORDERS.items() if rising}  # sorted from the least
HTML: Any = load_template(Path(__file__).with_name("page.html")).module  # its macros
SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"  # a name, not fetched


class Choice(NamedTuple):
    """What a dropdown offers, and what of it is chosen."""

    offered: Any
    value: Any

    def update(self) -> gr.Dropdown:
        """Shows it."""
        several = {"multiselect": True} if isinstance(self.value, list) else {}
        return gr.Dropdown(choices=self.offered, value=self.value, **several)


@dataclass(frozen=True)
class Bar:
    """The components of the filter bar; `sort` is set by the table's headers."""

    row: gr.Row
    suite: gr.Radio
    tasks: gr.Dropdown
    access: gr.Dropdown
    trust: gr.Dropdown
    search: gr.Textbox
    sort: gr.Textbox

    @property
    def all(self) -> list[Any]:
        """The components in the order of the fields of `Filters`."""
        return [self.suite, self.tasks, self.access, self.trust, self.search, self.sort]


def place_markup(content: str = "", **options: Any) -> gr.HTML:
    """A place for markup of ours, without Gradio's looks for it; options are those of `gr.HTML`."""
    return gr.HTML(content, apply_default_css=False, **options)


def lay_out_bar(board: Board) -> Bar:
    """Lay out the filters; the first suite is chosen."""
    filters = Filters(choose_first_suite(board)) if board.entries else Filters("")
    with gr.Row(elem_id="bar") as row:
        suite = gr.Radio(list_suites(board, filters.suite), value=filters.suite or None,
                         label="Suite", elem_id="suite", min_width=150)  # fmt: skip
        tasks = gr.Dropdown(
            label_tasks(filters.suite),
            value=ALL if filters.suite else None,
            label="Rank by",
            elem_id="tasks",
            min_width=150,
        )
        access = gr.Dropdown(
            list(list_kinds(board, filters.suite)), multiselect=True, value=[],
            label="What I can afford (access)", min_width=150, elem_id="access",
        )  # fmt: skip
        trust = gr.Dropdown(list(TRUST), multiselect=True, value=[], label="Trust", elem_id="trust",
                            min_width=150)  # fmt: skip
        search = gr.Textbox(label="Search", placeholder="method, author", max_length=100,
                            elem_id="search", min_width=150)  # fmt: skip
        sort = gr.Textbox("", visible=False)
    return Bar(row, suite, tasks, access, trust, search, sort)


def list_suites(board: Board, chosen: str) -> list[str]:
    """The suites that the bar offers: those of a question have tabs of their own."""
    return [suite for suite in board.entries if suite == chosen or suite not in QUESTIONS]


def read_filters(board: Board, values: Sequence[Any]) -> Filters:
    """The filters that the bar's values stand for; what the board does not have is left out."""
    suite, tasks, access, trust, search, sort = values
    asked = Filters(
        suite or "", tasks or ALL, tuple(access or ()), tuple(trust or ()), search or "", sort or ""
    )
    return Filters.settle(asked, board)


def update_bar(board: Board, filters: Filters) -> list[Any]:
    """What the bar shows of some filters."""
    kinds = list_kinds(board, filters.suite)
    offered = list(dict.fromkeys([*kinds, *filters.access]))
    return [
        gr.Radio(choices=list_suites(board, filters.suite), value=filters.suite),
        gr.Dropdown(choices=label_tasks(filters.suite), value=filters.tasks),
        Choice(offered, list(filters.access)).update(),
        Choice(list(TRUST), list(filters.trust)).update(),
        gr.Textbox(value=filters.search),
        gr.Textbox(value=filters.sort),
    ]


def label_tasks(suite: str) -> list[tuple[str, str]]:
    """What the table can be ranked by, in words."""
    words = {
        ALL: "all tasks", "image": "image tasks", "text": "text tasks", "pair": "tasks of pairs",
    }  # fmt: skip
    return [(words.get(name, name), name) for name in list_task_choices(suite)] if suite else []


def list_methods(board: Board, filters: Filters) -> list[str]:
    """The methods that pass the filters, best first, without the references."""
    found = select_rows(make_frame(board, filters.suite, filters.tasks), filters)
    return [name for name in found["method"] if name not in REFERENCES]


def offer_methods(board: Board, filters: Filters, *picked: str | None) -> list[str]:
    """The methods of a list to choose from: the best that pass the filters, and those `picked`.

    A list of thousands would make every browser slow; a search brings the others.
    """
    whole = make_frame(board, filters.suite, filters.tasks)
    passing = select_rows(whole, filters)
    best = list((whole if passing.empty else passing)["method"].head(MOST_OFFERED))
    there = set(whole["method"])
    wanted = [*REFERENCES, *(name for name in picked if name)]
    return list(dict.fromkeys([*best, *(name for name in wanted if name in there)]))


def wrap_chart(chart: alt.LayerChart) -> PlotData:
    """A chart for `gr.Plot`, as the Vega-Lite that Gradio brings along (5) reads it."""
    spec = chart.to_dict(validate=False)  # half the time; what is drawn is ours
    spec["$schema"] = SCHEMA
    return PlotData(type="altair", plot=json.dumps(spec))


def draw_curve(
    board: Board, suite: str, task: str, measure: str, methods: Sequence[str]
) -> tuple[PlotData, str]:
    """One measure of some methods by generation, and what it means."""
    own = [method for method in methods if method not in REFERENCES]
    results = board.references(suite, own[0] if own else board.entries[suite][0].name)
    results = results | {method: board.result(suite, method) for method in own}
    (entry,), of = list_metrics([measure]), results["nothing"].tasks[task]
    said = HTML.curve_note(entry, task, of.modality, of.generations, len(of.lineages))
    return wrap_chart(draw_generations(results, task, measure)), said


def list_measures(board: Board, suite: str, task: str) -> list[tuple[str, str]]:
    """What can be drawn of a task: titles and names, what scores are made of first."""
    result = pick_result(board, suite)
    known = list_metrics(name_measures(result, task))
    primary = result.tasks[task].primary
    return [
        (f"{e.title} (scored)" if e.name == primary else e.title, e.name)
        for e in sorted(known, key=lambda e: e.name != primary)
    ]


def pick_result(board: Board, suite: str) -> Result:
    """A result of a suite; all have the same tasks."""
    return board.result(suite, board.entries[suite][0].name)


def draw_profiles(results: dict[str, Result], methods: Sequence[str]) -> str:
    """The profile of the last generation: one table a task, entries by methods."""
    shown = list(dict.fromkeys([*methods, *REFERENCES]))
    tasks = results[shown[0]].tasks
    sheets = [summarise_profiles(results, task, shown) for task in tasks]
    return HTML.last_profiles(sheets, shown, tasks)


def draw_samples(board: Board, suite: str, task: str, methods: Sequence[str]) -> str:
    """What the methods published on a task; says so where nothing was kept."""
    shown: dict[str, Shown] = {}
    absent, damaged = [], {}
    for method in methods:
        try:
            found = load_entry_gallery(board, suite, method)
        except AutophagyError as error:
            damaged[method] = str(error).replace(f"{board.root}/", "")
            continue
        if found is None or task not in found.tasks:
            absent.append(method)
        else:
            shown[method] = found.tasks[task]
    return HTML.samples(shown, group_excerpts(shown), absent, damaged)
