"""Samples on the page: pictures of one class and excerpts of text, by generation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmark.interface.items import Items
from benchmark.report.published import first_seed, published_beside, text_publisher
from benchmark.report.writing import file_name
from benchmark.results.gallery import COLUMNS, LABEL, MOST_ROWS
from benchmark.results.schema import Result
from benchmark.tasks.images.shown import excerpts, grid_png, save_image_grid
from benchmark.tasks.text.codec import TextPublisher

EXCERPT = 240  # characters


@dataclass(frozen=True)
class Picture:
    """Samples of one method, one row a generation."""

    method: str
    png: bytes
    generations: list[int]


@dataclass(frozen=True)
class Excerpt:
    """The beginning of one text, which all of `methods` published; empty if they had failed."""

    methods: list[str]
    text: str


@dataclass(frozen=True)
class Showing:
    """What is shown of one task.

    Attributes:
        missing: methods whose samples do not lie beside their results.

    """

    task: str
    seed: int
    pictures: list[Picture] = field(default_factory=list)
    excerpts: dict[int, list[Excerpt]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def showing(
    results: Mapping[str, tuple[Path, Result]], name: str, methods: Sequence[str], figures: Path
) -> Showing:
    """Read the samples of the first seed's lineages; images are also stored in `figures`.

    Raises:
        CorruptFile: a file of a lineage is damaged.
        InputError: the figure cannot be written.
    """
    some = next(iter(results.values()))[1]
    seed = first_seed(some, name)
    found: dict[str, dict[int, Items]] = {}
    for method in methods:
        file, result = results[method]
        if samples := published_beside(result, file, name):
            found[method] = samples
    shown = Showing(name, seed, missing=[method for method in methods if method not in found])
    if not found:
        return shown
    last = some.tasks[name].generations
    if some.tasks[name].modality == "image":
        chosen = {m: _rows(s, last) for m, s in found.items()}
        title = f"{name}, suite {some.suite}, seed {seed}: class {LABEL} by generation"
        save_image_grid(
            chosen, figures / f"{file_name('samples', name)}.png", title, COLUMNS, LABEL
        )
        shown.pictures.extend(Picture(m, *picture(s, last)) for m, s in found.items())
    else:
        publisher = text_publisher(some, name)
        begun = {m: beginnings(s, last, 3, publisher) for m, s in found.items()}
        for t in spread(last, 3):
            texts = {m: begun[m].get(t, "") for m in begun}
            shown.excerpts[t] = [
                Excerpt([m for m in texts if texts[m] == text], text)
                for text in dict.fromkeys(texts.values())
            ]
    return shown


def picture(samples: Mapping[int, Items], last: int) -> tuple[bytes, list[int]]:
    """Images by generation as one PNG, and the generations of its rows."""
    chosen = _rows(samples, last)
    return grid_png(chosen, COLUMNS, LABEL), list(chosen)


def beginnings(
    samples: Mapping[int, Items], last: int, most: int, publisher: TextPublisher
) -> dict[int, str]:
    """How the first text of each of at most `most` generations begins."""
    return {t: _beginning(samples[t], publisher) for t in spread(last, most) if t in samples}


def _rows(samples: Mapping[int, Items], last: int) -> dict[int, Items]:
    return {t: samples[t] for t in spread(last, MOST_ROWS) if t in samples}


def spread(last: int, most: int) -> list[int]:
    """At most `most` of the generations 0..`last`, both ends among them, evenly apart."""
    return sorted({round(float(t)) for t in np.linspace(0, last, min(most, last + 1))})


def _beginning(items: Items, publisher: TextPublisher) -> str:
    return excerpts(publisher.text(items.take(slice(0, 1))), EXCERPT)[0]
