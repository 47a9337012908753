"""Short stories of a Hub dataset, such as TinyStories; an item is the beginning of one."""

from __future__ import annotations

import hashlib
from itertools import islice
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from benchmark.basics.errors import InputError
from benchmark.hub.copies import describe_files, open_repo
from benchmark.hub.repos import HubRepo
from benchmark.interface.items import Items
from benchmark.tasks.kinds import Kinds, share_of
from benchmark.tasks.parts import Era, Stream, World
from benchmark.tasks.published import keep_published
from benchmark.tasks.text.codec import TextPublisher
from benchmark.tasks.text.speeches import normalise

if TYPE_CHECKING:
    from benchmark.tasks.text.recipes import StoriesData

CHARACTERS = 5  # of a story for each token of a block: more than fill it
RESERVED = 2  # stories set aside for each trusted item of an era
SPLITS = ("train", "validation")  # as the recipe lists their files
FORM = 1  # of what is kept: another number where the code below publishes otherwise


class StoriesSource:
    """Real and trusted stories are of the split `train`, which every lineage divides anew, held-out
    ones of `validation`.

    A story that is too short to fill a block is left out, and so is one that another one equals.
    Where the world moves, so does the share of stories in which somebody speaks.
    """

    def __init__(self, recipe: StoriesData, publisher: TextPublisher) -> None:
        """With the publisher of the recipe's tokens."""
        self.recipe, self.publisher = recipe, publisher

    def world(self, n: int, reserve: int, stream: Stream) -> World:
        known = self._published()
        usable, heldout = Items(tokens=known["usable"]), Items(tokens=known["heldout"])
        aside = reserve * RESERVED
        if n + aside > len(usable):
            raise InputError(f"{n + aside} real stories asked for, {len(usable)} exist")
        if self.recipe.heldout > len(heldout):
            count = self.recipe.heldout
            raise InputError(f"{count} held-out stories asked for, {len(heldout)} exist")
        order = torch.randperm(len(usable), generator=stream(0, "split"))
        speaks = self._speaks(usable)
        pools = (
            Kinds(usable, order[aside:], speaks, "real story"),
            Kinds(heldout, torch.arange(len(heldout)), self._speaks(heldout), "held-out story"),
            Kinds(usable, order[:aside], speaks, "trusted story"),
        )

        def begin(t: int) -> Era:
            shares = [share_of(self.recipe.speech, i, self.recipe.eras) for i in range(t + 1)]
            rng = stream(t, "order")
            real, kept, trusted = (
                pool.choose(count, shares[first:], rng)
                for pool, count, first in zip(
                    # The held-out stories of every era are the same as far as its share allows.
                    pools, (n, self.recipe.heldout, reserve), (0, t, 0), strict=True,
                )
            )  # fmt: skip
            return Era(real=real, heldout=kept, trusted=trusted)

        return begin

    def _speaks(self, items: Items) -> Tensor:
        """(N,) whether there is a quotation mark in each."""
        vocabulary = self.publisher.tokenizer.get_vocab()
        marks = torch.tensor([number for token, number in vocabulary.items() if '"' in token])
        return torch.isin(items["tokens"], marks).any(1)

    def _published(self) -> dict[str, Tensor]:
        """Tokens (N, length) of all `usable` stories of the split `train` and of `heldout` ones.

        Tokenising takes half a minute, so it is done once on a machine and kept in the user's
        cache, by the files, the tokenizer and the recipe.
        """
        tokenizer = hashlib.sha256(self.publisher.tokenizer.to_str().encode()).hexdigest()
        recipe = self.recipe
        with open_repo(recipe.repo) as where:
            files = describe_files(recipe.repo, where)
        numbers = (self.publisher.length, recipe.stories, recipe.heldout, recipe.scanned)
        return keep_published("stories", repr((FORM, files, tokenizer, numbers)), self._publish)

    def _publish(self) -> dict[str, Tensor]:
        recipe, characters = self.recipe, CHARACTERS * self.publisher.length
        heldout = beginnings(recipe.repo, "validation", recipe.scanned * recipe.heldout, characters)
        seen = set(heldout)
        stories = beginnings(recipe.repo, "train", recipe.stories, characters)
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
