"""One method: its card, its curves, its profile, its samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
import pandas as pd

from benchmark.interface.access import Access
from benchmark.interface.names import REFERENCES
from benchmark.metrics.definitions import DEFINITIONS
from benchmark.results.captions import COSTS, KINDS, SCORE
from benchmark.results.rows import INAPPLICABLE, format_mean, format_score
from benchmark.results.verdicts import MEASURABLE, judge_collapse
from leaderboard.board.entries import Board, Entry
from leaderboard.board.filters import Filters
from leaderboard.board.history import describe_history
from leaderboard.board.table import make_frame
from leaderboard.page.widgets import (
    HTML,
    Choice,
    draw_curve,
    draw_profiles,
    draw_samples,
    list_measures,
    offer_methods,
    place_markup,
)

TRUST = {
    "self-reported": "nobody has checked the numbers yet",
    "re-scored": "the numbers follow from the samples and models that were sent, whoever made them",
    "measured": "one of the benchmark's own methods, run by its maintainers on the public seeds",
    "re-run": "a maintainer ran the method again on seeds that are not public, and it agrees",
}


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
        """What `draw_tab` fills, in its order."""
        return [self.above, self.curves, self.curves_note, self.samples, self.below]


def lay_out() -> Parts:
    """The tab's components, empty."""
    method = gr.Dropdown([], label="Method", elem_id="method")
    above = place_markup(elem_id="card")
    place_markup(HTML.heading("By generation", 3))
    with gr.Row():
        task = gr.Dropdown([], label="Task", min_width=150, elem_id="method-task")
        measure = gr.Dropdown([], label="Measure", min_width=150, elem_id="method-measure")
    plot = gr.Plot(show_label=False, container=False, elem_classes="picture")
    note, shown, below = place_markup(), place_markup(), place_markup(elem_id="profile")
    return Parts(method, task, measure, above, plot, note, shown, below)


def list_choices(board: Board, filters: Filters, picked: Sequence[Any]) -> list[Choice]:
    """All methods of the suite, best first; what was picked stays where it can."""
    method, task, measure = picked
    there = offer_methods(board, filters, method)
    usual = [name for name in there if name not in REFERENCES] or there
    method = method if method in there else usual[0]
    tasks = board.result(filters.suite, method).tasks
    if task not in tasks:  # another one's measure is not kept
        task, measure = next(iter(tasks)), measure if task is None else None
    measures = list_measures(board, filters.suite, task)
    known = {name for _, name in measures}
    return [
        Choice(there, method),
        Choice(list(tasks), task),
        Choice(measures, measure if measure in known else tasks[task].primary),
    ]


def draw_tab(board: Board, filters: Filters, picked: Sequence[Any]) -> list[Any]:
    """The method's page, in the order of `Parts.drawn`."""
    method, task, measure = picked
    suite, whole = filters.suite, make_frame(board, filters.suite, filters.tasks)
    results = board.references(suite, method) | {method: board.result(suite, method)}
    sheets = [judge_collapse(results, name, [method]) for name in results[method].tasks]
    above = _above(board, board.entry(suite, method), whole[whole["method"] == method].iloc[0])
    below = HTML.definitions(method, sheets, MEASURABLE, DEFINITIONS)
    return [
        above,
        *draw_curve(board, suite, task, measure, [method]),
        draw_samples(board, suite, task, list(dict.fromkeys([method, *REFERENCES]))),
        below + draw_profiles(results, [method]),
    ]


def _above(board: Board, entry: Entry, row: pd.Series) -> str:
    """What stands above the curves; `row` is the method's of `table.frame`."""
    span = "" if pd.isna(row["low"]) else f" ({row['low']:z.2f} to {row['high']:z.2f})"
    score = None if pd.isna(row["score"]) else row["score"]
    why = "where tasks do not apply" if row["partial"] else "in a suite of one seed"
    badges = [
        ("Score", format_score(score) + ("" if entry.reference else span)),
        ("Tier", f"none {why}" if pd.isna(row["tier"]) else f"{row['tier']}"),
        ("Rank", row["ranks"] or "-"),
        ("Access", entry.access_tier),
        ("Trust", entry.state.name),
    ]
    if row["warning"]:
        badges.append(("Warning", f"score {row['warning']}"))
    recoveries = [
        (task, format_mean(of), ", ".join(f"{value:z.2f}" for value in of) or INAPPLICABLE)
        for task, of in entry.recoveries.items()
    ]
    stored = board.result(entry.suite, entry.name)
    failures = [*stored.failures, *(f"{t}: {w}" for t, w in stored.inapplicable.items())]
    notes = COSTS[:-1] if entry.card else ()  # the last is of processor seconds
    return HTML.method(entry, badges, SCORE, _facts(entry), notes, recoveries, failures)


def _facts(entry: Entry) -> list[tuple[str, str]]:
    """Who made it, what it sees, how it ran; what is empty is not shown."""
    card, state, costs = entry.card, entry.state, entry.costs
    with_code = f"with {state.commit[:12]}" if state.commit else ""
    when = ", ".join(filter(None, (state.date, state.by and f"by {state.by}", with_code)))
    checked = f"{state.name}: {state.reason or TRUST.get(state.name, '')}"
    if entry.reference:
        checked = "a reference: it comes with the benchmark"
    if entry.mine:
        checked = "your own result, shown to you only"
    rows = [
        ("Verified", checked + (f" ({when})" if when else "")),
        ("History", describe_history(entry)),
        ("Scores are", f"of the re-run; its result claims {format_score(entry.claimed)}"
         if entry.claimed is not None else ""),
        ("Sees besides the crawl",
         "; ".join(KINDS[Access[name]] for name in entry.access) or "nothing (blind)"),
        ("Ran", f"on {entry.created[:10]}" + (", in a sandbox" if entry.isolated else "")),
        ("References",
         "its own run of nothing and clean" if entry.references == "own" else "frozen"),
        ("Lineages", f"{entry.lineages}, of which {entry.lost} failed"),
        ("Cost beside nothing", "" if entry.reference else entry.relative.sentence),
        ("Ledger", f"{costs.items_trained:,} items trained, {costs.items_generated:,} generated, "
                   f"{costs.forward_passes:,} scored; {costs.real_items:,} trusted real items"),
    ]  # fmt: skip
    if card is None:
        return [*rows, ("Card", "" if entry.reference else "no card was sent")]
    hyper = ", ".join(f"{name} = {value}" for name, value in card.hyper_parameters.items())
    return [
        ("Authors", ", ".join(card.authors)),
        ("Paper", HTML.link(card.paper, card.paper) if card.paper else ""),
        ("Code", HTML.link(card.code, card.code) if card.code else ""),
        ("Licence", card.licence),
        ("Hyper-parameters", hyper or "none"),
        *rows,
    ]
