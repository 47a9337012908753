"""The board's pictures: frames and results in, charts out; nothing is read or drawn here.

Texts from others enter as values of a field, never as an expression, a title or a format.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from benchmark.interface.names import REFERENCES
from benchmark.results.style import FAINT, GREY, INK, style_methods
from leaderboard.board.table import prefer_trusted

MOST_ROWS = 60  # methods in the picture of recoveries
MOST_POINTS = 500  # methods in a scatter
SHADE = "#f1f3f5"
DOTS = "#9aa0a6"
GREEN = "#009e73"
LOWEST, HIGHEST = -1.5, 1.5  # of the axes of recovery, at the most; beyond lies at their ends
RECOVERY = "recovery (0 = no mitigation, 1 = real data only)"
ACROSS = {"cost": "score", "precision": "recall"}  # what is drawn upwards
Records = list[dict[str, Any]]


def draw_forest(frame: pd.DataFrame) -> alt.LayerChart:
    """Score, interval and task means of each method; methods of one tier on one shade.

    Args:
        frame: rows as in `table.make_frame`, best first; at most `MOST_ROWS` are drawn.
    """
    frame = frame[frame["score"].notna()].head(MOST_ROWS)
    tasks = [c for c in frame.columns if c.startswith("recovery ")]
    rows = [_scored(row) for row in frame.to_dict("records")]
    first = frame["tier"].ne(frame["tier"].shift()).fillna(True)
    for row, begins in zip(rows, first, strict=True):
        row["tier label"] = f"tier {row['tier']}" if begins and row["tier"] is not None else ""
    dots = [
        {"method": row["method"], "task": task.removeprefix("recovery "), "recovery": row[task]}
        for row in frame.to_dict("records")
        for task in tasks
        if not pd.isna(row[task])
    ]
    order = [row["method"] for row in rows]
    y = alt.Y("method:N", sort=order, title=None, scale=alt.Scale(padding=0))
    ends = [end for row in rows for end in (row["low"], row["high"], row["score"])]
    x = alt.X("score:Q", title=RECOVERY, scale=_scale(ends), axis=alt.Axis(tickCount=7))
    base = alt.Chart(pd.DataFrame(rows))
    tip = [alt.Tooltip("method:N"), *_tips(["tier", "ranks", "score", "interval", "access"])]
    shade = base.transform_filter("datum.shaded").mark_rect(color=SHADE, aria=False).encode(y=y)
    task_dots = (
        alt.Chart(pd.DataFrame(dots))
        .mark_tick(color=DOTS, thickness=2, height=9)
        .encode(
            y=y, x=alt.X("recovery:Q"),
            tooltip=[alt.Tooltip("method:N"), alt.Tooltip("task:N"),
                     alt.Tooltip("recovery:Q", format=".2f")],
        )
    )  # fmt: skip
    colour = alt.Color("colour:N", scale=None)
    rule = base.mark_rule(strokeWidth=3).encode(y=y, x="low:Q", x2="high:Q", color=colour)
    point = base.mark_point(filled=True, size=80, opacity=1).encode(
        y=y, x=x, color=colour, tooltip=tip
    )
    label = base.mark_text(align="left", dx=6, fontSize=11, color=GREY).encode(
        y=y, x=alt.value("width"), text="tier label:N"
    )
    shades = [shade] if any(row["shaded"] for row in rows) else []
    spread = [rule] if any(row["low"] is not None for row in rows) else []
    layers = alt.layer(*shades, _rules((0, 1)), task_dots, *spread, point, label)
    said = "Recovery with its interval, method by method"
    return finish_chart(layers, 26 * len(rows) + 50, said, right=48)


def draw_cost(
    frame: pd.DataFrame, column: str, title: str, chosen: Sequence[str] = ()
) -> alt.LayerChart:
    """Score against one cost; the front holds the methods that none beats at no more cost.

    Args:
        frame: rows as in `table.make_frame`.
        column: the cost, such as "cpu_seconds".
        title: what the axis calls it.
        chosen: methods whose names are written beside them.
    """
    frame = frame[frame["score"].notna()].head(MOST_POINTS)
    rows = [_scored(row) | {"cost": float(row[column])} for row in frame.to_dict("records")]
    _colour(rows, chosen)
    best = find_front(frame, column)
    for row in rows:
        row["front"] = row["method"] in best
    costs = [row["cost"] for row in rows]
    steps = sorted((r for r in rows if r["front"]), key=lambda r: r["cost"])
    steps += [dict(steps[-1], cost=max(costs))] if steps else []
    _place(rows, "cost")
    wide = bool(costs) and max(costs) > 20 * max(min(costs), 1)
    scale = (
        alt.Scale(type="symlog", constant=max(costs) / 100)
        if wide
        else alt.Scale(zero=False, padding=20)
    )
    axis = alt.Axis(format="~s", tickCount=5, labelOverlap=True)
    x = alt.X("cost:Q", title=title, scale=scale, axis=axis)
    y = alt.Y("score:Q", title="mean recovery", scale=_scale([row["score"] for row in rows]))
    base = alt.Chart(pd.DataFrame(rows))
    stairs = (
        alt.Chart(pd.DataFrame(steps))
        .mark_line(interpolate="step-after", strokeWidth=2, color=GREEN)
        .encode(x=x, y=y)
    )
    ring = (
        base.transform_filter("datum.front")
        .mark_point(size=190, color=GREEN, strokeWidth=2, filled=False, opacity=1)
        .encode(x=x, y=y)
    )
    tip = [alt.Tooltip("method:N"), *_tips(["score", "interval", "tier", "access"]),
           alt.Tooltip("cost:Q", format=",.3~g")]  # fmt: skip
    return finish_chart(
        alt.layer(_rules((0, 1), across=True), stairs, ring, *_scatter(base, x, y, tip)), 360,
        "Recovery against cost",
    )  # fmt: skip


def find_front(frame: pd.DataFrame, column: str) -> set[str]:
    """The methods such that none scores more for no greater cost, among those that maintainers
    measured or re-ran where there are any; the upper reference is no method that one could
    choose."""
    believed = prefer_trusted(frame[~frame["reference"]])["method"]
    counted = frame["method"].isin({*believed, REFERENCES[0]})
    rows = frame[counted].sort_values([column, "score"], ascending=[True, False])
    best = rows["score"].cummax().shift().fillna(-np.inf)
    return set(rows.loc[rows["score"] > best, "method"])


def draw_narrowing(points: Records, chosen: Sequence[str] = ()) -> alt.LayerChart:
    """Recall against precision of the last generation.

    Args:
        points: with "method", "precision", "recall", "access" and "reference".
        chosen: methods whose names are written beside them.
    """
    rows = [dict(point) for point in points[:MOST_POINTS]]
    _colour(rows, chosen)
    _place(rows, "precision")
    room = alt.Scale(zero=False, padding=20)
    x = alt.X(
        "precision:Q",
        title="precision: samples look real →",
        scale=room,
        axis=alt.Axis(tickCount=6),
    )
    y = alt.Y("recall:Q", title="recall: variety is kept →", scale=room, axis=alt.Axis(tickCount=6))
    tip = [alt.Tooltip("method:N"), alt.Tooltip("precision:Q", format=".3f"),
           alt.Tooltip("recall:Q", format=".3f"), alt.Tooltip("access:N")]  # fmt: skip
    base = alt.Chart(pd.DataFrame(rows))
    return finish_chart(alt.layer(*_scatter(base, x, y, tip)), 360, "Recall against precision")


def draw_pairs(rows: Records, better: str, worse: str) -> alt.LayerChart:
    """Differences between two methods with intervals; rows: "what", "difference", "low", "high"."""
    y = alt.Y("what:N", sort=[row["what"] for row in rows], title=None)
    base = alt.Chart(pd.DataFrame(rows)).encode(y=y)
    title = f"recovery of {better} minus that of {worse}"
    ticks = base.mark_rule(strokeWidth=3, color="#0072b2").encode(x="low:Q", x2="high:Q")
    point = base.mark_point(filled=True, size=90, color="#0072b2", opacity=1).encode(
        x=alt.X("difference:Q", title=title, axis=alt.Axis(tickCount=6)),
        tooltip=[alt.Tooltip("what:N"),
                 *[alt.Tooltip(f"{n}:Q", format="+.3f") for n in ("difference", "low", "high")]],
    )  # fmt: skip
    spread = [ticks] if any(row["low"] is not None for row in rows) else []
    layers = alt.layer(_rules((0,)), *spread, point)
    return finish_chart(layers, 34 * len(rows) + 50, f"Recovery of {better} minus that of {worse}")


# What they are made of: scales, marks, places of names, one look


def finish_chart(
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


def _scale(values: Sequence[float | None]) -> alt.Scale:
    """A scale that holds 0, 1 and, but for extremes, every value."""
    there = [value for value in values if value is not None]
    low, high = max(min([0.0, *there]), LOWEST), min(max([1.0, *there]), HIGHEST)
    return alt.Scale(domain=[low - 0.05, high + 0.05], clamp=True, nice=False)


def _scatter(base: alt.Chart, x: alt.X, y: alt.Y, tip: list[alt.Tooltip]) -> list[alt.Chart]:
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
        if (base.data["leftward"] == left).any()  # a layer of nothing has no scale
    ]
    return [point, *names]


def _colour(rows: Records, chosen: Sequence[str]) -> None:
    """The chosen have the colours that their lines have, and their names; the others are dots."""
    looks = style_methods(chosen)
    for row in rows:
        name = row["method"]
        named = row["reference"] or name in looks
        row["label"] = name if named else ""
        plain = GREY if row["reference"] else DOTS
        row["colour"] = looks[name].colour if name in looks else plain
    rows.sort(key=lambda row: bool(row["label"]))  # drawn last, so above the others


def _place(rows: Records, field: str) -> None:
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


def _scored(row: Mapping[str, Any]) -> dict[str, Any]:
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


def _tips(names: Sequence[str]) -> list[alt.Tooltip]:
    return [alt.Tooltip("score:Q", format=".2f") if n == "score" else alt.Tooltip(f"{n}:N")
            for n in names]  # fmt: skip


def _rules(values: Sequence[float], across: bool = False) -> alt.Chart:
    """Lines where recovery is 0 (nothing) and 1 (clean)."""
    base = alt.Chart(pd.DataFrame({"at": values}))
    rule = base.mark_rule(color=GREY, strokeDash=[3, 3])
    return rule.encode(y="at:Q") if across else rule.encode(x="at:Q")
