"""The table of scores, its notes, the refused entries and the downloads."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
import pandas as pd

from benchmark.results.captions import score_captions
from benchmark.results.html import load_template
from benchmark.submission.trust import TRUSTED
from benchmark.tasks.suites import load_suite
from leaderboard.board.citations import make_bibtex
from leaderboard.board.entries import Board
from leaderboard.board.filters import ALL, QUESTIONS, Filters
from leaderboard.board.predictions import predict_main
from leaderboard.board.table import (
    TASK,
    count_seeds,
    describe_row,
    export_frame,
    make_frame,
    order_rows,
    say_seeds,
    select_rows,
)
from leaderboard.board.views import View
from leaderboard.page.widgets import HTML, KINDS_FIRST, place_markup

SCORES: Any = load_template(Path(__file__).parents[1] / "scores.html").module  # its macros
MOST_ROWS = 200  # sent to the browser; search and filters reach the others
LONGEST = 60  # characters of the authors in a cell; the method's page names all
LINKS = ("paper", "code")
COSTS = (
    "Cost beside nothing: from the ledger, over the same generations of the same lineages. "
    "Training: items shown to the optimiser. Samples: items generated, published or for itself. "
    "Scored: items that the method scored or embedded for itself, for each one that nothing "
    "publishes. Trusted: real items shown to the method, the most in any generation; "
    "of provenance, the real items of all crawls so far."
)
ABOUT = {
    "stress": "Each task is the standard one with one thing changed: laundered output, others who "
    "mark, a biased reserve, kept prompts, a world that stands still or moves fast. A method "
    "breaks where its bar falls short of what it recovers elsewhere; but the lineages of each task "
    "are drawn anew, with 3 seeds, so that differences within the spread of seeds are chance. "
    "Adoption shows what a common standard is worth to methods that mark, and leaves others as "
    "they are.",
    "closed": "The literature's loop: every generation is trained on the last one's output only, "
    "in a world that stands still. Here keeping the first crawl is as good as clean data, which "
    "is why it is not the standard suite: compare with papers, not with methods.",
}


@dataclass(frozen=True)
class Parts:
    """Components of the tab."""

    question: gr.HTML
    count: gr.HTML
    scores: gr.HTML
    below: gr.Column
    csv: gr.Button
    parquet: gr.Button
    bib: gr.Button
    file: gr.Textbox
    refused: gr.HTML

    @property
    def drawn(self) -> list[Any]:
        """What `draw_tab` fills, in its order."""
        return [self.question, self.count, self.scores, self.below, self.refused]


def lay_out() -> Parts:
    """The tab's components, empty."""
    question = place_markup(elem_id="question")
    count = place_markup(elem_id="count")
    scores = place_markup(elem_id="scores")
    with gr.Column() as below:
        with gr.Row(elem_id="downloads"):
            csv = gr.Button("Download CSV", size="sm", min_width=140, elem_id="csv")
            parquet = gr.Button("Download Parquet", size="sm", min_width=140, elem_id="parquet")
            bib = gr.Button("Cite (BibTeX)", size="sm", min_width=140, elem_id="bib")
        place_markup(HTML.columns([*score_captions(2), COSTS]), elem_id="notes")
    file = gr.Textbox(visible=False)
    refused = place_markup(elem_id="refused")
    return Parts(question, count, scores, below, csv, parquet, bib, file, refused)


def draw_tab(board: Board, view: View) -> list[Any]:
    """The table and what stands around it, in the order of `Parts.drawn`."""
    filters = view.filters
    if view.tab in QUESTIONS and view.tab not in board.entries:
        said = HTML.question(QUESTIONS[view.tab], ABOUT[view.tab], view.tab, _list_tasks(view.tab))
        return [said, HTML.missing(view.tab), "", gr.Column(visible=False), ""]
    question = ""
    if view.tab in QUESTIONS:
        tasks = _list_tasks(view.tab)
        question = HTML.question(QUESTIONS[view.tab], ABOUT[view.tab], view.tab, tasks)
    predicted = predict_main(board, filters.suite)
    whole = make_frame(board, filters.suite, filters.tasks)
    rows = select_rows(whole, filters)
    count = HTML.count(_say_count(whole, rows, filters), predicted)
    refused = HTML.refusals(board.refused)
    return [question, count, draw_scores(rows, filters), gr.Column(visible=True), refused]


def draw_scores(rows: pd.DataFrame, filters: Filters) -> str:
    """The table; where no method passes the filters, how to get back, above the references."""
    few = order_rows(rows, filters.sort)
    few = pd.concat([few[few["mine"]], few[~few["mine"]]]).head(MOST_ROWS)  # one's own is pinned
    tasks = [str(c) for c in rows if str(c).startswith(TASK)]
    tiers = bool(rows["tier"].notna().any())
    columns = list(_list_columns(filters, tasks, tiers))
    shown = [_row(row, tasks, filters.suite) for row in few.to_dict("records")]
    caption = f"Scores of suite {filters.suite}"
    table = SCORES.table(columns, shown, caption, tiers) if shown else ""
    if bool((~rows["reference"]).any()):
        return str(table)
    everything = View(Filters(filters.suite, filters.tasks, sort=filters.sort)).address
    return str(SCORES.empty(_say_filters(filters), everything)) + str(table)


def pack_download(board: Board, filters: Filters, ending: str) -> str:
    """NAME;BASE64 of the selected rows, for the browser to store; all columns, full precision, or
    for "bib" the papers of their methods."""
    rows = select_rows(make_frame(board, filters.suite, filters.tasks), filters)
    if ending == "bib":
        cited = make_bibtex(board.entry(filters.suite, name) for name in rows["method"])
        return f"autophagy-{filters.suite}.bib;{base64.b64encode(cited.encode()).decode()}"
    with tempfile.TemporaryDirectory() as folder:
        path = export_frame(rows, Path(folder) / f"autophagy-{filters.suite}.{ending}")
        return f"{path.name};{base64.b64encode(path.read_bytes()).decode()}"


def _list_tasks(suite: str) -> list[tuple[str, str]]:
    return [(task.name, task.description) for task in load_suite(suite).tasks]


def _say_count(whole: pd.DataFrame, rows: pd.DataFrame, filters: Filters) -> str:
    """The sentence above the table."""
    methods, all_methods = (int((~of["reference"]).sum()) for of in (rows, whole))
    said = f"{methods:,} of {all_methods:,} methods" if methods < all_methods else (
        f"{methods:,} method{'' if methods == 1 else 's'}"
    )  # fmt: skip
    if len(rows) > MOST_ROWS:
        said += f", the first {MOST_ROWS} rows are shown: search, filter or download for the others"
    what = {
        ALL: "all tasks", "image": "the image tasks", "text": "the text tasks",
        "pair": "the tasks of pairs",
    }  # fmt: skip
    ranked = what.get(filters.tasks, filters.tasks)
    counts = set(count_seeds(rows))
    tiers = " Within a tier differences may be chance." if rows["tier"].notna().any() else ""
    if tiers and not (whole["trust"].isin(TRUSTED) & ~whole["reference"]).any():
        tiers = " Maintainers have measured none of them yet: only the references make tiers."
    one = f": no interval{'' if counts == {1} else ' with one'}, no tiers"
    n = say_seeds(counts) + (one if 1 in counts else "")
    return f"{said}, ranked by {ranked}; {n}.{tiers}"


def _say_filters(filters: Filters) -> str:
    parts = [
        f"access: {', '.join(filters.access)}" if filters.access else "",
        f"trust: {', '.join(filters.trust)}" if filters.trust else "",
        f"search: {filters.search}" if filters.search else "",
    ]
    return "; ".join(filter(None, parts))


def _list_columns(filters: Filters, tasks: list[str], tiers: bool) -> Iterator[dict[str, str]]:
    """The headers, of tiers where there are some: each leads to the table sorted by it, and when
    it is, to the other way round."""
    titles = [("method", "Method", "", "name"), *([("tier", "Tier", "", "tier")] if tiers else []),
              ("score", "Score", "recovery", "bar")]  # fmt: skip
    titles += [(t.removeprefix(TASK), t.removeprefix(TASK), "recovery", "bar") for t in tasks]
    titles += [("access", "Access", "needs", "word"), ("trust", "Trust", "", "word"),
               ("training", "Training", "to nothing", "cost"),
               ("samples", "Samples", "to nothing", "cost"),
               ("scored", "Scored", "a sample", "cost"),
               ("real", "Trusted", "real items", "cost"),
               ("", "Authors", "", "word"), ("", "Links", "", "word"),
               ("date", "Date", "", "word")]  # fmt: skip
    now = filters.sort or "score"
    for name, title, unit, kind in titles:
        turned = f"-{name}" if now == name else name
        address = View(replace(filters, sort="" if turned == "score" else turned)).address
        rising = (name in KINDS_FIRST) != now.startswith("-")
        order = "ascending" if rising else "descending"
        yield {
            "name": name, "title": title, "unit": unit, "kind": kind,
            "address": address if name else "",
            "sorted": order if name and now.removeprefix("-") == name else "",
        }  # fmt: skip


def _row(row: dict[Hashable, Any], tasks: list[str], suite: str) -> dict[str, Any]:
    """A row as the template shows it; every text of others is escaped there."""
    name, authors = row["method"], row["authors"]
    spread = "" if pd.isna(row["low"]) else f"{row['low']:z.2f} to {row['high']:z.2f}"
    tier = "" if pd.isna(row["tier"]) else str(row["tier"])
    kind = "reference" if row["reference"] else "mine" if row["mine"] else ""
    return {
        "method": name,
        "address": View(Filters(suite), "method", {"method": name}).address,
        "kind": kind,
        "note": "by definition" if row["reference"] else describe_row(row),
        "tier": tier,
        "ranks": row["ranks"],
        "score": _number(row["score"]),
        "interval": "" if row["reference"] else spread,
        "tasks": [_number(row[task]) for task in tasks],
        "access": "-" if row["reference"] else row["access"],
        "trust": "reference" if row["reference"] else row["trust"],
        "costs": _say_costs(row),
        "authors": authors if len(authors) <= LONGEST else authors[: LONGEST - 1] + "…",
        "links": [(row[c], c) for c in LINKS if _is_address(row[c])],
        "date": row["date"],
    }


def _say_costs(row: dict[Hashable, Any]) -> list[str]:
    times = "\N{MULTIPLICATION SIGN}"
    training, samples, scored = row["training"], row["samples"], row["scored"]
    return [
        f"{training - 1:+.0%}".replace("-0%", "+0%"),
        f"{samples:.2f} {times}",
        f"{scored:.2f}" if scored else "0",
        f"{row['real_items']:,}",
    ]


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _is_address(text: str) -> bool:
    return text.lower().startswith(("http://", "https://"))
