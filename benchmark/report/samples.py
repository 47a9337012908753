"""What the lineages of a finished run published: read from its folder, made small, shown."""

from __future__ import annotations

import importlib
import io
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.basics.errors import InputError
from benchmark.interface.find import Method
from benchmark.lineage.store import LineageFolder
from benchmark.results.gallery import Gallery, Shown, encode_picture
from benchmark.results.references import frozen_file
from benchmark.results.schema import Result
from benchmark.runs.jobs import plan
from benchmark.tasks.suites import load_task
from benchmark.tasks.task import Task

MOST_ROWS = 5  # generations; odd, so that the middle is among them


def make_gallery(result: Result, file: Path) -> Gallery:
    """What the run that wrote `file` published, read beside it, from the first seed's lineages.

    Raises:
        CorruptFile: a file of a lineage is damaged.
    """
    found = {name: show_beside(result, file, name) for name in result.tasks}
    return Gallery(tasks={name: shown for name, shown in found.items() if shown is not None})


def show_beside(result: Result, file: Path, name: str) -> Shown | None:
    """The same of one task; None if no samples lie beside `file`.

    Raises:
        CorruptFile: a file of the lineage is damaged.
    """
    task, seed = find_task(result, name), pick_seed(result, name)
    folder = find_lineage(result, file, task, seed) if task is not None else None
    return show_lineage(task, folder, seed) if task is not None and folder is not None else None


def find_gallery(result: Result, file: Path, stored: Path | None = None) -> Path | None:
    """Where pictures and excerpts lie that were sent with a result of the dataset's layout, or come
    with the frozen references; None if there are none.

    Args:
        stored: the folder that holds gallery/ of the benchmark's own results.
    """
    name, suite = result.method.name, file.absolute().parent.name
    frozen = frozen_file(suite, name).resolve() == file.resolve()
    in_dataset = file.absolute().parent.parent.name == "results"
    root = stored if frozen else file.absolute().parents[2] if in_dataset else None
    path = root / "gallery" / suite / f"{file.stem}.json" if root is not None else None
    return path if path is not None and path.is_file() else None


def show_lineage(task: Task, folder: Path, seed: int) -> Shown | None:
    """What is shown of the lineage in `folder`; None if it was not run, or pruned.

    Raises:
        CorruptFile: a file of the lineage is damaged.
        InputError: its items can be shown only with a tokenizer of the Hub, which is not there.
    """
    store = LineageFolder(folder)
    rows, texts = {}, {}
    # A modality is a folder of tasks/; what is shown of its items is said there.
    home = type(task.generator).__module__.rpartition(".")[0]
    modality = importlib.import_module(f"{home}.shown")
    publisher = cache(lambda: task.generator.build().publisher)  # type: ignore[attr-defined]
    for t in spread_generations(task.generations, MOST_ROWS):
        record = store.record(t)
        if record is None or record["status"] != "ok" or not store.kept_samples(t):
            continue
        picture, excerpts = modality.shown(store.samples(t), publisher)
        if picture is not None:
            rows[t] = picture.numpy()
        if excerpts is not None:
            texts[t] = "\n".join(excerpts)
    if not rows and not texts:
        return None
    png = encode_picture(_png(np.concatenate(list(rows.values()))), len(rows)) if rows else ""
    return Shown(seed=seed, generations=list(rows), png=png, texts=texts)


def pick_seed(result: Result, name: str) -> int:
    """The seed whose samples are shown of a task."""
    return min(lineage.seed for lineage in result.tasks[name].lineages)


def find_task(result: Result, name: str) -> Task | None:
    """The task `name` that the result was run on, or None if this version has it not."""
    try:
        task = load_task(name, result.suite)
    except InputError:
        return None
    return task if task.hash == result.tasks[name].hash else None


def find_lineage(result: Result, file: Path, task: Task, seed: int) -> Path | None:
    """The folder of a lineage in the run that wrote `file`, or None if it is not there."""
    method = Method(result.method.name, result.method.source, frozenset(), "")
    folder = file.absolute().parent
    (job,) = plan([method], folder.name, [task], [seed], folder.parent)
    inside = (folder / "lineages").resolve()
    # Names in a result come from others: they must not lead elsewhere.
    there = job.folder.resolve().is_relative_to(inside) and job.folder.is_dir()
    return job.folder if there else None


def spread_generations(last: int, most: int) -> list[int]:
    """At most `most` of the numbers 0..`last`, both ends among them, evenly apart."""
    return sorted({round(float(t)) for t in np.linspace(0, last, min(most, last + 1))})


def _png(pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    from matplotlib.image import imsave

    content = io.BytesIO()
    imsave(content, pixels, cmap="gray_r", vmin=0, vmax=255, format="png")
    return content.getvalue()
