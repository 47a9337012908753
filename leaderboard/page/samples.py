"""Samples of entries by generation, side by side, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from benchmark.basics.errors import AutophagyError, CorruptFile
from benchmark.results.gallery import LABEL, Excerpts, Gallery, Pictures, load_gallery
from leaderboard.board.entries import Board
from leaderboard.page.markup import Html, element, joined, text

Shown = Pictures | Excerpts


def samples(board: Board, suite: str, task: str, methods: Sequence[str]) -> Html:
    """What the methods published on a task; says so where nothing was kept."""
    found: dict[str, Shown] = {}
    missing: dict[str, str] = {}
    for method in methods:
        try:
            gallery = _gallery(board, suite, method)
        except AutophagyError as error:
            missing[method] = str(error).replace(f"{board.root}/", "")
            continue
        if gallery is None or task not in gallery.tasks:
            missing[method] = ""
        else:
            found[method] = gallery.tasks[task]
    pictures = {m: s for m, s in found.items() if isinstance(s, Pictures)}
    texts = {m: s for m, s in found.items() if isinstance(s, Excerpts)}
    parts = [_pictures(pictures) if pictures else "", _texts(texts) if texts else ""]
    return joined([*parts, _missing(missing)])


def _gallery(board: Board, suite: str, method: str) -> Gallery | None:
    """The gallery of an entry, or None if none was sent.

    Raises:
        CorruptFile: it is damaged.
        InputError: there is no such entry.
    """
    if board.entry(suite, method).mine:
        return None
    path = board.root / "gallery" / suite / f"{method}.json"
    return _stored(path, path.stat().st_mtime_ns) if path.is_file() else None


@lru_cache(maxsize=64)
def _stored(path: Path, changed: int) -> Gallery:
    return load_gallery(path)


def _pictures(shown: dict[str, Pictures]) -> Html:
    note = (
        f"Ten images of class {LABEL} in each row, one row a generation. If they become the same "
        f"image, variety is lost."
    )
    figures = []
    for method, picture in shown.items():
        rows = [element("li", t) for t in picture.generations]
        said = f"{method}: samples of generations {', '.join(map(str, picture.generations))}"
        image = element(
            "div",
            element("ol", *rows, **{"aria-label": "generation"}),
            Html(f'<img alt="{text(said)}" src="data:image/png;base64,{_checked(picture)}">'),
            kind="grid",
        )
        figures.append(element("figure", element("figcaption", method), image))
    return joined([element("p", note, kind="note"), element("div", *figures, kind="pictures")])


def _checked(picture: Pictures) -> str:
    """The base64 of the picture, which holds no character that ends an attribute."""
    if not picture.png.replace("+", "").replace("/", "").rstrip("=").isalnum():
        raise CorruptFile("a picture of the gallery is not base64: make the gallery again")
    return picture.png


def _texts(shown: dict[str, Excerpts]) -> Html:
    generations = sorted({t for excerpts in shown.values() for t in excerpts.texts})
    parts: list[Html] = []
    for t in generations:
        quotes = []
        for method, excerpts in shown.items():
            words = excerpts.texts.get(t)
            said = words or element("i", "No text: the lineage had failed.")
            quotes.append(element("blockquote", element("b", method), said))
        parts += [element("h4", f"Generation {t}"), element("div", *quotes, kind="texts")]
    note = "The first text that each model published. Texts begin and end within a sentence."
    return joined([element("p", note, kind="note"), *parts])


def _missing(methods: dict[str, str]) -> Html:
    if not methods:
        return Html("")
    plain = [method for method, reason in methods.items() if not reason]
    parts = [element("p", f"{m}: {reason}", kind="note") for m, reason in methods.items() if reason]
    if plain:
        said = "No samples of this task were sent with: "
        parts.insert(0, element("p", said, element("b", ", ".join(plain)), ".", kind="note"))
    return joined(parts)
