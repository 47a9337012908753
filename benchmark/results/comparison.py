"""The results that are to be compared: some files, and the references they are scored against."""

from __future__ import annotations

from pathlib import Path

from benchmark.basics.errors import InputError
from benchmark.interface.names import REFERENCES
from benchmark.results.references import file_of, frozen
from benchmark.results.schema import Result, load_result
from benchmark.results.standings import seeds_of


def read(files: list[Path]) -> dict[Path, Result]:
    """The given results, and the references beside them or else those of the benchmark.

    Raises:
        InputError: a file is given twice or cannot be read, or a reference is neither given nor
            beside the files nor frozen for these tasks and seeds.
        CorruptFile: a file is not a result.
    """
    given: dict[Path, Result] = {}
    for file in files:
        if any(file.resolve() == other.resolve() for other in given):
            raise InputError(f"{file} is given twice: give every result once")
        given[file] = load_result(file)
    for name in REFERENCES:
        if any(result.method.name == name for result in given.values()):
            continue
        beside = (file.parent / f"{name}.json" for file in files)
        path = next((path for path in beside if path.exists()), None)
        kept = _frozen(given[files[0]]) if path is None else {}
        if name in kept:
            given[file_of(kept[name].suite, name)] = kept[name]
            continue
        if path is None:
            suite = given[files[0]].suite
            raise InputError(
                f"scores need the reference {name!r}, and {files[0].parent / name}.json is not "
                f"there: autophagy run {name} --suite {suite}, with the same --tasks, --seeds "
                f"and --out"
            )
        given[path] = load_result(path)
        if given[path].method.name != name:
            raise InputError(
                f"{path} should be the reference {name!r}, but is a result of "
                f"{given[path].method.name!r}"
            )
    return given


def _frozen(result: Result) -> dict[str, Result]:
    """The frozen references for the tasks and seeds of a result."""
    seeds = {seed for name in result.tasks for seed in seeds_of(result, name)}
    return frozen(result.suite, {n: t.hash for n, t in result.tasks.items()}, sorted(seeds))
