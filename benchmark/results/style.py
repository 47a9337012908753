"""How methods are told apart: colours of Okabe and Ito, then markers; light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.basics.plain import clean_text
from benchmark.interface.names import REFERENCES

# On paper -> on a dark page.
PAPER, INK, FAINT, GREY = "#ffffff", "#1d2126", "#d9dce0", "#767b82"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#a8508f", "#b88600", "#3f9fd9")
DARK = {
    PAPER: "#1a1d21", INK: "#e4e6e9", FAINT: "#3c4147", GREY: "#9aa0a8",
    "#0072b2": "#4aa3e0", "#d55e00": "#ff8a3d", "#009e73": "#2cc79b",
    "#a8508f": "#dd8fc8", "#b88600": "#e6b93c", "#3f9fd9": "#8fd0f7",
}  # fmt: skip
OWN = "#d55e00"  # the colour of a previewed result, which no other then has
OWN_MARK = " (yours)"  # ends its name
MARKERS = ("o", "s", "^", "D", "v", "P")


@dataclass(frozen=True)
class Style:
    """The line of one method; `dashes` are those of an SVG stroke, in points."""

    colour: str
    marker: str = ""
    dashes: tuple[float, ...] = ()


def style_methods(methods: Sequence[str]) -> dict[str, Style]:
    """A style for each method; the two references are grey and black and have no marker, and what
    is only previewed has a colour of its own."""
    found = {}
    others = owned = 0
    own = [method for method in methods if method.endswith(OWN_MARK)]
    colours = [colour for colour in COLOURS if not own or colour != OWN]
    for method in methods:
        if method in REFERENCES:
            found[method] = (
                Style(GREY, dashes=(5, 2.5)) if method == "nothing" else Style(INK, dashes=(1.5, 2))
            )
            continue
        if method in own:
            found[method] = Style(OWN, MARKERS[owned % len(MARKERS)])
            owned += 1
            continue
        colour, turn = others % len(colours), others // len(colours)
        # Beyond the colours, another marker; on a page without markers, long dashes.
        dashes = (9.0, 3.0) if turn % 2 else ()
        found[method] = Style(colours[colour], MARKERS[turn % len(MARKERS)], dashes)
        others += 1
    return found


def add_dark_theme(svg: str) -> str:
    """The same picture, dark for a reader who prefers a dark page."""
    names = {light: f"--c{i}" for i, light in enumerate(DARK)}
    light = "".join(f"{name}:{colour};" for colour, name in names.items())
    dark = "".join(f"{name}:{DARK[colour]};" for colour, name in names.items())
    for colour, name in names.items():
        svg = svg.replace(colour, f"var({name})")
    style = f"<style>:root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}</style>"
    head = svg.index(">", svg.index("<svg")) + 1
    return svg[:head] + style + svg[head:]


def make_printable(text: str, longest: int = 28) -> str:
    """Text that a figure can show: no control characters, not too long."""
    clean = clean_text(text, "")
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"
