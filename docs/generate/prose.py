"""Docstrings and values of the code as markdown."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from griffe import Docstring, DocstringSectionKind

ROOT = Path(__file__).parents[2]
SOURCE = "https://github.com/autophagy-bench/autophagy-bench"
LONGEST = 12  # characters of a checksum


def read_docstring(of: Any) -> tuple[str, dict[str, str]]:
    """What the docstring of `of` says, and what it says of each attribute, as markdown."""
    sections = Docstring(inspect.getdoc(of) or "").parse("google", warnings=False)
    said: list[str] = []
    attributes: dict[str, str] = {}
    for section in sections:
        if section.kind is DocstringSectionKind.text:
            said.append(escape_prose(section.value))
        elif section.kind is DocstringSectionKind.attributes:
            for entry in section.value:
                meaning = " ".join(escape_prose(entry.description).split())
                attributes |= {name.strip(): meaning for name in entry.name.split(",")}
    return "\n\n".join(said), attributes


def escape_prose(text: str) -> str:
    """`text` as prose: what stands between backticks is code, nothing else is markup."""
    parts = re.split(r"(`[^`]*`)", text)
    parts[::2] = [re.sub(r"([\\*_\[\]<>|#~])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def begin_sentence(text: str) -> str:
    """A description, such as a task's, as a sentence of prose."""
    return f"{escape_prose(text[:1].upper() + text[1:])}."


def write_table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table whose cells are markdown."""
    lines = [list(heads), *map(list, rows)]
    cells = [[re.sub(r"(?<!\\)\|", r"\\|", cell) for cell in line] for line in lines]
    cells.insert(1, ["---"] * len(cells[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def link_source(path: str, words: str | None = None) -> str:
    """A link to a file or folder of the repository, from its root.

    Raises:
        FileNotFoundError: there is no such file.
    """
    return f"[{words or f'`{path}`'}]({find_address(path)})"


def find_address(path: str) -> str:
    """Where a file or folder of the repository is shown.

    Raises:
        FileNotFoundError: there is none.
    """
    file = ROOT / path
    if not file.exists():
        raise FileNotFoundError(f"{path} is not in the repository")
    return f"{SOURCE}/{'tree' if file.is_dir() else 'blob'}/main/{path.rstrip('/')}"


def flatten_fields(value: Any, name: str = "") -> dict[str, Any]:
    """Every field of nested dataclasses, by its dotted name; classes by their names."""
    if is_dataclass(value) and not isinstance(value, type):
        parts = ((f"{name}.{field.name}", getattr(value, field.name)) for field in fields(value))
        found = {name: type(value).__name__} if name else {}
    elif isinstance(value, tuple) and any(map(is_dataclass, value)):
        parts = ((f"{name} {i}", part) for i, part in enumerate(value, 1))
        found = {}
    else:
        return {name: value}
    for part, content in parts:
        found |= flatten_fields(content, part.lstrip("."))
    return found


def write_value(value: Any) -> str:
    """A field's value for a reader."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, tuple):
        return "; ".join(
            f"({write_value(part)})" if isinstance(part, tuple) else write_value(part)
            for part in value
        )
    if value is None:
        return "-"
    text = str(value)
    if re.fullmatch("[0-9a-f]{64}", text):
        text = f"{text[:LONGEST]}..."
    return f"`{text}`"
