"""What the generations of a finished run published: read for figures and excerpts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.basics.errors import InputError
from benchmark.interface.find import Method
from benchmark.lineage.store import LineageFolder
from benchmark.results.schema import Result
from benchmark.run.jobs import plan
from benchmark.tasks.suites import load_task
from benchmark.tasks.task import Task

if TYPE_CHECKING:
    from benchmark.interface.items import Items
    from benchmark.tasks.text.codec import TextPublisher


def published(folder: Path, generations: int) -> dict[int, Items]:
    """Generation -> samples of the lineage in `folder`, as far as it went; empty if not run, or
    pruned.

    Raises:
        CorruptFile: a file of the lineage is damaged.
    """
    store = LineageFolder(folder)
    records = {t: store.record(t) for t in range(generations + 1)}
    there = [t for t, r in records.items() if r and r["status"] == "ok" and store.kept_samples(t)]
    return {t: store.samples(t) for t in there}


def published_beside(result: Result, file: Path, name: str) -> dict[int, Items]:
    """The same of the first seed's lineage on a task, in the run that wrote `file`.

    Raises:
        CorruptFile: a file of the lineage is damaged.
    """
    task = known_task(result, name)
    folder = lineage_beside(result, file, task, first_seed(result, name)) if task else None
    return published(folder, result.tasks[name].generations) if folder else {}


def first_seed(result: Result, name: str) -> int:
    """The seed whose samples are shown of a task."""
    return min(lineage.seed for lineage in result.tasks[name].lineages)


def known_task(result: Result, name: str) -> Task | None:
    """The task `name` that the result was run on, or None if this version has it not."""
    try:
        task = load_task(name, result.suite)
    except InputError:
        return None
    return task if task.hash == result.tasks[name].hash else None


def text_publisher(result: Result, name: str) -> TextPublisher:
    """What turns the items of a known text task into text.

    Raises:
        InputError: it needs a tokenizer from the Hub, which is not there.
    """
    from benchmark.tasks.text.language import LanguageModelling

    generator = load_task(name, result.suite).generator.build()
    assert isinstance(generator, LanguageModelling)
    return generator.publisher


def lineage_beside(result: Result, file: Path, task: Task, seed: int) -> Path | None:
    """The folder of a lineage in the run that wrote `file`, or None if it is not there."""
    method = Method(result.method.name, result.method.source, frozenset(), "")
    (job,) = plan([method], file.parent.name, [task], [seed], file.parent.parent)
    inside = (file.parent / "lineages").resolve()
    # Names in a result come from others: they must not lead elsewhere.
    there = job.folder.resolve().is_relative_to(inside) and job.folder.is_dir()
    return job.folder if there else None
