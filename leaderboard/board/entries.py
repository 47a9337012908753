"""Reads a folder of results into entries: each is shown, or refused with the reason."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from glob import escape
from pathlib import Path
from statistics import fmean

from benchmark.basics.errors import AutophagyError, CorruptFile, InputError
from benchmark.basics.plain import clean_line, read_limited, read_start
from benchmark.basics.spelling import ask_nearest
from benchmark.interface.names import REFERENCES
from benchmark.results.costs import Relative, compare_costs, sum_both
from benchmark.results.gallery import Gallery
from benchmark.results.references import are_frozen, find_references, frozen_file
from benchmark.results.schema import LARGEST as LARGEST_RESULT
from benchmark.results.schema import Result, load_result
from benchmark.results.standings import Scored, score_result
from benchmark.results.style import OWN_MARK
from benchmark.submission.card import Card, parse_card
from benchmark.submission.claim import read_claim
from benchmark.submission.folder import LARGEST
from benchmark.submission.trust import (
    TRUSTED,
    State,
    Trust,
    find_state,
    load_rerun,
    load_trust,
    trust_file,
)

Show = Callable[[Result, Path], Gallery]  # what the run that wrote a result's file published
FINDINGS = ("trust", "verified")  # folders beside results, written by maintainers only


@dataclass(frozen=True, kw_only=True)
class Entry(Scored):
    """One method on one suite, without its curves (see `Board.result`).

    Attributes:
        path: where its stored result lies.
        card: who made it; None if there is none.
        state: how far it is trusted, since when and why.
        trust: all that maintainers found out of it and of earlier results of its name.
        source: SHA-256 of the method's file.
        version: of the benchmark that made the result.
        hashes: by task, the hash of its whole definition.
        machines: the processors that computed it.
        references: "frozen", or "own" where it is scored against those that it brought.
        costs: what it took; of a re-run what as many lineages as the claim's would have taken.
        relative: the same beside `nothing`.
        claimed: the suite score that its result claims, where `recoveries` are of a re-run.
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
    source: str
    version: str
    hashes: dict[str, str]
    machines: tuple[str, ...]
    relative: Relative
    claimed: float | None = None
    mine: bool = False
    trust: Trust | None = None

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
    """All entries, by suite: those of the references first.

    Attributes:
        root: holds their files.
        show: shows the samples of what is only previewed; None where they are not shown.
    """

    root: Path
    entries: dict[str, list[Entry]]
    refused: list[Refused] = field(default_factory=list)
    show: Show | None = None

    def entry(self, suite: str, name: str) -> Entry:
        """The entry called `name`.

        Raises:
            InputError: there is none.
        """
        for entry in self.entries.get(suite, ()):
            if entry.name == name:
                return entry
        near = ask_nearest(name, (entry.name for entry in self.entries.get(suite, ())))
        raise InputError(f"there is no entry {name!r}{near} in suite {suite!r}")

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


def read_board(
    root: Path,
    own: Sequence[Path] = (),
    findings: Path | None = None,
    show: Show | None = None,
) -> Board:
    """Every result under ROOT/results, and those in `own`, which are only previewed.

    Args:
        findings: the maintainers' folder, whose results/SUITE/trust and verified say how far
            entries are trusted; what is under `root` beside it came with a submission and is
            ignored. Without it `root` is a maintainer's own.
        show: makes a gallery of what the run of one of `own` kept.

    Raises:
        InputError: one of `own` cannot be shown, or two are of one method and suite. What is wrong
            under `root` is refused instead.
        CorruptFile: likewise.
    """
    entries: dict[str, list[Entry]] = {}
    checked = root if findings is None else findings
    refused = list(_ignored(root, checked))
    for path in sorted(root.glob("results/*/*.json")):
        suite = path.parent.name
        try:
            if path.stem in REFERENCES:
                raise InputError(f"{path} is a reference, which comes with the benchmark")
            entry = _read(root, path, checked, _stamps(root, path, checked))
            if entry.state.name == "rejected":
                raise InputError(f"{path} was rejected on {entry.state.date}: {entry.state.reason}")
        except AutophagyError as error:
            refused.append(_refuse(root, path, str(error)))
        except Exception as error:  # whatever a stranger thought of: it costs this entry, no more
            said = f"it cannot be used ({type(error).__name__}: {error}): run the method again"
            refused.append(_refuse(root, path, said))
        else:
            entries.setdefault(suite, []).append(entry)
    for entry in _own_entries(root, own, checked):
        entries.setdefault(entry.suite, []).append(entry)
    whole = {suite: [*_of_references(suite), *of] for suite, of in sorted(entries.items())}
    return Board(root, whole, refused, show)


def _own_entries(root: Path, own: Sequence[Path], findings: Path) -> list[Entry]:
    """Those that are only previewed: of a name and suite one, for rows are told apart by these."""
    found: dict[tuple[str, str], Entry] = {}
    for path in own:
        entry = _entry(root, path, findings, mine=True)
        other = found.setdefault((entry.suite, entry.name), entry)
        if other is not entry:
            name = entry.name.removesuffix(OWN_MARK)
            raise InputError(
                f"{other.path} and {path} are both results of {name!r} on suite {entry.suite!r}: "
                f"give one of them, or run the other under another name"
            )
    return list(found.values())


@lru_cache(maxsize=64)
def _stored(path: Path) -> Result:
    return load_result(path)


def _refuse(root: Path, path: Path, reason: str) -> Refused:
    """Why the file is not on the board, in words that say nothing of this machine."""
    return Refused(path.parent.name, path.name, clean_line(reason.replace(f"{root}/", ""), 500))


def _ignored(root: Path, findings: Path) -> Iterator[Refused]:
    """Findings that came with submissions: only maintainers say how far an entry is trusted."""
    if root.resolve() == findings.resolve():
        return
    for path in sorted(root.glob("results/*/*/*")):
        kind = path.parent.name
        if path.name.startswith("."):  # the lock of who writes there
            continue
        own = findings / path.relative_to(root)
        if kind not in FINDINGS or _same(own, path):
            continue
        reason = (
            f"{kind}/{path.name} is ignored: it came with a submission, and only maintainers say "
            f"how far an entry is trusted"
        )
        yield Refused(path.parents[1].name, clean_line(path.name, 100), clean_line(reason, 500))


def _same(one: Path, other: Path) -> bool:
    """Whether both are small ordinary files of the same content."""
    try:
        most = LARGEST_RESULT
        return read_limited(one, most, "finding") == read_limited(other, most, "finding")
    except InputError:
        return False


def _stamps(root: Path, path: Path, findings: Path) -> tuple[tuple[str, int, int], ...]:
    """Changes whenever a file changes that the entry is read from."""
    own = root / "references" / path.parent.name / path.stem
    trust = trust_file(path, findings)
    records = (trust.parents[1] / "verified").glob(f"{escape(path.stem)}-*.json")
    files = [path, trust, *sorted(records), *_files(root, path.stem), *sorted(own.glob("*.json"))]
    found = [(file.resolve(), file.stat()) for file in files if file.exists()]
    return tuple((str(file), stat.st_mtime_ns, stat.st_size) for file, stat in found)


@cache
def _read(root: Path, path: Path, findings: Path, stamps: object) -> Entry:
    """Read once and again when a file has changed; refusals are found out again."""
    return _entry(root, path, findings, mine=False)


def _entry(root: Path, path: Path, findings: Path, mine: bool) -> Entry:
    result = read_claim(path)
    name = result.method.name
    if name != path.stem:
        raise InputError(f"{path} is a result of {name!r}: a file has the name of its method")
    scale = find_references(result, path, beside=mine)
    entry = _described(result, path, scale, None if mine else _card(root, result, path))
    if mine:
        return replace(entry, method=name + OWN_MARK, mine=True)
    trust = load_trust(path, findings)
    state = find_state(read_limited(path, LARGEST_RESULT, "result"), trust)
    return _rescaled(replace(entry, state=state, trust=trust), findings)


def _rescaled(entry: Entry, findings: Path) -> Entry:
    """Once it was run again, an entry has the numbers of the re-run.

    Raises:
        InputError: the record of the re-run is not there.
        CorruptFile: it is another one, or damaged.
    """
    if entry.state.name != "re-run" or not entry.state.record_sha256:
        return replace(entry, trusted=entry.state.name in TRUSTED)
    found = load_rerun(entry.path, entry.state, findings)
    if found.recoveries.keys() != entry.recoveries.keys() or not found.agrees:
        raise CorruptFile(f"the record of the re-run of {entry.path} is not of this result")
    claimed = {task: of for task, of in entry.recoveries.items() if of}
    if found.costs and found.nothing:
        costs = found.costs.scale(len(entry.seeds) / len(found.seeds))
        entry = replace(entry, costs=costs, relative=compare_costs(found.costs, found.nothing))
    return replace(
        entry,
        trusted=True,
        claimed=fmean(fmean(of) for of in claimed.values()) if claimed else None,
        recoveries={task: list(found.recoveries[task]) for task in entry.recoveries},
        seeds=tuple(map(int, found.seeds)),
        failed={task: found.failed[task] for task in entry.recoveries},
        lineages=len(found.seeds) * len(found.recoveries),
    )


def _described(
    result: Result, path: Path, scale: Mapping[Path, Result], card: Card | None = None
) -> Entry:
    return Entry(
        **vars(score_result(result, *scale.values())),
        suite=result.suite,
        path=path,
        summary=result.method.summary,
        card=card,
        state=State(name="self-reported"),
        created=result.created,
        references="frozen" if are_frozen(result.suite, scale) else "own",
        isolated=result.isolated,
        source=result.method.source,
        version=result.benchmark_version,
        hashes={name: task.hash for name, task in result.tasks.items()},
        machines=tuple(result.machines),
        relative=compare_costs(*sum_both(result, next(iter(scale.values())))),
    )


def _of_references(suite: str) -> Iterator[Entry]:
    files = [frozen_file(suite, name) for name in REFERENCES]
    found = {path: _stored(path) for path in files if path.exists()}
    for path, result in found.items():
        state = State(name="re-run", reason="comes with the benchmark")
        yield replace(_described(result, path, found), state=state, trusted=True)


def _files(root: Path, name: str) -> tuple[Path, Path]:
    folder = root / "submissions" / name
    return folder / "card.yaml", folder / "method.py"


def load_card(file: Path) -> Card:
    """The card in a file.

    Raises:
        InputError: it cannot be read or is not valid.
        CorruptFile: it is too large.
    """
    content = read_start(file, LARGEST["card.yaml"] + 1, "card")
    if len(content) > LARGEST["card.yaml"]:
        raise CorruptFile(f"{file} is larger than {LARGEST['card.yaml']:,} bytes")
    return parse_card(content)


def _card(root: Path, result: Result, path: Path) -> Card | None:
    """The card, if there is one.

    Raises:
        InputError: it is not valid, or it or the stored code is not of this result.
    """
    card_file, code = _files(root, path.stem)
    if code.exists():
        source = read_limited(code, LARGEST["method.py"], "submission's source")
        if hashlib.sha256(source).hexdigest() != result.method.source:
            raise InputError(f"{path} was made by another version of {code}: run it again")
    if not card_file.exists():
        return None
    card = load_card(card_file)
    if card.name != path.stem or sorted(card.access) != sorted(result.method.access):
        raise InputError(f"{card_file} and {path} differ in name or access: send both again")
    return card
