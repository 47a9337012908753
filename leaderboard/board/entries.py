"""Reads a folder of results into entries: each is shown, or refused with the reason."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from pathlib import Path

from benchmark.basics.errors import AutophagyError, CorruptFile, InputError
from benchmark.interface.names import REFERENCES
from benchmark.results.references import file_of, frozen
from benchmark.results.schema import Result, load_result
from benchmark.results.standings import (
    Costs,
    access_tier,
    check_comparable,
    costs,
    failed,
    recoveries,
    seeds_of,
)
from benchmark.submission.card import Card, parse_card
from benchmark.submission.claim import read_result
from benchmark.submission.folder import LARGEST
from benchmark.submission.trust import State, load_trust, state_of, trust_file

MINE = " (yours)"  # marks a result that is only previewed


@dataclass(frozen=True)
class Entry:
    """One method on one suite, without its curves (see `Board.result`).

    Attributes:
        path: where its stored result lies.
        access: the names it declares; `access_tier` is what the board calls them.
        recoveries: for each task, one recovery a seed.
        costs: its ledgers over all lineages.
        failed: lineages that did not reach the last generation, of `lineages`.
        card: who made it; None if there is none.
        state: how far it is trusted, since when and why.
        references: "frozen", or "own" where the entry brought them.
        reference: whether it is `nothing` or `oracle`.
        mine: whether it is only previewed.
    """

    suite: str
    name: str
    path: Path
    summary: str
    access: tuple[str, ...]
    access_tier: str
    recoveries: dict[str, list[float]]
    costs: Costs
    failed: int
    lineages: int
    card: Card | None
    state: State
    created: str
    references: str
    isolated: bool
    reference: bool = False
    mine: bool = False


@dataclass(frozen=True)
class Refused:
    """A file that is not on the board, and why."""

    suite: str
    file: str
    reason: str


@dataclass(frozen=True, eq=False)
class Board:
    """All entries, by suite: those of the references first. `root` holds their files."""

    root: Path
    entries: dict[str, list[Entry]]
    refused: list[Refused] = field(default_factory=list)

    def entry(self, suite: str, name: str) -> Entry:
        """The entry called `name`.

        Raises:
            InputError: there is none.
        """
        for entry in self.entries.get(suite, ()):
            if entry.name == name:
                return entry
        raise InputError(f"there is no entry {name!r} in suite {suite!r}")

    def result(self, suite: str, name: str) -> Result:
        """The stored result of an entry.

        Raises:
            InputError: there is no such entry, or its file is gone.
            CorruptFile: the file was damaged meanwhile.
        """
        return _stored(self.entry(suite, name).path)

    def references(self, suite: str, name: str) -> dict[str, Result]:
        """`nothing` and `oracle` as that entry is scored against them."""
        entry = self.entry(suite, name)
        return _references(self.root, _stored(entry.path), entry.path, entry.mine)


def read_board(root: Path, own: Sequence[Path] = ()) -> Board:
    """Every result under ROOT/results, and those in `own`, which are only previewed.

    Raises:
        InputError: one of `own` cannot be shown. What is wrong under `root` is refused instead.
        CorruptFile: likewise.
    """
    entries: dict[str, list[Entry]] = {}
    refused = []
    for path in sorted(root.glob("results/*/*.json")):
        suite = path.parent.name
        try:
            if path.stem in REFERENCES:
                raise InputError(f"{path} is a reference, which comes with the benchmark")
            entry = _read(root, path, _stamps(root, path))
            if entry.state.name == "rejected":
                raise InputError(f"{path} was rejected on {entry.state.date}: {entry.state.reason}")
        except AutophagyError as error:
            words = str(error).replace(f"{root}/", "")
            refused.append(Refused(suite, path.name, words))
        else:
            entries.setdefault(suite, []).append(entry)
    for path in own:
        entry = _entry(root, path, mine=True)
        entries.setdefault(entry.suite, []).append(entry)
    return Board(root, {s: [*_of_references(s), *e] for s, e in sorted(entries.items())}, refused)


@lru_cache(maxsize=64)
def _stored(path: Path) -> Result:
    return load_result(path)


def _stamps(root: Path, path: Path) -> tuple[tuple[str, int, int], ...]:
    """Changes whenever a file changes that the entry is read from."""
    own = root / "references" / path.parent.name / path.stem
    files = [path, trust_file(path), *_files(root, path.stem), *own.glob("*.json")]
    found = [(file.resolve(), file.stat()) for file in files if file.exists()]
    return tuple((str(file), stat.st_mtime_ns, stat.st_size) for file, stat in found)


@cache
def _read(root: Path, path: Path, stamps: object) -> Entry:
    """Read once and again when a file has changed; refusals are found out again."""
    return _entry(root, path, mine=False)


def _entry(root: Path, path: Path, mine: bool) -> Entry:
    result = read_result(path)
    name = result.method.name
    if name != path.stem:
        raise InputError(f"{path} is a result of {name!r}: a file has the name of its method")
    scale = _references(root, result, path, mine)
    check_comparable({str(path): result} | scale)
    card = None if mine else _card(root, result, path)
    entry = _described(result, path, scale, card)
    if mine:
        return replace(entry, name=name + MINE, mine=True)
    return replace(entry, state=state_of(path.read_bytes(), load_trust(path)))


def _described(result: Result, path: Path, scale: Mapping[str, Result], card: Card | None) -> Entry:
    lower, upper = (scale[name] for name in REFERENCES)
    each = {task: recoveries(result, task, lower, upper) for task in result.tasks}
    lineages = [lineage for task in result.tasks.values() for lineage in task.lineages]
    return Entry(
        suite=result.suite,
        name=result.method.name,
        path=path,
        summary=result.method.summary,
        access=tuple(result.method.access),
        access_tier=access_tier(result),
        recoveries={task: list(of.values()) for task, of in each.items()},
        costs=costs(lineages),
        failed=sum(failed(result, task) for task in result.tasks),
        lineages=len(lineages),
        card=card,
        state=State(name="self-reported"),
        created=result.created,
        references="own" if "own" in result.references.values() else "frozen",
        isolated=result.isolated,
    )


def _of_references(suite: str) -> Iterator[Entry]:
    for name in REFERENCES:
        path = file_of(suite, name)
        if path.exists():
            found = {r: _stored(file_of(suite, r)) for r in REFERENCES}
            entry = _described(found[name], path, found, card=None)
            state = State(name="re-run", reason="comes with the benchmark")
            yield replace(entry, state=state, references="frozen", reference=True)


def _references(root: Path, result: Result, path: Path, mine: bool) -> dict[str, Result]:
    """The two references by which the result is scored, the lower one first.

    Raises:
        InputError: they are missing.
        CorruptFile: one is damaged.
    """
    if "own" not in result.references.values():
        hashes = {name: task.hash for name, task in result.tasks.items()}
        found = frozen(result.suite, hashes, seeds_of(result, next(iter(hashes))))
        if not found:
            raise InputError(f"{path} names frozen references, but there are none for its tasks")
        return found
    folder = path.parent if mine else root / "references" / result.suite / path.stem
    return {name: load_result(folder / f"{name}.json") for name in REFERENCES}


def _files(root: Path, name: str) -> tuple[Path, Path]:
    folder = root / "submissions" / name
    return folder / "card.yaml", folder / "method.py"


def _card(root: Path, result: Result, path: Path) -> Card | None:
    """The card, if there is one.

    Raises:
        InputError: it is not valid, or it or the stored code is not of this result.
    """
    card_file, code = _files(root, path.stem)
    if code.exists() and hashlib.sha256(code.read_bytes()).hexdigest() != result.method.source:
        raise InputError(f"{path} was made by another version of {code}: run it again")
    if not card_file.exists():
        return None
    content = card_file.read_bytes()
    if len(content) > LARGEST["card.yaml"]:
        raise CorruptFile(f"{card_file} is larger than {LARGEST['card.yaml']:,} bytes")
    card = parse_card(content)
    if card.name != path.stem or sorted(card.access) != sorted(result.method.access):
        raise InputError(f"{card_file} and {path} differ in name or access: send both again")
    return card
