"""Reads a folder of results into entries: each is shown, or refused with the reason."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from pathlib import Path

from benchmark.basics.errors import AutophagyError, CorruptFile, InputError
from benchmark.interface.names import REFERENCES
from benchmark.results.references import find_references, frozen_file
from benchmark.results.schema import Result, load_result
from benchmark.results.standings import Scored, score_result
from benchmark.submission.card import Card, parse_card
from benchmark.submission.claim import read_claim
from benchmark.submission.folder import LARGEST
from benchmark.submission.trust import State, find_state, load_trust, trust_file

MINE = " (yours)"  # marks a result that is only previewed


@dataclass(frozen=True, kw_only=True)
class Entry(Scored):
    """One method on one suite, without its curves (see `Board.result`).

    Attributes:
        path: where its stored result lies.
        card: who made it; None if there is none.
        state: how far it is trusted, since when and why.
        references: "frozen", or "own" where it is scored against those that it brought.
        mine: whether it is only previewed.
    """

    suite: str
    path: Path
    summary: str
    card: Card | None
    state: State
    created: str
    references: str
    isolated: bool
    mine: bool = False

    @property
    def name(self) -> str:
        """What it is filed under."""
        return self.method


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
        """`nothing` and `clean` as that entry is scored against them."""
        entry = self.entry(suite, name)
        found = find_references(_stored(entry.path), entry.path, beside=entry.mine)
        return {result.method.name: result for result in found.values()}


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
    result = read_claim(path)
    name = result.method.name
    if name != path.stem:
        raise InputError(f"{path} is a result of {name!r}: a file has the name of its method")
    scale = find_references(result, path, beside=mine)
    entry = _described(result, path, scale, None if mine else _card(root, result, path))
    if mine:
        return replace(entry, method=name + MINE, mine=True)
    return replace(entry, state=find_state(path.read_bytes(), load_trust(path)))


def _described(
    result: Result, path: Path, scale: Mapping[Path, Result], card: Card | None = None
) -> Entry:
    frozen = all(file == frozen_file(result.suite, file.stem) for file in scale)
    return Entry(
        **vars(score_result(result, *scale.values())),
        suite=result.suite,
        path=path,
        summary=result.method.summary,
        card=card,
        state=State(name="self-reported"),
        created=result.created,
        references="frozen" if frozen else "own",
        isolated=result.isolated,
    )


def _of_references(suite: str) -> Iterator[Entry]:
    files = [frozen_file(suite, name) for name in REFERENCES]
    found = {path: _stored(path) for path in files if path.exists()}
    for path, result in found.items():
        state = State(name="re-run", reason="comes with the benchmark")
        yield replace(_described(result, path, found), state=state)


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
