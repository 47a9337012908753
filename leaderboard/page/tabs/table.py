"""The table of scores, its notes, the refused entries and the downloads."""

from __future__ import annotations

import base64
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import pandas as pd

from benchmark.results.captions import COSTS, score_captions
from benchmark.results.rows import INAPPLICABLE
from leaderboard.board.entries import Board
from leaderboard.board.filters import Filters
from leaderboard.board.table import TASK, export_frame, format_frame, make_frame, select_rows
from leaderboard.page.widgets import HTML

MOST_ROWS = 200  # sent to the browser; search and filters reach the others
WIDTHS = {
    "Tier": 64, "Method": 190, "Score": 84, "95% interval": 150, "Ranks": 84, "Access": 160,
    "Trust": 124, "Note": 200, "Authors": 220, "Paper": 90, "Code": 90, "Date": 110,
}  # fmt: skip
LONGEST = 80  # characters of the authors in a cell; the method's page names all
LINKS = ("Paper", "Code")


@dataclass(frozen=True)
class Parts:
    """Components of the tab."""

    count: gr.HTML
    table: gr.Dataframe
    opening: gr.Row
    open: gr.Button
    against: gr.Button
    csv: gr.Button
    parquet: gr.Button
    file: gr.Textbox
    row: gr.Textbox
    refused: gr.HTML


def lay_out() -> Parts:
    """The tab's components, empty."""
    count = gr.HTML(elem_id="count")
    table = gr.Dataframe(
        interactive=False, elem_id="scores", show_label=False, max_height=640,
        buttons=["fullscreen"], label="Scores",
    )  # fmt: skip
    with gr.Row(visible=False, elem_id="opening") as opening:
        open_ = gr.Button("Open", variant="primary", size="sm", min_width=140, elem_id="open")
        against = gr.Button("Compare", size="sm", min_width=140, elem_id="against")
    with gr.Row(elem_id="downloads"):
        csv = gr.Button("Download CSV", size="sm", min_width=140, elem_id="csv")
        parquet = gr.Button("Download Parquet", size="sm", min_width=140, elem_id="parquet")
    file, row = gr.Textbox(visible=False), gr.Textbox(visible=False)
    gr.HTML(HTML.columns([*score_captions(2), *COSTS]), elem_id="notes")
    refused = gr.HTML(elem_id="refused")
    return Parts(count, table, opening, open_, against, csv, parquet, file, row, refused)


def fill_table(board: Board, filters: Filters) -> tuple[Any, str]:
    """The table and the sentence above it."""
    whole = make_frame(board, filters.suite, filters.tasks)
    rows = select_rows(whole, filters)
    methods, all_methods = (int((~of["reference"]).sum()) for of in (rows, whole))
    said = f"{methods:,} of {all_methods:,} methods" if methods < all_methods else (
        f"{methods:,} method{'' if methods == 1 else 's'}"
    )  # fmt: skip
    if len(rows) > MOST_ROWS:
        said += f", the best {MOST_ROWS} rows are shown: search, filter or download for the others"
    what = {
        "all": "all tasks", "image": "the image tasks", "text": "the text tasks",
        "pair": "the tasks of pairs",
    }  # fmt: skip
    ranked = what.get(filters.tasks, filters.tasks)
    tiers = "" if rows["tier"].isna().all() else " Within a tier differences may be chance."
    sentence = f"{said}, ranked by {ranked}.{tiers} Select a row to open its method."
    page = link_cells(format_frame(rows.head(MOST_ROWS)))
    for column in page:  # a task that some method does not apply to is no number there
        if column == "Score" or TASK + column in rows:
            page[column] = _say_inapplicable(page[column])
    kinds = ["html" if c in LINKS else _kind(page[c]) for c in page]
    widths: list[str | int] = [WIDTHS.get(str(c), 152) for c in page]
    value = {"headers": list(page), "data": page.astype(object).where(page.notna(), None).values}
    value["data"] = value["data"].tolist()
    drawn = gr.Dataframe(value=value, datatype=kinds, column_widths=widths)
    return drawn, HTML.sentence(sentence)


def link_cells(page: pd.DataFrame) -> pd.DataFrame:
    """Addresses become links, nothing else is markup; lists of authors end where cells do."""
    found = page.copy()
    found["Authors"] = [a if len(a) <= LONGEST else a[: LONGEST - 1] + "…" for a in page["Authors"]]
    for column in LINKS:
        words = column.lower()
        found[column] = [HTML.link(a, words).strip() if a else "" for a in page[column]]
    return found


def pack_download(board: Board, filters: Filters, ending: str) -> str:
    """NAME;BASE64 of the selected rows, for the browser to store; all columns, full precision."""
    rows = select_rows(make_frame(board, filters.suite, filters.tasks), filters)
    with tempfile.TemporaryDirectory() as folder:
        path = export_frame(rows, Path(folder) / f"autophagy-{filters.suite}.{ending}")
        return f"{path.name};{base64.b64encode(path.read_bytes()).decode()}"


def draw_refusals(board: Board) -> str:
    """The files that are not on the board, each with its reason."""
    return HTML.refusals(board.refused)


def _say_inapplicable(column: pd.Series) -> pd.Series:
    if not column.isna().any():
        return column
    return column.astype(object).where(column.notna(), INAPPLICABLE)


def _kind(column: pd.Series) -> str:
    return "number" if pd.api.types.is_numeric_dtype(column) else "str"
