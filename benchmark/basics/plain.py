"""What strangers wrote: how large a number may be, which text is plain, and how each place that
text goes to wants it escaped. Needs nothing but Python, for the board as for a run."""

from __future__ import annotations

import errno
import os
import re
import stat
import unicodedata
from functools import lru_cache
from pathlib import Path

from benchmark.basics.errors import InputError
from benchmark.basics.spelling import ask_nearest_path

MOST_METRIC = 100.0  # of a metric: shares, ratios, logarithms and nats a token were below 12
MOST_WIDE = 1e12  # of another, such as a distance without logarithm: 5,000 was measured
NARROW = re.compile(
    "^log_|loss|bits|nats|entropy|kl|precision|recall|density|coverage|ratio|mass|entanglement|"
    "memorisation|distinct|repetition|histogram|share|agreement"
)  # names of metrics that are shares, ratios, logarithms or nats; every primary one is
MOST_COUNT = 2**53 - 1  # what JSON, spreadsheets and browsers keep to the last digit
REPLACED = "\N{REPLACEMENT CHARACTER}"
FORMULA = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"  # begins one in a spreadsheet, also full width


@lru_cache(maxsize=1_000)
def bound_metric(name: str) -> float:
    """The largest size that a value of the metric called `name` can have."""
    return MOST_METRIC if NARROW.search(name) else MOST_WIDE


def is_plain(text: str) -> bool:
    """Whether `text` prints as one line of what it is made of: no control, format (such as those
    that turn the direction of writing), unassigned or private character, no line separator."""
    return (text.isascii() and text.isprintable()) or not any(map(_hidden, text))


def clean_text(text: str, keep: str = "\n") -> str:
    """`text` with every character replaced that `is_plain` refuses, but those in `keep`."""
    return "".join(c if c in keep or not _hidden(c) else REPLACED for c in text)


def clean_line(text: str, longest: int) -> str:
    """`text` as one plain line of at most `longest` characters; its middle is what is left out."""
    line = " ".join(clean_text(text, "\t\n\r\v\f").split())
    if len(line) <= longest:
        return line
    head = (longest - 3) * 2 // 3
    return f"{line[:head]}...{line[len(line) - (longest - 3 - head) :]}"


def clean_terminal(text: str) -> str:
    """`text` that tells a terminal nothing but what to show. The bytes of file names that are not
    text, which Python keeps as surrogates, stay: the name can then be copied."""
    kept = (c if 0xDC80 <= ord(c) <= 0xDCFF else clean_text(c, "\n\t") for c in text)
    return "".join(kept)


def escape_markdown(text: str) -> str:
    """`text` as the cell of a table in markdown: neither a column, a link, markup nor HTML."""
    line = clean_text(text, "").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # An underscore within a word is one.
    line = re.sub(r"([\\`*\[\]|~$]|(?<![^\W_])_|_(?![^\W_]))", r"\\\1", line)
    # An address alone is a link, too: its first colon, dot or at-sign is written otherwise.
    line = re.sub(r"://", "&#58;//", line)
    return re.sub(r"(?i)\bwww\.", "www&#46;", line).replace("@", "&#64;")


def quote_code(text: str) -> str:
    """`text` in a table of markdown as code, where nothing of it is markup."""
    line = clean_text(text, "").replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    room = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{room}{line}{room}{fence}"


def defuse_cell(text: str) -> str:
    """`text` as a cell of a CSV file that no spreadsheet takes for a formula."""
    line = clean_text(text, "\n")
    # Where another separator is usual, what follows one begins a cell.
    line = re.sub(f"([;,|]\\s*)(?=[{re.escape(FORMULA)}])", r"\1'", line)
    return f"'{line}" if line.lstrip(" \u00a0\u3000'")[:1] in tuple(FORMULA) else line


def read_limited(path: Path, most: int, what: str) -> bytes:
    """The bytes of an ordinary file of at most `most`; `what` it is, for the sentences.

    Raises:
        InputError: it is larger, or cannot be read, see `read_start`.
    """
    content = read_start(path, most + 1, what)
    if len(content) > most:
        raise InputError(f"{path} has more than {most:,} bytes: it is no {what}")
    return content


def read_start(path: Path, most: int, what: str) -> bytes:
    """The first bytes of an ordinary file.

    Raises:
        InputError: it cannot be read, or is a folder, a pipe or a device.
    """
    try:
        return read_ordinary(path, most)
    except IsADirectoryError as error:
        raise InputError(
            f"cannot read the {what} {path}: it is a folder; give the files in it that are meant, "
            f"such as {path / '*'}"
        ) from error
    except OSError as error:
        near = ask_nearest_path(path) if isinstance(error, FileNotFoundError) else ""
        raise InputError(
            f"cannot read the {what} {path}{near}: {error.strerror}; give a file that is there and "
            f"that you may read"
        ) from error


def read_ordinary(path: Path, most: int = -1) -> bytes:
    """The first `most` bytes of a file, or all.

    Raises:
        OSError: it cannot be read, or is a folder, a pipe or a device, which are not waited for.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        kind = os.fstat(handle).st_mode
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(kind):
            raise OSError(errno.EINVAL, "it is not an ordinary file")
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(most)
    finally:
        os.close(handle)


def _hidden(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] == "C" or category in ("Zl", "Zp")
