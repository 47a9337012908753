"""Short stories of a Hub dataset, such as TinyStories; an item is the beginning of one."""

from __future__ import annotations

import hashlib
from itertools import islice

import torch
from torch import Tensor

from benchmark.basics.cache import FolderCache
from benchmark.basics.errors import CorruptFile, InputError
from benchmark.hub.copies import describe_files, find_home, open_repo
from benchmark.hub.repos import HubRepo
from benchmark.interface.items import Items
from benchmark.tasks.parts import Era, Stream, World
from benchmark.tasks.text.codec import TextPublisher
from benchmark.tasks.text.speeches import normalise

CHARACTERS = 5  # of a story for each token of a block: more than fill it
RESERVED = 2  # stories set aside for each trusted item of an era
SPLITS = ("train", "validation")  # as the recipe lists their files
FORM = 1  # of what is kept: another number where the code below publishes otherwise


class StoriesSource:
    """Real and trusted stories are of the split `train`, which every lineage divides anew, held-out
    ones of `validation`.

    A story that is too short to fill a block is left out, and so is one that another one equals.
    """

    def __init__(
        self, repo: HubRepo, tokens: TextPublisher, stories: int, heldout: int, scanned: int
    ) -> None:
        """As `StoriesData` says."""
        self.repo, self.publisher = repo, tokens
        self.stories, self.heldout, self.scanned = stories, heldout, scanned

    def world(self, n: int, reserve: int, stream: Stream) -> World:
        known = self._published()
        usable, heldout = Items(tokens=known["usable"]), Items(tokens=known["heldout"])
        aside = reserve * RESERVED
        if n + aside > len(usable):
            raise InputError(f"{n + aside} real stories asked for, {len(usable)} exist")
        if self.heldout > len(heldout):
            raise InputError(f"{self.heldout} held-out stories asked for, {len(heldout)} exist")
        order = torch.randperm(len(usable), generator=stream(0, "split"))
        pool, trusted = order[aside:], order[:aside]

        def begin(t: int) -> Era:
            # One after the other, so that a story comes again only when all were handed out.
            rows = pool[(torch.arange(n) + t * n) % len(pool)]
            drawn = trusted[torch.randperm(aside, generator=stream(t, "trusted"))[:reserve]]
            return Era(
                real=usable.take(rows),
                heldout=heldout.take(slice(0, self.heldout)),
                trusted=usable.take(drawn),
            )

        return begin

    def _published(self) -> dict[str, Tensor]:
        """Tokens (N, length) of all `usable` stories of the split `train` and of `heldout` ones.

        Tokenising takes half a minute, so it is done once on a machine and kept in the user's
        cache, by the files, the tokenizer and the recipe.
        """
        tokenizer = hashlib.sha256(self.publisher.tokenizer.to_str().encode()).hexdigest()
        with open_repo(self.repo) as where:
            files = describe_files(self.repo, where)
        numbers = (self.publisher.length, self.stories, self.heldout, self.scanned)
        key = repr((FORM, files, tokenizer, numbers))
        try:
            return FolderCache(find_home() / "published").get("stories", key, self._publish).tensors
        except CorruptFile:
            raise
        except InputError:  # a home that cannot be written costs time only
            return self._publish()

    def _publish(self) -> dict[str, Tensor]:
        characters, looked_at = CHARACTERS * self.publisher.length, self.scanned * self.heldout
        heldout = beginnings(self.repo, "validation", looked_at, characters)
        seen = set(heldout)
        stories = beginnings(self.repo, "train", self.stories, characters)
        usable = self.publisher.pass_through([text for text in stories if text not in seen])
        return {
            "usable": usable["tokens"],
            "heldout": self.publisher.pass_through(heldout)["tokens"],
        }


def beginnings(repo: HubRepo, split: str, rows: int, characters: int) -> tuple[str, ...]:
    """The first `characters` characters of those of the first `rows` stories that have them.

    Raises:
        InputError: they cannot be had.
        CorruptFile: they cannot be read.
    """
    with open_repo(repo) as where:
        return _streamed(**where, files=repo.files, split=split, rows=rows, characters=characters)


def _streamed(
    path: str,
    files: tuple[str, ...],
    split: str,
    rows: int,
    characters: int,
    revision: str | None = None,
) -> tuple[str, ...]:
    import datasets

    found = dict(zip(SPLITS, files, strict=True))
    stream = datasets.load_dataset(
        path, revision=revision, data_files=found, split=split, streaming=True
    )
    texts = (normalise(row["text"]) for row in islice(stream, rows))
    return tuple(dict.fromkeys(t[:characters] for t in texts if len(t) >= characters))
