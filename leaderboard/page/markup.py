"""HTML of texts that come from others: every one passes through `text` and is nothing but text."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Html:
    """Markup that is safe to show as it is."""

    source: str

    def __str__(self) -> str:
        return self.source


def text(value: object) -> Html:
    """`value` as a reader sees it: escaped, without control characters; `Html` stays."""
    if isinstance(value, Html):
        return value
    plain = "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in str(value))
    return Html(html.escape(plain))


def element(tag: str, *content: object, **attributes: str) -> Html:
    """`<tag class=...>content</tag>`; `kind` is the class, and contents are escaped."""
    attributes = {("class" if n == "kind" else n): v for n, v in attributes.items()}
    inside = "".join(f' {n}="{html.escape(v)}"' for n, v in attributes.items())
    return Html(f"<{tag}{inside}>{joined(content)}</{tag}>")


def joined(parts: Iterable[object], between: str = "") -> Html:
    """The parts one after the other, each escaped."""
    return Html(between.join(str(text(part)) for part in parts))


def link(address: str, words: str) -> Html:
    """A link that a card gave; its words alone if it is not one of the web."""
    if urlsplit(address).scheme not in ("http", "https"):
        return text(words)
    return element("a", words, href=address, target="_blank", rel="noopener noreferrer nofollow")


def table(headings: Sequence[object], rows: Iterable[Sequence[object]], kind: str = "") -> Html:
    """A table that scrolls by itself where it is too wide; first cells head their rows."""
    head = element("tr", *(element("th", h, scope="col") for h in headings))
    body = [
        element("tr", element("th", row[0], scope="row"), *(element("td", c) for c in row[1:]))
        for row in rows
    ]
    inside = element("table", element("thead", head), element("tbody", *body), kind=kind)
    return Html(f'<div class="wide" tabindex="0" role="region" aria-label="table">{inside}</div>')


def facts(pairs: Iterable[tuple[str, object]]) -> Html:
    """A list of names and what they are; pairs without a value are left out."""
    rows = [(name, value) for name, value in pairs if str(value)]
    words = (joined([element("dt", n), element("dd", v)]) for n, v in rows)
    return element("dl", *words, kind="facts")
