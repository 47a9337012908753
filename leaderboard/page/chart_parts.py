"""What the board's charts are made of: scales, marks, places of names, one look."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from benchmark.results.style import FAINT, GREY, INK, style_methods

SHADE = "#f1f3f5"
DOTS = "#9aa0a6"
GREEN = "#009e73"
LOWEST, HIGHEST = -1.5, 1.5  # of the axes of recovery, at the most; beyond lies at their ends
ACROSS = {"cost": "score", "precision": "recall"}  # what is drawn upwards
Records = list[dict[str, Any]]


def finished(
    chart: alt.LayerChart, height: int, description: str, right: int = 8
) -> alt.LayerChart:
    """As wide as its place, drawn as SVG so that the page's style sheet reaches its colours."""
    room = {"left": 4, "right": right, "top": 8, "bottom": 4}
    return (
        chart.properties(
            width="container", height=height, description=description, background="transparent",
            padding=room, autosize=alt.AutoSizeParams(type="fit", contains="padding"),
            usermeta={"embedOptions": {"renderer": "svg", "actions": False}},
        )
        .configure(font="system-ui, sans-serif")
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=INK, titleColor=INK, gridColor=FAINT, domainColor=GREY, tickColor=GREY,
            labelFontSize=12, titleFontSize=12, titleFontWeight="normal", labelLimit=150,
        )
        .configure_legend(
            labelColor=INK, titleColor=INK, labelFontSize=12, titleFontSize=12, orient="bottom",
            titleFontWeight="normal", labelLimit=150, columns=2, symbolStrokeWidth=2,
            symbolOpacity=1, symbolType="stroke", symbolSize=400,
        )
    )  # fmt: skip


def recovery_scale(values: Sequence[float | None]) -> alt.Scale:
    """A scale that holds 0, 1 and, but for extremes, every value."""
    there = [value for value in values if value is not None]
    low, high = max(min([0.0, *there]), LOWEST), min(max([1.0, *there]), HIGHEST)
    return alt.Scale(domain=[low - 0.05, high + 0.05], clamp=True, nice=False)


def scatter(base: alt.Chart, x: alt.X, y: alt.Y, tip: list[alt.Tooltip]) -> list[alt.Chart]:
    """Points, and the names of those that carry one."""
    point = base.mark_point(filled=True, size=70, opacity=1).encode(
        x=x, y=y, color=alt.Color("colour:N", scale=None), tooltip=tip
    )
    lifted = alt.expr("datum.shift")
    names = [
        base.transform_filter(f"datum.leftward == {str(left).lower()}")
        .mark_text(align=align, dx=dx, dy=lifted, fontSize=11, color=INK, limit=150)
        .encode(x=x, y=y, text="label:N")
        for left, align, dx in ((False, "left", 10), (True, "right", -10))
    ]
    return [point, *names]


def colour(rows: Records, chosen: Sequence[str]) -> None:
    """The chosen have the colours that their lines have, and their names; the others are dots."""
    looks = style_methods(chosen)
    for row in rows:
        name = row["method"]
        named = row["reference"] or name in looks
        row["label"] = name if named else ""
        plain = GREY if row["reference"] else DOTS
        row["colour"] = looks[name].colour if name in looks else plain
    rows.sort(key=lambda row: bool(row["label"]))  # drawn last, so above the others


def place(rows: Records, field: str) -> None:
    """Where names stand: left of points in the right half, so that none is cut off, and moved up
    or down where two would lie on one another."""
    values = [row[field] for row in rows]
    middle = (min(values) + max(values)) / 2 if values else 0
    for row in rows:
        row["leftward"], row["shift"] = row[field] > middle, 0
    named = sorted((row for row in rows if row["label"]), key=lambda row: row[ACROSS[field]])
    heights = [row[ACROSS[field]] for row in rows]
    near = 0.04 * (max(heights) - min(heights)) if rows else 0
    for below, above in itertools.pairwise(named):
        if above[ACROSS[field]] - below[ACROSS[field]] < near:
            below["shift"] += 6
            above["shift"] -= 6


def scored(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a mark needs of a row; NaN and NA become null."""
    low, high = (None if pd.isna(row[c]) else float(row[c]) for c in ("low", "high"))
    tier = None if pd.isna(row["tier"]) else int(row["tier"])
    spoken = "none" if low is None or high is None else f"{low:.2f} to {high:.2f}"
    if row["reference"]:
        spoken = "by definition"
    return {
        "method": row["method"], "tier": tier, "ranks": row["ranks"], "access": row["access"],
        "score": round(float(row["score"]), 4), "low": low, "high": high, "interval": spoken,
        "reference": bool(row["reference"]), "colour": _plain(row),
        "shaded": tier is not None and tier % 2 == 1,
    }  # fmt: skip


def _plain(row: Mapping[str, Any]) -> str:
    if row["reference"]:
        return GREY
    return "#d55e00" if row["mine"] else "#0072b2"


def tips(names: Sequence[str]) -> list[alt.Tooltip]:
    return [alt.Tooltip("score:Q", format=".2f") if n == "score" else alt.Tooltip(f"{n}:N")
            for n in names]  # fmt: skip


def marks(values: Sequence[float], across: bool = False) -> alt.Chart:
    """Lines where recovery is 0 (nothing) and 1 (oracle)."""
    base = alt.Chart(pd.DataFrame({"at": values}))
    rule = base.mark_rule(color=GREY, strokeDash=[3, 3])
    return rule.encode(y="at:Q") if across else rule.encode(x="at:Q")
