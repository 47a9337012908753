"""Makes HTML from templates: what is not a template's own is escaped and nothing but text."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.basics.plain import clean_text

if TYPE_CHECKING:
    from jinja2 import Template

SHARED = Path(__file__).parent  # holds shared.html, which the report and the board import


@lru_cache(maxsize=8)
def load_template(file: Path) -> Template:
    """The template in `file`, which may import "shared.html"."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader([file.parent, SHARED]),
        autoescape=True,  # names, messages and texts come from others
        finalize=_plain,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template(file.name)


def _plain(value: Any) -> Any:
    """`value`, without the control characters of a text; markup stays."""
    if not isinstance(value, str) or value.isprintable() or hasattr(value, "__html__"):
        return value
    return clean_text(value)
