"""The measured curves over the exact ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmark.basics.errors import InputError
from benchmark.basics.output import check_output, write_output
from benchmark.report.figures import encode_figure, use_settings
from benchmark.theory.experiments import Measurement

# Panel: title, name and scale of the y axis, place of the legend.
PANELS = {
    "variance": ("Fitted variance", "E var", "log", "lower left"),
    "log variance": ("E var stays 1, a typical variance does not", "E log var", "linear", "best"),
    "drift": ("Drift of the mean, by schedule", "E mean$^2$", "log", "lower right"),
    "regression": ("Least squares on one's own labels", "risk", "linear", "best"),
    "contraction": ("What is left of a shift of the mean by 1", "E mean", "linear", "best"),
    "words": ("Unigram models", "", "linear", "best"),
    "lag": ("Lag behind a world that moves by .5", "E mean - mu", "linear", "best"),
    "pairs": ("Variance of a caption's pictures", "E var", "linear", "best"),
}


def check_writable(path: Path) -> None:
    """Find out before the work starts whether a figure can be written to `path`.

    Raises:
        InputError: an unknown kind of figure, or a path that cannot be written.
    """
    if path.suffix not in (".svg", ".png", ".pdf"):
        raise InputError(f"--plot writes .svg, .png or .pdf; got {path}")
    check_output(path, "the figure")


def draw(measurements: Sequence[Measurement], path: Path) -> None:
    """Write the figure: a panel a family, lines exact, points measured with two standard errors.

    Raises:
        InputError: `path` cannot be written.
    """
    from matplotlib.figure import Figure

    with use_settings({"svg.hashsalt": "theory", "font.size": 9}):
        figure = Figure(figsize=(15, 7), layout="constrained")
        for axes, panel in zip(figure.subplots(2, 4).flat, PANELS, strict=True):
            title, label, scale, place = PANELS[panel]
            shown = [m for m in measurements if m.quantity.panel == panel]
            for colour, m in enumerate(shown):
                t = np.arange(1, len(m.mean) + 1)
                axes.plot(t, m.quantity.exact, color=f"C{colour}", lw=1.2)
                axes.errorbar(
                    t, m.mean, 2 * m.standard_error, fmt="o", ms=3.5, lw=1, color=f"C{colour}",
                    label=m.label,
                )  # fmt: skip
            axes.set(title=title, xlabel="t (1 is the fit to real items)", ylabel=label)
            if scale == "log":
                axes.set_yscale("log", base=2)
                axes.set_ylim(bottom=axes.get_ylim()[0] / 3)  # room for the legend
                axes.yaxis.set_major_formatter("{x:.2g}")
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.grid(alpha=0.3)
            axes.legend(fontsize=7.5, frameon=False, loc=place)
        figure.suptitle(
            "Lines: closed forms. Points: measured through the loop of the real tasks, "
            "with two standard errors."
        )
        content = encode_figure(figure, path.suffix[1:], dpi=120)
    write_output(path, content, "the figure")
