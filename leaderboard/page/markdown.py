"""Documents of this project as HTML that fetches nothing: figures are embedded as data."""

from __future__ import annotations

import base64
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

KINDS = {".png": "image/png", ".svg": "image/svg+xml"}
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


@lru_cache(maxsize=8)
def render_file(path: Path, changed: int) -> str:
    """The document in `path`; `changed` is when it was, so that it is read again."""
    return render_markdown(path.read_text("utf-8"), path.parent)


def render_markdown(text: str, folder: Path) -> str:
    """A document as HTML, beneath the title of the page: its own title becomes a second heading.

    Figures of `folder` are embedded; other figures, markup and links within the repository are
    words only. Tables scroll by themselves, with the keyboard, too.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(COMMENT.sub("", text))
    deeper = any(token.type == "heading_open" and token.tag == "h1" for token in tokens)
    for token in tokens:
        if token.tag in ("h1", "h2", "h3", "h4") and deeper:
            token.tag = f"h{int(token.tag[1]) + 1}"
        for child in token.children or ():
            _embed(child, folder)
    boxed = _box_wide_parts(tokens)
    rendered = str(parser.renderer.render(boxed, parser.options, {}))
    return re.sub(r"<a>(.*?)</a>", r"\1", rendered, flags=re.DOTALL)


def _embed(token: Token, folder: Path) -> None:
    """Make a figure self-contained, and a link one that a reader of the page can follow."""
    attributes: dict[str, Any] = token.attrs
    if token.type == "image":
        path = folder / str(attributes["src"])
        inside = path.resolve().is_relative_to(folder.resolve())
        kind = KINDS.get(path.suffix)
        content = path.read_bytes() if inside and kind and path.is_file() else b""
        data = base64.b64encode(content).decode()
        attributes["src"] = f"data:{kind or 'image/png'};base64,{data}"
    elif token.type == "link_open":
        address = str(attributes.get("href", ""))
        if not address.startswith(("http://", "https://")):
            del attributes["href"]
        else:
            attributes |= {"target": "_blank", "rel": "noopener noreferrer"}


def _box_wide_parts(tokens: list[Token]) -> list[Token]:
    """The same with each table and piece of code in a box that scrolls, named by its number."""
    found: list[Token] = []
    count = 0
    for token in tokens:
        whole = token.type in ("code_block", "fence")
        if whole or token.type == "table_open":
            count += 1
            what = "code" if whole else "table"
            label = f'aria-label="{what} {count}"'
            found.append(_markup(f'<div class="prose" tabindex="0" role="region" {label}>'))
        found.append(token)
        if whole or token.type == "table_close":
            found.append(_markup("</div>"))
    return found


def _markup(content: str) -> Token:
    return Token("html_block", "", 0, content=content)
