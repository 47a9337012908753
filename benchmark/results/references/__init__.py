"""Which `nothing` and `clean` a result is scored against: one rule for all who score.

1. The frozen ones, which come with the benchmark, where they cover the result's tasks (by hash)
   and seeds: nobody is then scored against references that he chose himself.
2. Else those that were sent with the result, in `references/SUITE/NAME/` of the results dataset,
   or that the run which wrote it left beside it; they must be comparable with it.
3. Else none: one sentence says how to run them.

Only who compares by hand results that were scored against references of their own (those of a GPU,
or of `--own-references`) may give these (`read_with_references`); others that are given are as if
they were not. `SUITE/nothing.json` and
`SUITE/clean.json` in this folder are ordinary results, written by `benchmark.runs.freeze`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path

from benchmark.basics.errors import InputError
from benchmark.interface.names import REFERENCES
from benchmark.results.schema import Result, load_result
from benchmark.results.standings import check_comparable, list_seeds

FOLDER = Path(str(resources.files("benchmark.results.references")))


def find_references(
    result: Result, *files: Path, beside: bool = True, wanted: Sequence[str] = REFERENCES
) -> dict[Path, Result]:
    """The references that score a result, the lower one first, by the file each was read from.

    Args:
        files: where the result lies, RUNS/SUITE/NAME.json or results/SUITE/NAME.json of the
            dataset, and results to be compared with it.
        beside: whether those beside it count, too: in the dataset that folder is everybody's.
        wanted: the names of those that are needed.

    Raises:
        InputError: one is not there, or was not run on the same tasks and seeds.
        CorruptFile: one is damaged.
    """
    seeds = sorted({seed for name in result.tasks for seed in list_seeds(result, name)})
    frozen = find_frozen(result.suite, {n: t.hash for n, t in result.tasks.items()}, seeds)
    if frozen:
        found = {frozen_file(result.suite, name): frozen[name] for name in wanted}
    else:
        folders = [_dataset(file) / "references" / result.suite / file.stem for file in files]
        folders += [file.parent for file in files] if beside else []
        found = {path: load_result(path) for path in _files_in(folders, wanted, result)}
    for name, (path, reference) in zip(wanted, found.items(), strict=True):
        if reference.method.name != name:
            raise InputError(
                f"{path} should be the reference {name!r}, but is a result of "
                f"{reference.method.name!r}"
            )
    check_comparable({files[0]: result} | found)
    return found


def are_frozen(suite: str, found: Mapping[Path, Result]) -> bool:
    """Whether these references, by the file each was read from, come with the benchmark."""
    return all(file == frozen_file(suite, file.stem) for file in found)


def read_with_references(files: Sequence[Path]) -> dict[Path, Result]:
    """The results in `files`, and the references of the first that stays unless they are among
    them.

    Frozen references win over those that are given, unless all other results say that they were
    scored against their own.

    Raises:
        InputError: a file is given twice or cannot be read, or a reference cannot be found.
        CorruptFile: a file is not a result.
    """
    given: dict[Path, Result] = {}
    for file in files:
        result = load_result(file)  # first: it may be no file at all
        if any(file.resolve() == other.resolve() for other in given):
            raise InputError(f"{file} is given twice: give every result once")
        given[file] = result
    given = _prefer_frozen(given)
    names = {result.method.name for result in given.values()}
    missing = [name for name in REFERENCES if name not in names]
    left = [file for file in files if file in given]
    found = find_references(given[left[0]], *left, wanted=missing) if missing else {}
    return given | found


def _prefer_frozen(given: Mapping[Path, Result]) -> dict[Path, Result]:
    """Without references that the frozen ones take the place of."""
    others = [result for result in given.values() if result.method.name not in REFERENCES]
    if not others:
        return dict(given)
    tasks = {name: task.hash for name, task in others[0].tasks.items()}
    seeds = sorted({seed for name in tasks for seed in list_seeds(others[0], name)})
    frozen = find_frozen(others[0].suite, tasks, seeds)
    own = {name for name in frozen if all(r.references.get(name) == "own" for r in others)}

    def stays(result: Result) -> bool:
        kept = frozen.get(result.method.name)
        return kept is None or result.method.name in own or result.tasks == kept.tasks

    found = {path: result for path, result in given.items() if stays(result)}
    return found | {
        frozen_file(others[0].suite, result.method.name): frozen[result.method.name]
        for path, result in given.items()
        if path not in found
    }


def find_frozen(suite: str, tasks: Mapping[str, str], seeds: Sequence[int]) -> dict[str, Result]:
    """The frozen references on just these tasks (name -> hash) and seeds, by name.

    Empty if one of the tasks, in this version, or of the seeds was not frozen: the references must
    then be run.
    """
    found = {}
    for name in REFERENCES:
        file = frozen_file(suite, name)
        part = _part(_stored(file), tasks, seeds) if file.exists() else None
        if part is None:
            return {}
        found[name] = part
    return found


def frozen_file(suite: str, name: str) -> Path:
    """Where the frozen result of a reference lies, if there is one."""
    return FOLDER / suite / f"{name}.json"


_stored = cache(load_result)  # they come with the benchmark: no file changes


def _dataset(file: Path) -> Path:
    """The folder of the dataset whose results/SUITE/NAME.json `file` is, if it is in one."""
    return file.absolute().parent.parent.parent


def _files_in(folders: Sequence[Path], wanted: Sequence[str], result: Result) -> list[Path]:
    """The files of the first folder that has all of them."""
    for folder in folders:
        paths = [folder / f"{name}.json" for name in wanted]
        if all(path.is_file() for path in paths):
            return paths
    absent = next(path for path in paths if not path.is_file())
    raise InputError(
        f"scores need the reference {absent.stem!r}, and {absent} is not there: autophagy run "
        f"{absent.stem} --suite {result.suite}, with the same --tasks, --seeds and --out"
    )


def _part(result: Result, tasks: Mapping[str, str], seeds: Sequence[int]) -> Result | None:
    kept = {}
    for name, wanted in tasks.items():
        stored = result.tasks.get(name)
        if stored is None or stored.hash != wanted:
            return None
        lineages = [lineage for lineage in stored.lineages if lineage.seed in seeds]
        if len(lineages) < len(seeds):
            return None
        kept[name] = stored.model_copy(update={"lineages": lineages})
    return result.model_copy(update={"tasks": kept})
