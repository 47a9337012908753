"""Colour images of a Hub dataset, such as CIFAR-10."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from benchmark.basics.errors import InputError
from benchmark.hub.copies import open_repo
from benchmark.hub.repos import HubRepo
from benchmark.interface.items import Items
from benchmark.tasks.images.slant import change_images
from benchmark.tasks.parts import Era, Publisher, Stream, World

if TYPE_CHECKING:
    from benchmark.tasks.images.recipes import PicturesData

RESERVED = 2  # images set aside for each trusted item of an era
SPLITS = ("train", "test")  # as the recipe lists their files
MOST_KEPT = 1 << 30  # bytes of a split's decoded images


class PicturesSource:
    """Real and trusted images are of the split `train`, which every lineage divides anew, held-out
    ones of `test`. All are handed out mirrored or not and changed a little: none comes twice. In
    era t all lean and have their colours turned by as much as the world has moved.
    """

    def __init__(self, recipe: PicturesData, publisher: Publisher) -> None:
        """With the publisher of the recipe's codec."""
        self.recipe, self.publisher = recipe, publisher

    def world(self, n: int, reserve: int, stream: Stream) -> World:
        recipe = self.recipe
        train, test = load_pictures(recipe.repo, recipe.column)
        aside = reserve * RESERVED
        if n + aside > len(train):
            raise InputError(f"{n + aside} real images asked for, {len(train)} exist")
        if recipe.heldout > len(test):
            raise InputError(f"{recipe.heldout} held-out images asked for, {len(test)} exist")
        order = torch.randperm(len(train), generator=stream(0, "split"))

        def begin(t: int) -> Era:
            moved = t - recipe.eras / 2

            def show(split: Split, rows: Tensor, count: int, purpose: str) -> Items:
                rng = stream(t, purpose)
                chosen = rows[torch.randperm(len(rows), generator=rng)[:count]].tolist()
                items = split.take(chosen, recipe.size)
                flipped = torch.rand(count, generator=rng) < 0.5
                mirrored = items["image"].flip(3)
                images = torch.where(flipped[:, None, None, None], mirrored, items["image"])
                images = change_images(images, recipe.slant * moved, rng, "reflection")
                images = turn_hue(images, recipe.hue * moved)
                return self.publisher.pass_through(Items(image=images, label=items["label"]))

            return Era(
                real=show(train, order[aside:], n, "real"),
                heldout=show(test, torch.arange(len(test)), recipe.heldout, "held out"),
                trusted=show(train, order[:aside], reserve, "trusted"),
            )

        return begin


def turn_hue(images: Tensor, degrees: float) -> Tensor:
    """uint8 (N, 3, H, W) images with all colours turned about the axis of greys by `degrees`, as in
    Haeberli 1993, "Matrix operations for image processing"; greys stay."""
    if not degrees:
        return images
    angle = math.radians(degrees)
    same = math.cos(angle) + (1 - math.cos(angle)) / 3
    less, more = ((1 - math.cos(angle)) / 3 + sign * math.sin(angle) / math.sqrt(3)
                  for sign in (-1, 1))  # fmt: skip
    matrix = torch.tensor([[same, less, more], [more, same, less], [less, more, same]])
    turned = torch.einsum("ij,njhw->nihw", matrix, images.float())
    return turned.round().clamp(0, 255).to(torch.uint8)


class Split:
    """Labelled images of a dataset's split. A decoded one is kept, as long as the memory for them
    lasts: every era hands out most of them again."""

    def __init__(self, dataset: Any, column: str) -> None:
        """Of a `datasets.Dataset`, whose `column` holds images."""
        self.dataset, self.column = dataset, column
        self._kept: dict[int | None, dict[int, Tensor]] = {}  # by size, by row

    def __len__(self) -> int:
        return len(self.dataset)

    def take(self, rows: Sequence[int], size: int | None) -> Items:
        """Items with `image` uint8 (N, 3, H, W) and `label` int64 (N,); the middle square of each
        scaled to `size`, if given."""
        kept = self._kept.setdefault(size, {})
        decoded = self._decode([row for row in rows if row not in kept], size)
        if decoded:
            room = MOST_KEPT // next(iter(decoded.values())).numel() - len(kept)
            kept.update(islice(decoded.items(), max(0, room)))
        images = [kept[row] if row in kept else decoded[row] for row in rows]
        labels = torch.tensor(self.dataset.select(rows)["label"][:], dtype=torch.int64)
        return Items(image=torch.stack(images), label=labels)

    def _decode(self, rows: Sequence[int], size: int | None) -> dict[int, Tensor]:
        pictures = (image.convert("RGB") for image in self.dataset.select(rows)[self.column])
        if size is not None:
            square = (size, size)
            pictures = (ImageOps.fit(image, square, Image.Resampling.BICUBIC) for image in pictures)
        images = (torch.from_numpy(np.array(image)).permute(2, 0, 1) for image in pictures)
        return dict(zip(rows, images, strict=True))


def load_pictures(repo: HubRepo, column: str) -> tuple[Split, Split]:
    """The splits `train` and `test`.

    Raises:
        InputError: they cannot be had.
        CorruptFile: they cannot be read.
    """
    with open_repo(repo) as where:
        return _loaded(**where, files=repo.files, column=column)


@lru_cache(maxsize=1)
def _loaded(
    path: str, files: tuple[str, ...], column: str, revision: str | None = None
) -> tuple[Split, Split]:
    import datasets

    found = datasets.load_dataset(
        path, revision=revision, data_files=dict(zip(SPLITS, files, strict=True))
    )
    train, test = (
        Split(found[name].cast_column(column, datasets.Image()), column) for name in SPLITS
    )
    return train, test
