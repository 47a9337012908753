"""Makes the gallery of a run: what is shown of its samples on the leaderboard."""

from __future__ import annotations

from pathlib import Path

from benchmark.report.published import first_seed, published_beside, text_publisher
from benchmark.report.showings import beginnings, picture
from benchmark.results.gallery import MOST_ROWS, Excerpts, Gallery, Pictures, encoded
from benchmark.results.schema import Result


def make_gallery(result: Result, file: Path) -> Gallery:
    """What the run that wrote `file` published, read beside it, from the first seed's lineages.

    Raises:
        CorruptFile: a file of a lineage is damaged.
    """
    tasks: dict[str, Pictures | Excerpts] = {}
    for name, task in result.tasks.items():
        samples, seed = published_beside(result, file, name), first_seed(result, name)
        if not samples:
            continue
        if task.modality == "image":
            png, generations = picture(samples, task.generations)
            tasks[name] = Pictures(seed=seed, generations=generations, png=encoded(png))
        else:
            publisher = text_publisher(result, name)
            texts = beginnings(samples, task.generations, MOST_ROWS, publisher)
            tasks[name] = Excerpts(seed=seed, texts=texts)
    return Gallery(tasks=tasks)
