"""Samples on the page: pictures of one class and excerpts of text, by generation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmark.codecs import TextPublisher
from benchmark.items import Items
from benchmark.pictures import excerpts, grid_png, save_image_grid
from benchmark.report.published import known_task, lineage_beside, published
from benchmark.report.writing import file_name
from benchmark.results import Result

LABEL = 2  # one class shows best how samples lose variety
MOST_ROWS = 6  # generations in a picture
COLUMNS = 10
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
    seed = min(lineage.seed for lineage in some.tasks[name].lineages)
    found: dict[str, dict[int, Items]] = {}
    for method in methods:
        file, result = results[method]
        task = known_task(result, name)
        folder = lineage_beside(result, file, task, seed) if task else None
        if folder and (samples := published(folder, some.tasks[name].generations)):
            found[method] = samples
    shown = Showing(name, seed, missing=[method for method in methods if method not in found])
    if not found:
        return shown
    last = some.tasks[name].generations
    if some.tasks[name].modality == "image":
        rows = spread(last, MOST_ROWS)
        chosen = {m: {t: s[t] for t in rows if t in s} for m, s in found.items()}
        title = f"{name}, suite {some.suite}, seed {seed}: class {LABEL} by generation"
        save_image_grid(
            chosen, figures / f"{file_name('samples', name)}.png", title, COLUMNS, LABEL
        )
        shown.pictures.extend(
            Picture(m, grid_png(s, COLUMNS, LABEL), list(s)) for m, s in chosen.items()
        )
    else:
        for t in spread(last, 3):
            texts = {m: _beginning(s[t]) if t in s else "" for m, s in found.items()}
            shown.excerpts[t] = [
                Excerpt([m for m in texts if texts[m] == text], text)
                for text in dict.fromkeys(texts.values())
            ]
    return shown


def spread(last: int, most: int) -> list[int]:
    """At most `most` of the generations 0..`last`, both ends among them, evenly apart."""
    return sorted({round(float(t)) for t in np.linspace(0, last, min(most, last + 1))})


def _beginning(items: Items) -> str:
    publisher = TextPublisher(items["tokens"].shape[1])
    return excerpts(publisher.text(items.take(slice(0, 1))), EXCERPT)[0]
