"""Draws recovery against the speed of the world."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.findings.table import Lineages, recoveries

# Methods that are drawn: by what they know.
PANELS = {
    "Memory": (
        "first crawl for ever", "all crawls, evenly", "all crawls, rate .7", "all crawls, rate .4",
        "random half",
    ),
    "Knowledge of what is real": ("oracle", "crawl and reserve"),
}  # fmt: skip


def draw(lineages: Lineages, path: Path) -> None:
    """Lines are means, points seeds; 0 is the newest crawl as it is, 1 clean data."""
    import matplotlib
    from matplotlib.figure import Figure

    speeds = sorted({speed for speed, _, _ in lineages})
    # The same numbers give the same file.
    with matplotlib.rc_context({"svg.hashsalt": "world_speed", "font.size": 9}):
        figure = Figure(figsize=(9.5, 3.8), layout="constrained")
        panels = zip(figure.subplots(1, 2, sharey=True), PANELS.items(), strict=True)
        for axes, (title, methods) in panels:
            for colour, method in enumerate(methods):
                known = {s: r for s in speeds if (r := recoveries(lineages, s, method))}
                if not known:  # not computed yet
                    continue
                points = [(s, value) for s, values in known.items() for value in values]
                means = [np.mean(values) for values in known.values()]
                # A dash shows a mean that has no neighbours, too.
                axes.plot(list(known), means, "_-", color=f"C{colour}", lw=1.3, ms=9, label=method)
                axes.plot(*zip(*points, strict=True), "o", ms=3, alpha=0.6, color=f"C{colour}")
            axes.axhline(0, color="grey", lw=0.8)
            axes.axhline(1, color="grey", lw=0.8, ls=":")
            axes.set(title=title, xlabel="degrees by which the world leans further a generation")
            axes.set_xticks(speeds)
            if axes.get_legend_handles_labels()[0]:
                axes.legend(fontsize=8, frameon=False, loc="lower left")
            axes.spines[["top", "right"]].set_visible(False)
        figure.axes[0].set_ylabel("recovery")
        figure.savefig(path, metadata={"Date": None})
