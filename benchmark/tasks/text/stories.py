"""Short stories of a Hub dataset, such as TinyStories; an item is the beginning of one."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice

import torch

from benchmark.basics.errors import InputError
from benchmark.hub.copies import open_repo
from benchmark.hub.repos import HubRepo
from benchmark.tasks.parts import Splits
from benchmark.tasks.text.codec import TextPublisher
from benchmark.tasks.text.speeches import CHARACTERS, normalise

SPLITS = ("train", "validation")  # as the recipe lists their files


class StoriesSource:
    """Pool and reserve are stories of the split `train`, the held-out set of `validation`.

    A story that is too short to fill a block is left out, and so is one that another one equals.
    """

    def __init__(
        self, repo: HubRepo, tokens: TextPublisher, stories: int, heldout: int, scanned: int
    ) -> None:
        """As `StoriesData` says."""
        self.repo, self.publisher = repo, tokens
        self.stories, self.heldout, self.scanned = stories, heldout, scanned

    def splits(self, real: int, reserve: int, rng: torch.Generator) -> Splits:
        characters, looked_at = CHARACTERS * self.publisher.length, self.scanned * self.heldout
        heldout = beginnings(self.repo, "validation", looked_at, characters)
        seen = set(heldout)
        stories = beginnings(self.repo, "train", self.stories, characters)
        usable = [text for text in stories if text not in seen]
        if real + reserve > len(usable):
            raise InputError(f"{real + reserve} real stories asked for, {len(usable)} exist")
        if self.heldout > len(heldout):
            raise InputError(f"{self.heldout} held-out stories asked for, {len(heldout)} exist")
        order = torch.randperm(len(usable), generator=rng)[: real + reserve].tolist()
        publisher = self.publisher
        return Splits(
            real=publisher.pass_through([usable[i] for i in order[:real]]),
            reserve=publisher.pass_through([usable[i] for i in order[real:]]),
            heldout=publisher.pass_through(heldout[: self.heldout]),
        )


def beginnings(repo: HubRepo, split: str, rows: int, characters: int) -> tuple[str, ...]:
    """The first `characters` characters of those of the first `rows` stories that have them.

    Raises:
        InputError: they cannot be had.
        CorruptFile: they cannot be read.
    """
    with open_repo(repo) as where:
        return _streamed(**where, files=repo.files, split=split, rows=rows, characters=characters)


@lru_cache(maxsize=2)
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
