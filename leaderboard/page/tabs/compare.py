"""Two methods side by side, with the paired test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from benchmark.interface.names import REFERENCES
from benchmark.results.rows import format_mean
from leaderboard.board.entries import Board
from leaderboard.board.filters import ALL, Filters, choose_tasks
from leaderboard.board.pairs import Pair, compare_pair
from leaderboard.page import charts
from leaderboard.page.widgets import (
    HTML,
    Choice,
    draw_curve,
    draw_profiles,
    draw_samples,
    offer_methods,
    place_markup,
    wrap_chart,
)

COUNTS = {
    "items_trained": "Items trained on",
    "items_generated": "Items generated",
    "forward_passes": "Items scored",
    "real_items": "Trusted real items, the most in a generation (of provenance: of all crawls)",
}


@dataclass(frozen=True)
class Parts:
    """Components of the tab."""

    a: gr.Dropdown
    b: gr.Dropdown
    verdict: gr.HTML
    differences: gr.Plot
    numbers: gr.HTML
    task: gr.Dropdown
    curves: gr.Plot
    curves_note: gr.HTML
    samples: gr.HTML
    below: gr.HTML

    @property
    def controls(self) -> list[Any]:
        """What a reader chooses here."""
        return [self.a, self.b, self.task]

    @property
    def dependent(self) -> list[Any]:
        """Controls whose choices hang on others."""
        return []

    @property
    def drawn(self) -> list[Any]:
        """What `draw_tab` fills, in its order."""
        return [self.verdict, self.differences, self.numbers, self.curves, self.curves_note,
                self.samples, self.below]  # fmt: skip


def lay_out() -> Parts:
    """The tab's components, empty."""
    with gr.Row():
        a = gr.Dropdown([], label="Method A", elem_id="a", min_width=150)
        b = gr.Dropdown([], label="Method B", elem_id="b", min_width=150)
    verdict = place_markup(elem_id="verdict")
    differences = gr.Plot(show_label=False, container=False, elem_classes="picture")
    numbers = place_markup()
    task = gr.Dropdown([], label="Task", elem_id="compare-task")
    line = gr.Plot(show_label=False, container=False, elem_classes="picture")
    note, shown, below = place_markup(), place_markup(), place_markup()
    return Parts(a, b, verdict, differences, numbers, task, line, note, shown, below)


def list_choices(board: Board, filters: Filters, picked: Sequence[Any]) -> list[Choice]:
    """All methods of the suite, the best two at first; what was picked stays where it can."""
    a, b, task = picked
    there = offer_methods(board, filters, a, b)
    usual = [m for m in there if m not in REFERENCES] or there
    a = a if a in there else usual[0]
    b = b if b in there else next((m for m in usual if m != a), a)
    tasks = choose_tasks(filters.suite, filters.tasks)
    return [
        Choice(there, a),
        Choice(there, b),
        Choice(tasks, task if task in tasks else tasks[0]),
    ]


def draw_tab(board: Board, filters: Filters, picked: Sequence[Any]) -> list[Any]:
    """The comparison, in the order of `Parts.drawn`."""
    a, b, task = picked
    suite = filters.suite
    both = list(dict.fromkeys([a, b]))
    names = choose_tasks(suite, filters.tasks)
    found = compare_pair(board, suite, a, b, filters.tasks)
    each = {name: compare_pair(board, suite, a, b, name) for name in names}
    together = {"all tasks" if filters.tasks == ALL else f"{filters.tasks} tasks": found}
    shown = each if len(names) == 1 else together | each
    rows = [_row(what, of) for what, of in shown.items() if of.difference is not None]
    primary = board.result(suite, a).tasks[task].primary
    results = board.references(suite, a) | {m: board.result(suite, m) for m in both}
    sentence = "Choose two different methods." if a == b else found.sentence
    return [
        HTML.verdict(both, sentence, found.reason),
        wrap_chart(charts.draw_pairs(rows, a, b)) if rows else None,
        _numbers(board, suite, both),
        *draw_curve(board, suite, task, primary, both),
        draw_samples(board, suite, task, list(dict.fromkeys([*both, *REFERENCES]))),
        draw_profiles(results, both),
    ]  # fmt: skip


def _row(what: str, found: Pair) -> dict[str, Any]:
    low, high = found.interval or (None, None)
    return {"what": what, "difference": found.difference, "low": low, "high": high}


def _numbers(board: Board, suite: str, methods: list[str]) -> str:
    """Recoveries, costs and access, a method a column."""
    entries = [board.entry(suite, name) for name in methods]
    note = (
        "Method A minus method B, with 95% intervals. In the same tasks and seeds what they share "
        "(data, first model, references) cancels out; a re-run has seeds of its own. Each interval "
        "is for its comparison alone; the verdict above is that of the tiers, whose tests are "
        "corrected for their number."
    )
    rows: list[tuple[object, ...]] = [
        (f"Recovery, {task}", *(format_mean(entry.recoveries[task]) for entry in entries))
        for task in entries[0].recoveries
    ]
    rows.append(("Access", *(entry.access_tier for entry in entries)))
    rows.append(("Trust", *(entry.state.name for entry in entries)))
    rows.append(("Cost beside nothing", *(entry.relative.sentence for entry in entries)))
    rows += [
        (words, *(f"{getattr(entry.costs, name):,.0f}" for entry in entries))
        for name, words in COUNTS.items()
    ]
    return HTML.sentence(note, "note") + HTML.rows("", methods, rows, "numbers of both")
