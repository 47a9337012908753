"""The chart of one measure against the generation."""

from __future__ import annotations

import json
from collections.abc import Mapping

import altair as alt
import numpy as np
import pandas as pd

from benchmark.interface.names import REFERENCES
from benchmark.metrics.meanings import list_metrics
from benchmark.results.curves import gather_curves
from benchmark.results.schema import Result
from benchmark.results.style import style_methods
from leaderboard.page.charts import finish_chart


def draw_generations(results: Mapping[str, Result], task: str, entry: str) -> alt.LayerChart:
    """What is called `entry` against the generation: means as lines, least and most as bands.

    The references are drawn on top: no line hides what all are measured against.
    """
    names = sorted(results, key=lambda name: name not in REFERENCES)
    looks, rows, ended = style_methods(names), [], []
    for name in names:
        values = gather_curves(results[name], task, entry)
        for t in np.flatnonzero(~np.isnan(values).all(axis=0)):
            seen = values[:, t][~np.isnan(values[:, t])]
            rows.append(
                {"method": name, "generation": int(t), "mean": float(seen.mean()),
                 "low": float(seen.min()), "high": float(seen.max()), "seeds": len(seen)}
            )  # fmt: skip
        ended += [{"method": name, **end} for end in _ends(values)]
    (metric,) = list_metrics([entry])
    title = f"{metric.title} ({metric.good})" if metric.good else metric.title
    colours = alt.Scale(domain=names, range=[looks[n].colour for n in names])
    dashes = alt.Scale(domain=names, range=[list(looks[n].dashes) or [1, 0] for n in names])
    every = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("generation:Q", title="generation", axis=alt.Axis(tickMinStep=1, format="d")),
        color=alt.Color("method:N", scale=colours, sort=names, title=None),
    )
    dash = alt.StrokeDash("method:N", scale=dashes, sort=names, title=None)
    place = f"indexof({json.dumps(REFERENCES)}, datum.method)"
    layers = []
    for which in (f"{place} == -1", f"{place} != -1"):
        layers += _draw_lines(every.transform_filter(which), title, dash)
    if ended:
        crosses = alt.Chart(pd.DataFrame(ended)).mark_point(
            shape="cross", size=110, filled=True, angle=45, opacity=1
        )
        colour = alt.Color("method:N", scale=colours)
        layers.append(crosses.encode(x="generation:Q", y="value:Q", color=colour))
    legend = 24 * ((len(names) + 1) // 2)
    return finish_chart(alt.layer(*layers), 320 + legend, f"{title} against generation")


def _draw_lines(base: alt.Chart, title: str, dash: alt.StrokeDash) -> list[alt.Chart]:
    """Bands, lines and points of some methods."""
    scale = alt.Scale(zero=False)
    band = base.mark_area(opacity=0.16).encode(
        y=alt.Y("low:Q", scale=scale, title=title), y2="high:Q"
    )
    line = base.mark_line(strokeWidth=2).encode(y=alt.Y("mean:Q", scale=scale), strokeDash=dash)
    dot = base.mark_point(filled=True, size=36, opacity=1).encode(
        y=alt.Y("mean:Q", scale=scale),
        tooltip=[alt.Tooltip("method:N"), alt.Tooltip("generation:Q"),
                 *[alt.Tooltip(f"{n}:Q", format=".3g") for n in ("mean", "low", "high")],
                 alt.Tooltip("seeds:Q")],
    )  # fmt: skip
    return [band, line, dot]


def _ends(values: np.ndarray) -> list[dict[str, float]]:
    """Where lineages end before the last generation: (seeds, T + 1) -> their last values."""
    found = []
    for row in values:
        there = np.flatnonzero(~np.isnan(row))
        if len(there) and there[-1] < len(row) - 1:
            found.append({"generation": int(there[-1]), "value": float(row[there[-1]])})
    return found
