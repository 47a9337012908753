"""What a submission sends: files by their path in the results dataset."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmark.basics.errors import CorruptFile, InputError
from benchmark.basics.files import read_tensors
from benchmark.hub.parts import Part
from benchmark.lineage.store import LineageFolder
from benchmark.report.samples import find_lineage, make_gallery
from benchmark.results.references import find_references, frozen_file
from benchmark.results.schema import GenerationResult, LineageResult, Result
from benchmark.submission.folder import Folder
from benchmark.tasks.suites import load_suite
from benchmark.tasks.task import Task


def name_samples(task: str, seed: int, generation: int) -> tuple[str, str]:
    """File names of a generation's samples and of the model that made them."""
    base, number = f"{task}-seed{seed}", f"{generation:02d}.safetensors"
    return f"{base}-samples-{number}", f"{base}-model-{number}"


def find_last_finished(lineage: LineageResult) -> int | None:
    """The last generation that published, or None if none did."""
    done = [g.generation for g in lineage.generations if g.status == "ok"]
    return done[-1] if done else None


def list_parts(folder: Folder, result: Result, file: Path, check: bool = True) -> list[Part]:
    """Everything that goes into the one commit.

    Args:
        check: read all samples and models, of which a suite has hundreds of megabytes, and draw
            the gallery; without it the gallery is not among the parts.

    Raises:
        InputError: the lineages are not beside the result, or were pruned, or differ from it.
        CorruptFile: a file of a lineage is damaged.
    """
    name, suite = result.method.name, result.suite
    parts = [Part(f"submissions/{name}/{file}", text) for file, text in folder.files.items()]
    parts.append(Part(f"results/{suite}/{name}.json", result.to_json()))
    parts += _references(result, file)
    for task in load_suite(suite).tasks:
        for lineage in result.tasks[task.name].lineages:
            parts += _samples(result, file, task, lineage, check)
    if check:
        parts.append(Part(name_gallery(result), make_gallery(result, file).to_json()))
    return parts


def name_gallery(result: Result) -> str:
    """Where pictures and excerpts of a result go."""
    return f"gallery/{result.suite}/{result.method.name}.json"


def _references(result: Result, file: Path) -> Iterator[Part]:
    """The references, where they are not those that come with the benchmark."""
    for path, reference in find_references(result, file).items():
        name = reference.method.name
        if path != frozen_file(result.suite, name):
            sent = f"references/{result.suite}/{result.method.name}/{name}.json"
            yield Part(sent, reference.to_json())


def _samples(
    result: Result, file: Path, task: Task, lineage: LineageResult, check: bool
) -> list[Part]:
    where = f"{task.name}, seed {lineage.seed}"
    there = find_lineage(result, file, task, lineage.seed)
    if there is None:
        raise InputError(
            f"the run's files of {where} are not beside {file}: submit from the folder of the run"
        )
    store = LineageFolder(there)
    for generation in lineage.generations:
        record = store.record(generation.generation)
        if record is None or not _says(
            GenerationResult.of_record(record, there), generation, result
        ):
            raise CorruptFile(
                f"{file} says of {where}, generation {generation.generation}, what its run did "
                f"not: run the method again with autophagy run"
            )
    last = find_last_finished(lineage)
    base, parts = f"samples/{result.suite}/{result.method.name}", []
    for t in range(0 if last is None else last + 1):
        own = _find_scored(there, t), there / f"model-{t:02d}.safetensors"
        if not all(path.exists() for path in own):
            raise InputError(f"the samples of {where} were pruned: delete {there} and run it again")
        names = name_samples(task.name, lineage.seed, t)
        for name, path in zip(names, own, strict=True):
            if check:
                read_tensors(path, there)  # raises if it is damaged
            parts.append(Part(f"{base}/{name}", path))
    return parts


def _says(stored: GenerationResult, generation: GenerationResult, result: Result) -> bool:
    """Whether a generation of `result` is the `stored` one; both name the machine, or one of them
    leaves it to `hardware`."""
    one, other = (
        of.model_copy(update={"machine": of.machine or result.hardware})
        for of in (stored, generation)
    )
    return one == other


def _find_scored(folder: Path, t: int) -> Path:
    """The samples that generation `t` was scored by: those without a mark, where it marks."""
    unmarked = folder / f"scored-{t:02d}.safetensors"
    return unmarked if unmarked.exists() else folder / f"samples-{t:02d}.safetensors"
