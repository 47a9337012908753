"""Short stories of a Hub dataset, such as TinyStories; an item is the beginning of one."""

from __future__ import annotations

from itertools import islice

import torch
from torch import Tensor

from benchmark.basics.errors import CorruptFile, InputError
from benchmark.hub.copies import home, reading, state_of
from benchmark.hub.repos import HubRepo
from benchmark.interface.items import Items
from benchmark.lineage.cache import FolderCache
from benchmark.tasks.parts import Splits
from benchmark.tasks.text.codec import publisher_of
from benchmark.tasks.text.recipes import StoriesData
from benchmark.tasks.text.speeches import CHARACTERS, normalise

SPLITS = ("train", "validation")  # as the recipe lists their files
FORM = 1  # of what is kept: another number where the code below publishes otherwise


class StoriesSource:
    """Pool and reserve are stories of the split `train`, the held-out set of `validation`.

    A story that is too short to fill a block is left out, and so is one that another one equals.
    """

    def __init__(self, recipe: StoriesData) -> None:
        self.recipe = recipe

    def splits(self, real: int, reserve: int, rng: torch.Generator) -> Splits:
        known = published(self.recipe)
        usable, heldout = Items(tokens=known["usable"]), Items(tokens=known["heldout"])
        if real + reserve > len(usable):
            raise InputError(f"{real + reserve} real stories asked for, {len(usable)} exist")
        if self.recipe.heldout > len(heldout):
            raise InputError(
                f"{self.recipe.heldout} held-out stories asked for, {len(heldout)} exist"
            )
        order = torch.randperm(len(usable), generator=rng)
        return Splits(
            real=usable.take(order[:real]),
            reserve=usable.take(order[real : real + reserve]),
            heldout=heldout.take(slice(0, self.recipe.heldout)),
        )


def published(recipe: StoriesData) -> dict[str, Tensor]:
    """Tokens (N, length) of all `usable` stories of the split `train` and of `heldout` ones.

    Tokenising takes half a minute, so it is done once on a machine and kept in the user's cache,
    by the files, the tokenizer and the recipe.
    """
    with reading(recipe.repo) as data, reading(recipe.tokens.repo) as tokenizer:
        files = (state_of(recipe.repo, data), state_of(recipe.tokens.repo, tokenizer))
    key = repr((FORM, files, recipe))
    folder = FolderCache(home() / "published")
    try:
        return folder.get("stories", key, lambda: _published(recipe)).tensors
    except CorruptFile:
        raise
    except InputError:  # a home that cannot be written costs time only
        return _published(recipe)


def _published(recipe: StoriesData) -> dict[str, Tensor]:
    characters = CHARACTERS * recipe.tokens.length
    heldout = beginnings(recipe.repo, "validation", recipe.scanned * recipe.heldout, characters)
    seen = set(heldout)
    stories = beginnings(recipe.repo, "train", recipe.stories, characters)
    publish = publisher_of(recipe.tokens).pass_through
    usable = publish([text for text in stories if text not in seen])
    return {"usable": usable["tokens"], "heldout": publish(heldout)["tokens"]}


def beginnings(repo: HubRepo, split: str, rows: int, characters: int) -> tuple[str, ...]:
    """The first `characters` characters of those of the first `rows` stories that have them.

    Raises:
        InputError: they cannot be had.
        CorruptFile: they cannot be read.
    """
    with reading(repo) as where:
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
