"""What a reader sees first: collapse itself, and the best method of each access tier.

The best of those that maintainers ran; only where they ran none, the best of others, and that it is
so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import pandas as pd

from benchmark.basics.errors import AutophagyError
from benchmark.interface.access import Access
from benchmark.interface.names import REFERENCES
from benchmark.metrics.meanings import find_title
from benchmark.results.curves import gather_curves
from benchmark.results.gallery import Gallery, Shown, crop_row
from benchmark.tasks.suites import load_suite
from benchmark.tasks.task import Task
from leaderboard.board.entries import Board
from leaderboard.board.filters import BLIND
from leaderboard.board.galleries import load_entry_gallery
from leaderboard.board.table import doubt_row, make_frame, prefer_trusted, select_whole

ARCHIVE, ORACLE = Access.ARCHIVE.value, Access.PROVENANCE.value  # tiers; of the first the best
LONGEST = 130  # characters of a sentence
MODALITIES = ("image", "pair", "text")  # in the order they are drawn
KINDS = {"image": "ten images of one class", "pair": "pairs of picture and caption"}
COUNT = {
    "image": "Pictures: ten samples of one class; count those that you can still read, and those "
             "that look alike.",
    "pair": "Pairs: count the captions in red with an asterisk: a frozen reader finds that the "
            "picture shows something else.",
    "text": "Sentences: count the «words» in angle quotes; they occur in no real text.",
}  # fmt: skip


@dataclass(frozen=True)
class Piece:
    """What a lineage published of one task in one generation.

    Attributes:
        alt: in words.
        measure: what scores are made of, of this lineage in this generation; "" if unknown.
        png: a picture in base64, or "".
        text: a sentence, or "".
        absent: why there is neither, or "".
    """

    kind: str
    alt: str
    measure: str = ""
    png: str = ""
    text: str = ""
    absent: str = ""


@dataclass(frozen=True)
class Row:
    """A method and its pieces by generation.

    Attributes:
        absent: why there is no method.
        doubt: what to doubt of its recovery, or "".
    """

    method: str
    role: str
    recovery: str
    cells: tuple[tuple[Piece, ...], ...] = ()
    absent: str = ""
    doubt: str = ""


@dataclass(frozen=True)
class Line:
    """The best method of an access tier.

    Attributes:
        interval: over its own seeds; "" with one.
        seeds: how many these are: a re-run has other ones than the suite.
        doubt: what to doubt of its recovery, or "".
    """

    access: str
    method: str
    recovery: str
    interval: str
    cost: str
    seeds: int
    doubt: str


@dataclass(frozen=True)
class Opening:
    """The figure and the lines under it.

    Attributes:
        counts: what to count, a sentence a modality that is shown.
    """

    suite: str
    seed: int
    seeds: int
    generations: tuple[int, ...]
    rows: tuple[Row, ...]
    counts: tuple[str, ...]
    lines: tuple[Line, ...]


@lru_cache(maxsize=32)
def make_opening(board: Board, suite: str) -> Opening:
    """The opening of a suite that has entries.

    Rows: `nothing`, the best method that sees past crawls only, `clean`. Columns: generations 0,
    about T/2, and T.
    """
    frame = make_frame(board, suite)
    tasks = tuple(choose_shown_tasks(suite))
    generations = _choose_generations(board, suite, tasks)
    best = select_whole(frame)
    best = prefer_trusted(best[best["access"] == ARCHIVE])
    lower, upper = REFERENCES
    rows = [_row(board, suite, tasks, generations, lower, "trains on the whole crawl", "0")]
    if best.empty:
        said = "No method that only keeps past crawls (access: archive) has results here yet."
        rows.append(Row("", "", "", absent=said))
    else:
        first, role = best.iloc[0], "the best that only keeps past crawls"
        name, score = first["method"], f"{first['score']:z.2f}"
        row = _row(board, suite, tasks, generations, name, role, score)
        rows.append(replace(row, doubt=doubt_row(first)))
    rows.append(_row(board, suite, tasks, generations, upper, "had every crawl been real", "1"))
    counts = tuple(COUNT[task.modality] for task in tasks)
    seeds = load_suite(suite).seeds
    lines = tuple(map(_line, list_best(frame)))
    return Opening(suite, min(seeds), len(seeds), generations, tuple(rows), counts, lines)


def choose_shown_tasks(suite: str) -> Iterator[Task]:
    """Those that the opening shows: the first task of each modality."""
    for modality in MODALITIES:
        yield from [t for t in load_suite(suite).tasks if t.modality == modality][:1]


def _choose_generations(board: Board, suite: str, tasks: tuple[Task, ...]) -> tuple[int, ...]:
    """0, the kept one nearest to T/2 (the later of two), and T."""
    last = max(task.generations for task in tasks)
    gallery = _open_gallery(board, suite, REFERENCES[0])
    kept = {t for of in gallery.tasks.values() for t in (*of.generations, *of.texts)} if (
        isinstance(gallery, Gallery)
    ) else set()  # fmt: skip
    inner = [t for t in kept if 0 < t < last] or [(last + 1) // 2]
    return (0, min(inner, key=lambda t: (abs(t - last / 2), -t)), last)


def _row(
    board: Board, suite: str, tasks: tuple[Task, ...], generations: tuple[int, ...],
    method: str, role: str, recovery: str,
) -> Row:  # fmt: skip
    gallery = _open_gallery(board, suite, method)
    cells = tuple(
        tuple(_piece(board, suite, task, gallery, method, t) for task in tasks)
        for t in generations
    )  # fmt: skip
    return Row(method, role, recovery, cells)


def _open_gallery(board: Board, suite: str, method: str) -> Gallery | str:
    """The gallery, or why there is none."""
    try:
        found = load_entry_gallery(board, suite, method)
    except AutophagyError as error:
        return str(error).replace(f"{board.root}/", "")
    return found or "no samples were sent"


def _piece(
    board: Board, suite: str, task: Task, gallery: Gallery | str, method: str, t: int
) -> Piece:
    kind = task.modality
    shown = gallery.tasks.get(task.name) if isinstance(gallery, Gallery) else None
    if shown is None:
        why = gallery if isinstance(gallery, str) else f"no samples of {task.name} were sent"
        return Piece(kind, "", absent=f"{method}: {why}.")
    text = shown.texts.get(t, "")
    png = _crop(shown, task, kind, t)
    if not text and not png:
        return Piece(kind, "", absent=f"{task.name}: generation {t} was not kept, or had failed.")
    alt = f"{method}, generation {t} of {task.name}: {KINDS.get(kind, 'a sentence')}"
    measure = _measure(board, suite, task, method, shown.seed, t)
    first = text.partition("\n")[0]
    said = first if len(first) <= LONGEST else _cut(first)
    return Piece(kind, f"{alt}; {measure}" if measure else alt, measure, png, said)


def _crop(shown: Shown, task: Task, kind: str, t: int) -> str:
    """Of pairs the first half and no strip of numbers, which would be too small to read."""
    if kind == "pair":
        return crop_row(shown, t, part=0.5, foot=getattr(task.evaluation, "strip", 0))
    return crop_row(shown, t)


def _measure(board: Board, suite: str, task: Task, method: str, seed: int, t: int) -> str:
    result = board.result(suite, method)
    primary = result.tasks[task.name].primary
    seeds = sorted(lineage.seed for lineage in result.tasks[task.name].lineages)
    curves = gather_curves(result, task.name, primary)
    if seed not in seeds or t >= curves.shape[1] or pd.isna(curves[seeds.index(seed), t]):
        return ""
    return f"{find_title(primary)} {curves[seeds.index(seed), t]:.2f}"


def _cut(text: str) -> str:
    return text[:LONGEST].rpartition(" ")[0] + " …"


def list_best(frame: pd.DataFrame) -> list[pd.Series]:
    """The rows of the best method of each access tier that applies to all tasks, of those that
    maintainers ran where there are any; the fewest kinds of access first."""
    rows = select_whole(frame)
    order = [BLIND, *Access]  # fewest kinds first, in the order of the kinds; the oracle last
    tiers = sorted(
        rows["access"].unique(),
        key=lambda t: (ORACLE in t, t.count("+"), [order.index(k) for k in t.split(" + ")]),
    )
    return [prefer_trusted(rows[rows["access"] == tier]).iloc[0] for tier in tiers]


def _line(row: pd.Series) -> Line:
    several = not pd.isna(row["low"])
    interval = f"{row['low']:z.2f} to {row['high']:z.2f}" if several else ""
    return Line(
        row["access"], row["method"], f"{row['score']:z.2f}", interval, row["cost"],
        len(row["seeds"].split()), doubt_row(row),
    )  # fmt: skip
