"""The board's pictures: frames and results in, charts out; nothing is read or drawn here.

Texts from others enter as values of a field, never as an expression, a title or a format.
"""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from benchmark.results.style import GREY
from leaderboard.page.chart_parts import (
    DOTS,
    GREEN,
    SHADE,
    Records,
    colour,
    finished,
    marks,
    place,
    recovery_scale,
    scatter,
    scored,
    tips,
)

MOST_ROWS = 60  # methods in the picture of recoveries
MOST_POINTS = 500  # methods in a scatter


def forest(frame: pd.DataFrame) -> alt.LayerChart:
    """Score, interval and task means of each method; methods of one tier on one shade.

    Args:
        frame: rows as in `table.make_frame`, best first; at most `MOST_ROWS` are drawn.
    """
    frame = frame.head(MOST_ROWS)
    tasks = [c for c in frame.columns if c.startswith("recovery ")]
    rows = [scored(row) for row in frame.to_dict("records")]
    first = frame["tier"].ne(frame["tier"].shift()).fillna(True)
    for row, begins in zip(rows, first, strict=True):
        row["tier label"] = f"tier {row['tier']}" if begins and row["tier"] is not None else ""
    dots = [
        {"method": row["method"], "task": task.removeprefix("recovery "), "recovery": row[task]}
        for row in frame.to_dict("records")
        for task in tasks
    ]
    order = [row["method"] for row in rows]
    y = alt.Y("method:N", sort=order, title=None, scale=alt.Scale(padding=0))
    ends = [end for row in rows for end in (row["low"], row["high"], row["score"])]
    x = alt.X("score:Q", title="recovery", scale=recovery_scale(ends), axis=alt.Axis(tickCount=7))
    base = alt.Chart(pd.DataFrame(rows))
    tip = [alt.Tooltip("method:N"), *tips(["tier", "ranks", "score", "interval", "access"])]
    shade = base.transform_filter("datum.shaded").mark_rect(color=SHADE).encode(y=y)
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
    layers = alt.layer(shade, marks((0, 1)), task_dots, rule, point, label)
    said = "Recovery with its interval, method by method"
    return finished(layers, 26 * len(rows) + 50, said, right=48)


def cost(
    frame: pd.DataFrame, column: str, title: str, chosen: Sequence[str] = ()
) -> alt.LayerChart:
    """Score against one cost; the front holds the methods that none beats at no more cost.

    Args:
        frame: rows as in `table.make_frame`.
        column: the cost, such as "cpu_seconds".
        title: what the axis calls it.
        chosen: methods whose names are written beside them.
    """
    frame = frame.head(MOST_POINTS)
    rows = [scored(row) | {"cost": float(row[column])} for row in frame.to_dict("records")]
    colour(rows, chosen)
    best = front(frame, column)
    for row in rows:
        row["front"] = row["method"] in best
    costs = [row["cost"] for row in rows]
    steps = sorted((r for r in rows if r["front"]), key=lambda r: r["cost"])
    steps += [dict(steps[-1], cost=max(costs))] if steps else []
    place(rows, "cost")
    wide = bool(costs) and max(costs) > 20 * max(min(costs), 1)
    scale = (
        alt.Scale(type="symlog", constant=max(costs) / 100)
        if wide
        else alt.Scale(zero=False, padding=20)
    )
    axis = alt.Axis(format="~s", tickCount=5, labelOverlap=True)
    x = alt.X("cost:Q", title=title, scale=scale, axis=axis)
    y = alt.Y("score:Q", title="score", scale=recovery_scale([row["score"] for row in rows]))
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
    tip = [alt.Tooltip("method:N"), *tips(["score", "interval", "tier", "access"]),
           alt.Tooltip("cost:Q", format=",.0f")]  # fmt: skip
    return finished(
        alt.layer(marks((0, 1), across=True), stairs, ring, *scatter(base, x, y, tip)), 360,
        "Score against cost",
    )  # fmt: skip


def front(frame: pd.DataFrame, column: str) -> set[str]:
    """The methods such that none scores more for no greater cost; the oracle is out of reach."""
    rows = frame[frame["method"] != "oracle"].sort_values(
        [column, "score"], ascending=[True, False]
    )
    best = rows["score"].cummax().shift().fillna(-np.inf)
    return set(rows.loc[rows["score"] > best, "method"])


def narrowing(points: Records, chosen: Sequence[str] = ()) -> alt.LayerChart:
    """Recall against precision of the last generation.

    Args:
        points: with "method", "precision", "recall", "access" and "reference".
        chosen: methods whose names are written beside them.
    """
    rows = [dict(point) for point in points[:MOST_POINTS]]
    colour(rows, chosen)
    place(rows, "precision")
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
    return finished(alt.layer(*scatter(base, x, y, tip)), 360, "Recall against precision")


def paired(rows: Records, better: str, worse: str) -> alt.LayerChart:
    """Differences between two methods with intervals; rows: "what", "difference", "low", "high"."""
    y = alt.Y("what:N", sort=[row["what"] for row in rows], title=None)
    base = alt.Chart(pd.DataFrame(rows)).encode(y=y)
    title = "difference in recovery"
    ticks = base.mark_rule(strokeWidth=3, color="#0072b2").encode(x="low:Q", x2="high:Q")
    point = base.mark_point(filled=True, size=90, color="#0072b2", opacity=1).encode(
        x=alt.X("difference:Q", title=title, axis=alt.Axis(tickCount=6)),
        tooltip=[alt.Tooltip("what:N"),
                 *[alt.Tooltip(f"{n}:Q", format="+.3f") for n in ("difference", "low", "high")]],
    )  # fmt: skip
    layers = alt.layer(marks((0,)), ticks, point)
    return finished(layers, 34 * len(rows) + 50, f"Recovery of {better} minus that of {worse}")
