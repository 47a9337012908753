"""What commands print on the terminal: the console, and tables of one look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich import box
from rich.table import Table
from rich.text import Text

from benchmark.basics.plain import clean_terminal
from benchmark.commands.terminal import Terminal

WIDTH = 78  # at least, where a caption has to fit below


class Column(NamedTuple):
    """A heading and how its cells are laid out; `word` and `number` are never broken."""

    heading: str
    right: bool = False
    whole: bool = False
    width: int | None = None


def word(heading: str) -> Column:
    """A column of names that stay on one line."""
    return Column(heading, whole=True)


def number(heading: str) -> Column:
    """A column of numbers."""
    return Column(heading, right=True, whole=True)


def sheet(
    columns: Sequence[str | Column],
    rows: Iterable[Sequence[str | Text]] = (),
    title: str = "",
    caption: str = "",
) -> Table:
    """A table; what is in it is printed as it is, never read as markup or by the terminal."""
    table = Table(
        title=Text(clean_terminal(title), "bold") if title else None,
        title_justify="left",
        caption=Text(clean_terminal(caption), "table.caption") if caption else None,
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        min_width=WIDTH if caption else None,
    )
    for column in columns:
        layout = column if isinstance(column, Column) else Column(column)
        table.add_column(
            Text(clean_terminal(layout.heading)),
            justify="right" if layout.right else "left",
            no_wrap=layout.whole,
            overflow="fold",
            width=layout.width,
        )
    for row in rows:
        table.add_row(*(Text(clean_terminal(c)) if isinstance(c, str) else c for c in row))
    return table


def open_console(stderr: bool = False) -> Terminal:
    """Where a command prints."""
    return Terminal(stderr=stderr, highlight=False)


def say(console: Terminal, sentence: str) -> None:
    """Print a sentence as it is, broken by the terminal only."""
    console.print(sentence, soft_wrap=True)
