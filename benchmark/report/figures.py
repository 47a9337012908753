"""Curves and samples over generations, drawn on the page and stored for papers."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.basics.errors import InputError
from benchmark.basics.output import write_output
from benchmark.results.curves import Curves
from benchmark.results.gallery import Shown
from benchmark.results.style import FAINT, GREY, INK, PAPER, Style, make_printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_BANDS = 8  # methods; with more, bands hide the lines
LEGEND_ROW = 0.16  # inches
DPI = 160
ACROSS = 4  # methods side by side in a figure of samples


@dataclass(frozen=True)
class Panel:
    """One set of axes: `curves` (seeds, T + 1) by method."""

    title: str
    label: str
    curves: Mapping[str, Curves]

    @property
    def empty(self) -> bool:
        """Whether no method has any value."""
        return all(np.isnan(values).all() for values in self.curves.values())


def draw_panels(
    panels: Sequence[Panel],
    styles: Mapping[str, Style],
    formats: Sequence[str],
    columns: int,
    size: tuple[float, float],
    legend: bool = False,
    shared: bool = False,
) -> dict[str, bytes]:
    """A figure in each of the formats; the same curves give the same bytes.

    Args:
        formats: "svg", "png", "pdf".
        columns: panels side by side.
        size: of one panel, in inches.
        legend: name the methods below the panels.
        shared: one scale for all panels.
    """
    with apply_look():
        from matplotlib.figure import Figure

        columns = columns if shared else min(columns, len(panels))
        rows = math.ceil(len(panels) / columns)
        wide = max(1, int(size[0] * columns / 1.9))
        below = LEGEND_ROW * math.ceil(len(styles) / wide) + 0.1 if legend else 0.0
        width, height = size[0] * columns, size[1] * rows + below
        figure = Figure(figsize=(width, height))
        _margins(figure, columns, rows, below, shared, any(p.label for p in panels))
        grid = figure.subplots(rows, columns, squeeze=False, sharey=shared)
        for i, axes in enumerate(grid.flat):
            if i >= len(panels):
                axes.remove()
                continue
            _panel(axes, panels[i], styles)
            if i + columns >= len(panels):
                axes.set_xlabel("generation")
        if legend:
            _legend(figure, styles, wide)
        return {form: encode_figure(figure, form) for form in formats}


@contextmanager
def use_settings(settings: Mapping[Any, object]) -> Iterator[None]:
    """matplotlib as it comes with these settings, whatever those of this machine's user are: the
    same numbers give the same bytes."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(settings)
        yield


@contextmanager
def apply_look() -> Iterator[None]:
    """Fonts and colours of the project's figures."""
    look: dict[Any, object] = {
        "svg.hashsalt": "report",
        "svg.fonttype": "none",
        "pdf.fonttype": 42,  # TrueType, which publishers take
        "text.parse_math": False,  # names are not formulas
        "font.size": 9,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": GREY,
        "axes.facecolor": PAPER,
        "figure.facecolor": PAPER,
        "savefig.facecolor": PAPER,
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 9,
        "axes.titlelocation": "left",
    }
    with use_settings(look), warnings.catch_warnings():
        # A name in a script that the font lacks is still right in the SVG.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def _margins(
    figure: Figure,
    columns: int,
    rows: int,
    below: float,
    shared: bool,
    labelled: bool,
) -> None:
    """Room for labels, in inches; fixed, for finding it anew takes as long as drawing."""
    left, right, top, bottom = 0.8 if labelled else 0.64, 0.08, 0.24, 0.46
    across, down = 0.12 if shared else left, 0.46
    width, height = figure.get_size_inches()
    wide = (width - left - right - across * (columns - 1)) / columns
    high = (height - below - top - bottom - down * (rows - 1)) / rows
    figure.subplots_adjust(
        left=left / width,
        right=1 - right / width,
        top=1 - top / height,
        bottom=(bottom + below) / height,
        wspace=across / wide,
        hspace=down / high,
    )


def _panel(axes: Axes, panel: Panel, styles: Mapping[str, Style]) -> None:
    from matplotlib.ticker import MaxNLocator

    few = len(panel.curves) <= MOST_BANDS
    for order, (method, values) in enumerate(reversed(list(panel.curves.items()))):
        style = styles[method]
        shown = ~np.isnan(values).all(axis=0)
        t = np.flatnonzero(shown)
        if len(t) == 0:
            continue
        values = values[:, shown]
        if few and len(values) > 1:
            low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
            axes.fill_between(t, low, high, color=style.colour, alpha=0.18, lw=0)
        axes.plot(
            t, np.nanmean(values, axis=0), color=style.colour, marker=style.marker or None, ms=3,
            lw=1.2 if style.marker else 1.5, zorder=2 + order / 1000 if style.marker else 2.5,
            ls=(0, style.dashes) if style.dashes else "-",
        )  # fmt: skip
        for row in values:  # a lineage that ended early
            last = np.flatnonzero(~np.isnan(row))
            if len(last) and t[last[-1]] < panel.curves[method].shape[1] - 1:
                axes.plot(t[last[-1]], row[last[-1]], "x", color=style.colour, ms=7, mew=2)
    axes.set_title(make_printable(panel.title, 34))
    axes.set_ylabel(panel.label)
    axes.grid(color=FAINT, lw=0.6)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5))


def _legend(figure: Figure, styles: Mapping[str, Style], columns: int) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [], [], color=s.colour, marker=s.marker or None, ms=4, lw=1.5,
            ls=(0, s.dashes) if s.dashes else "-",
        )
        for s in styles.values()
    ]  # fmt: skip
    # A name that begins with an underscore would be left out.
    names = [make_printable(name) for name in styles]
    names = [f"\u200b{name}" if name.startswith("_") else name for name in names]
    figure.legend(
        handles, names, loc="lower center", ncols=columns, frameon=False, fontsize=8,
        handlelength=2.2, labelspacing=0.3,
    )  # fmt: skip


def encode_figure(figure: Figure, form: str, dpi: int = DPI) -> bytes:
    """A figure as "svg", "png" or "pdf", without date and maker: the same one, the same bytes."""
    content = io.BytesIO()
    stamps = {"svg": "Date", "pdf": "CreationDate", "png": "Software"}
    stamp = {stamps[form]: None} if form in stamps else None
    figure.savefig(content, format=form, dpi=dpi, metadata=stamp)
    return content.getvalue()


def save_picture_grid(shown: Mapping[str, Shown], file: Path, title: str) -> None:
    """The pictures of each method, `ACROSS` of them side by side, one row a generation.

    Args:
        file: where to write; the ending decides the format.

    Raises:
        InputError: the file cannot be written.
    """
    from matplotlib.backend_bases import FigureCanvasBase

    form = file.suffix[1:].lower()
    if not form:
        raise InputError(f"cannot write the figure {file}: give a file such as {file}.png")
    if form not in FigureCanvasBase.get_supported_filetypes():
        raise InputError(f"cannot write the figure {file}: end its name with .png, .pdf or .svg")
    with use_settings({}):
        content = encode_figure(_draw_picture_grid(shown, title), form)
    write_output(file, content, "the figure")


def _draw_picture_grid(shown: Mapping[str, Shown], title: str) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.image import imread

    rows = max(len(of.generations) for of in shown.values())
    pictures = {method: imread(io.BytesIO(of.picture)) for method, of in shown.items()}
    widest = max(pictures.values(), key=lambda pixels: pixels.shape[1])
    height, width = widest.shape[:2]
    # Captions in a picture stay legible: it is not drawn smaller than it is.
    inches = max(3.2, width / DPI)
    across = min(max(1, int(ACROSS * 3.2 / inches)), len(shown))
    down = math.ceil(len(shown) / across)
    tall = max(0.32 * rows, inches * height / width)
    size = (inches * across + 0.8, (tall + 0.5) * down + 0.3)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(down, across, squeeze=False)
    for axis in axes.flat[len(shown) :]:
        axis.remove()
    for axis, (method, of) in zip(axes.flat, shown.items(), strict=False):
        pixels = pictures[method]
        height = pixels.shape[0] / len(of.generations)
        axis.imshow(pixels, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axis.set_title(method, fontsize=9, parse_math=False)
        axis.set_xticks([])
        axis.set_yticks([height * (i + 0.5) for i in range(len(of.generations))], of.generations)
        axis.tick_params(length=0, labelsize=8)
        for side in axis.spines.values():
            side.set_visible(False)
    for row in axes:
        row[0].set_ylabel("generation", fontsize=9)
    figure.suptitle(title, fontsize=9, parse_math=False)
    return figure
