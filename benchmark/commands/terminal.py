"""What commands print: whole numbers on a narrow terminal, in a pipe and in any encoding."""

from __future__ import annotations

import codecs
import os
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any, TextIO

from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from benchmark.basics.errors import Unprinted
from benchmark.basics.plain import clean_terminal

ANY = "autophagy.any"  # name of the error handler below
PLAIN = {
    "±": "+/-", "\u2013": "-", "\u2014": "-",  # dashes
    "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"',  # quotation marks
}  # fmt: skip
VAST = 10_000  # columns


def prepare_output() -> None:
    """Have this process's output take any text: what is computed is not lost to an 8-bit locale.

    Characters that the encoding has not are written plainly. The bytes of file names that are not
    text are written as they are, so that the name can be copied.
    """
    codecs.register_error(ANY, _plainly)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever started this process
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=ANY)


class Printed:
    """Standard output, of which an error is told from one of any other file or pipe.

    Raises:
        Unprinted: by `write` and `flush`, instead of OSError.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError as error:
            raise Unprinted from error

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            raise Unprinted from error


def _plainly(error: UnicodeError) -> tuple[str | bytes, int]:
    if isinstance(error, UnicodeDecodeError):  # where what was written is read again
        return codecs.lookup_error("surrogateescape")(error)
    assert isinstance(error, UnicodeEncodeError)
    made = b""
    for character in error.object[error.start : error.end]:
        code = ord(character) - 0xDC00  # of a byte that was no text, as Python keeps it
        plain = PLAIN.get(character) or unicodedata.normalize("NFKD", character)  # é: e and accent
        named = plain.encode("ascii", "ignore") or b"?"
        made += bytes([code]) if 0x80 <= code <= 0xFF else named
    return made, error.end


class Terminal(Console):
    """A rich console to which a text is a text: neither markup nor a sign for the terminal, whoever
    wrote it. It cuts no cell: a table that does not fit is shown row by row; in a pipe or
    a file, which has no width of its own, it is as wide as it must be."""

    def __init__(self, force_terminal: bool | None = None, **options: Any) -> None:
        """As rich's, which asks `force_terminal` of the environment if it is None."""
        super().__init__(force_terminal=force_terminal, **options)
        self._forced = bool(force_terminal)

    def print(self, *objects: Any, **options: Any) -> None:
        if len(objects) == 1 and isinstance(objects[0], Table):
            self._print_table(objects[0], options)
        else:
            plain = (Text(clean_terminal(o)) if isinstance(o, str) else o for o in objects)
            super().print(*plain, **options)

    @property
    def moving(self) -> bool:
        """Whether what is printed can be drawn over: not where FORCE_COLOR alone makes a terminal
        of a file."""
        return self.is_terminal and (self._forced or self.file.isatty())

    def working(self, what: str) -> AbstractContextManager[object]:
        """Says what takes time inside the context: a spinner, and a line where none can turn."""
        if self.moving:
            return self.status(f"{what} ...", spinner="line")
        self.tell(what)
        return nullcontext()

    def tell(self, what: str) -> None:
        """Says what is being done; that nobody reads it ends nothing."""
        with suppress(Unprinted, OSError):
            self.print(what)

    def _print_table(self, sheet: Table, options: dict[str, Any]) -> None:
        wanted, sheet.min_width = sheet.min_width, None
        least = self._find_least_width(sheet)
        if least <= self.width:
            sheet.min_width = wanted and min(wanted, self.width)
            super().print(sheet, **options)
        elif self.moving or "COLUMNS" in os.environ:
            super().print(stack_table(sheet), **options)
        else:
            Console(file=self.file, width=least).print(sheet, **options)

    def _find_least_width(self, sheet: Table) -> int:
        """Columns of the terminal without which a cell would be cut. Rich counts a column by its
        longest word, even where it must not be broken between words."""
        options = self.options.update(width=VAST)
        least = Measurement.get(self, options, sheet).minimum
        for column in sheet.columns:
            if column.no_wrap:
                cells = [Measurement.get(self, options, c) for c in (column.header, *column.cells)]
                least += max(c.maximum for c in cells) - max(c.minimum for c in cells)
        return least


def stack_table(sheet: Table) -> RenderableType:
    """The rows of a table one below the other, each cell on a line of its own after its heading.

    A row of which only the first cell is filled stands for a heading of those below it.
    """
    headings = [_line(column.header, " ") for column in sheet.columns]
    width = max(map(len, headings))
    lines = [_read(sheet.title, "bold")] if sheet.title else []
    for row in zip(*(column.cells for column in sheet.columns), strict=True):
        lines += [Text(), *_stacked_row(headings, [_line(cell, ", ") for cell in row], width)]
    if sheet.caption:
        lines += [Text(), _read(sheet.caption, "italic dim")]
    return Group(*lines, Text())


def _stacked_row(headings: list[Text], cells: list[Text], width: int) -> Iterator[Text]:
    if cells[0] and not any(cells[1:]):
        yield cells[0]
        return
    for heading, cell in zip(headings, cells, strict=True):
        if cell:
            yield Text.assemble(heading, " " * (width - len(heading) + 1), cell)


def _line(cell: object, between: str) -> Text:
    """A cell as one line; `between` the lines that it had, but where a word was broken."""
    text = _read(cell)
    plain = text.plain.replace("-\n", "-").rstrip("\n").replace("\n", between)
    return text if plain == text.plain else Text(plain, text.style)


def _read(content: object, style: str = "") -> Text:
    """What is printed as it is."""
    return content if isinstance(content, Text) else Text(clean_terminal(str(content)), style)
