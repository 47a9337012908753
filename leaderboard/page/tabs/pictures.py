"""Pictures of a suite: recoveries, curves, costs, narrowing, samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np
import pandas as pd

from benchmark.interface.names import REFERENCES
from benchmark.results.curves import gather_curves
from benchmark.tasks.suites import load_suite
from leaderboard.board.entries import Board
from leaderboard.board.filters import ALL, Filters, choose_tasks
from leaderboard.board.table import count_seeds, make_frame, say_seeds, select_rows
from leaderboard.page import charts
from leaderboard.page.charts import LOWEST, Records
from leaderboard.page.widgets import (
    HTML,
    MOST_CHOSEN,
    MOST_OFFERED,
    Choice,
    draw_curve,
    draw_samples,
    list_measures,
    list_methods,
    pick_result,
    place_markup,
    wrap_chart,
)

COSTS = {
    "samples": "samples drawn, beside nothing (1 = as many)",
    "training": "items trained on, beside nothing (1 = as many)",
    "scored": "items scored, for each that nothing publishes",
    "real_items": "trusted real items, the most in a generation",
    "cpu_seconds": "processor seconds (of machines that differ)",
}
_COSTS = [(words.partition(",")[0].partition(" (")[0], name) for name, words in COSTS.items()]
COST_NOTE = (
    "Ringed, on the green line: of the methods that maintainers measured or re-ran, none scores "
    "more at no greater cost (the reference clean apart). Costs are of all tasks and seeds that a "
    "method ran on, from the ledger; trusted are, of provenance, the real items of all crawls so "
    "far. Up: mean recovery, the share of the avoidable loss that was avoided. Methods that do not "
    "apply to all of these tasks are left out."
)
MOST_READ = 60  # results opened for the picture of recall and precision


@dataclass(frozen=True)
class Parts:
    """Components of the tab."""

    methods: gr.Dropdown
    task: gr.Dropdown
    measure: gr.Dropdown
    cost: gr.Dropdown
    forest: gr.Plot
    forest_note: gr.HTML
    curves: gr.Plot
    curves_note: gr.HTML
    costs: gr.Plot
    narrowing: gr.Plot
    narrowing_note: gr.HTML
    samples: gr.HTML

    @property
    def controls(self) -> list[Any]:
        """What a reader chooses here."""
        return [self.methods, self.task, self.measure, self.cost]

    @property
    def dependent(self) -> list[Any]:
        """Controls whose choices hang on others: the measure follows the task."""
        return [self.measure]

    @property
    def drawn(self) -> list[Any]:
        """What `draw_tab` fills, in its order."""
        return [self.forest, self.forest_note, self.curves, self.curves_note, self.costs,
                self.narrowing, self.narrowing_note, self.samples]  # fmt: skip


def lay_out() -> Parts:
    """The tab's components, empty."""
    place_markup(HTML.heading("Recovery by method"))
    forest, forest_note = _plot("forest"), place_markup()
    with gr.Row():
        methods = gr.Dropdown(
            [], value=None, multiselect=True, max_choices=MOST_CHOSEN, elem_id="coloured", scale=2,
            label=f"Methods in colour (up to {MOST_CHOSEN})", min_width=280,
        )  # fmt: skip
        task = gr.Dropdown([], label="Task", min_width=150, elem_id="task")
        measure = gr.Dropdown([], label="Measure", min_width=150, elem_id="measure")
        cost = gr.Dropdown(_COSTS, value=next(iter(COSTS)), label="Cost",
                           min_width=150, elem_id="cost")  # fmt: skip
    place_markup(HTML.heading("Measure by generation"))
    line, line_note = _plot("curves"), place_markup()
    with gr.Row():
        with gr.Column(min_width=320):
            place_markup(HTML.heading("Score against cost"))
            costs = _plot("costs")
            place_markup(HTML.sentence(COST_NOTE, "note"))
        with gr.Column(min_width=320):
            place_markup(HTML.heading("Recall against precision"))
            narrowing, narrowing_note = _plot("narrowing"), place_markup()
    place_markup(HTML.heading("Samples by generation"))
    shown = place_markup(elem_id="samples")
    return Parts(methods, task, measure, cost, forest, forest_note, line, line_note, costs,
                 narrowing, narrowing_note, shown)  # fmt: skip


def _plot(name: str) -> gr.Plot:
    return gr.Plot(show_label=False, container=False, elem_id=name, elem_classes="picture")


def list_choices(board: Board, filters: Filters, picked: Sequence[Any]) -> list[Choice]:
    """The controls' choices under some filters; what was picked stays where it can."""
    methods, task, measure, cost = picked
    there = list_methods(board, filters)[:MOST_OFFERED]
    kept = _unlike(board, filters, there) if methods is None else methods
    kept = [method for method in kept if method in there][:MOST_CHOSEN]
    tasks = choose_tasks(filters.suite, filters.tasks)
    if task not in tasks:  # another one's measure is not kept
        task, measure = tasks[0], measure if task is None else None
    measures = list_measures(board, filters.suite, task)
    known = {name for _, name in measures}
    primary = pick_result(board, filters.suite).tasks[task].primary
    return [
        Choice(there, kept),
        Choice(tasks, task),
        Choice(measures, measure if measure in known else primary),
        Choice(_COSTS, cost if cost in COSTS else next(iter(COSTS))),
    ]


def _unlike(board: Board, filters: Filters, there: list[str], most: int = 4) -> list[str]:
    """The best of each access tier: the first methods are often variants of one idea."""
    access = make_frame(board, filters.suite, filters.tasks).set_index("method")["access"]
    return list(access.reindex(there).drop_duplicates().index[:most])


def draw_tab(board: Board, filters: Filters, picked: Sequence[Any]) -> list[Any]:
    """All pictures, in the order of `Parts.drawn`."""
    methods, task, measure, cost = picked
    rows = select_rows(make_frame(board, filters.suite, filters.tasks), filters)
    images = [
        n for n, t in pick_result(board, filters.suite).tasks.items() if t.modality == "image"
    ]  # fmt: skip
    image = task if task in images else next(iter(images), None)
    both = [*(m for m in REFERENCES if m in set(rows["method"])), *methods]
    whole = rows[~rows["partial"]]  # a mean over fewer tasks is another score
    some = not rows.empty and bool(rows["score"].notna().any())
    points = _ends(board, filters.suite, image, rows, methods) if image and some else []
    return [
        wrap_chart(charts.draw_forest(rows)) if some else None,
        _forest_note(rows, filters),
        *draw_curve(board, filters.suite, task, measure, methods),
        wrap_chart(charts.draw_cost(whole, cost, COSTS[cost], methods)) if some else None,
        wrap_chart(charts.draw_narrowing(points, methods)) if points else None,
        _narrowing_note(image, len(rows), len(load_suite(filters.suite).seeds)),
        draw_samples(board, filters.suite, task, both),
    ]


def _ends(
    board: Board, suite: str, task: str, rows: pd.DataFrame, chosen: Sequence[str]
) -> Records:
    """Precision and recall of the last generation, of the best methods and the chosen ones."""
    first = rows["reference"] | rows["method"].isin(chosen)
    read = pd.concat([rows[first], rows[~first].head(MOST_READ)])
    points = []
    for row in read.to_dict("records"):
        result = board.result(suite, row["method"])
        ends = {n: gather_curves(result, task, n)[:, -1] for n in ("precision", "recall")}
        if all(not np.isnan(values).all() for values in ends.values()):
            means = {name: float(np.nanmean(values)) for name, values in ends.items()}
            points.append({k: row[k] for k in ("method", "access", "reference")} | means)
    return points


def _forest_note(rows: pd.DataFrame, filters: Filters) -> str:
    if rows.empty:
        return HTML.sentence("No method passes the filters.")
    tasks = "" if filters.tasks == ALL else f" of {filters.tasks}"
    counts = set(count_seeds(rows))
    spread = f"with 95% intervals over {say_seeds(counts)}"
    if 1 in counts:
        spread = f"{say_seeds(counts)}, no interval{'' if counts == {1} else ' with one'}"
    said = f"Points: mean recovery{tasks}, {spread}; small marks: each task."
    if rows["tier"].notna().any():
        said += " One shade, one tier: differences within it may be chance."
    said += " Dashed: 0 = no mitigation, 1 = real data only."
    if len(rows) > charts.MOST_ROWS:
        said += f" The best {charts.MOST_ROWS} of {len(rows):,} are drawn."
    if rows["partial"].any():
        said += " Last: methods that do not apply to all of them, by the mean over the others."
    if rows["low"].fillna(0).min() < LOWEST:
        said += " Values beyond the axis lie at its end."
    return HTML.sentence(said, "note")


def _narrowing_note(task: str | None, methods: int, seeds: int) -> str:
    if task is None:
        return HTML.sentence("This suite has no image task.", "note")
    over = f"n = {seeds} seed{'' if seeds == 1 else 's'}"
    said = (
        f"Last generation of {task}, mean over {over}. Across: precision, "
        "the share of samples that look real. Up: recall, the share of real items that "
        "samples resemble. Collapse often keeps precision and loses recall."
    )
    if methods > MOST_READ:
        said += f" The best {MOST_READ} methods."
    return HTML.sentence(said, "note")
