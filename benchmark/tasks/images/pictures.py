"""Colour images of a Hub dataset, such as CIFAR-10."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps

from benchmark.basics.errors import InputError
from benchmark.hub.copies import open_repo
from benchmark.interface.items import Items
from benchmark.tasks.images.codecs import PixelPublisher
from benchmark.tasks.images.recipes import PicturesData
from benchmark.tasks.parts import Publisher, Splits

SPLIT_SEED = 1790
SPLITS = ("train", "test")  # as the recipe lists their files


class PicturesSource:
    """Pool and reserve are drawn from the split `train`, the held-out set from `test`."""

    def __init__(self, recipe: PicturesData) -> None:
        self.recipe = recipe

    def splits(self, real: int, reserve: int, rng: torch.Generator) -> Splits:
        train, test = load(self.recipe)
        if real + reserve > len(train):
            raise InputError(f"{real + reserve} real images asked for, {len(train)} exist")
        if self.recipe.heldout > len(test):
            raise InputError(f"{self.recipe.heldout} held-out images asked for, {len(test)} exist")
        order = torch.randperm(len(train), generator=rng).tolist()
        fixed = torch.Generator().manual_seed(SPLIT_SEED)
        held = torch.randperm(len(test), generator=fixed)[: self.recipe.heldout].tolist()
        publish = publisher_of(self.recipe).pass_through
        return Splits(
            real=publish(taken(train, order[:real], self.recipe)),
            reserve=publish(taken(train, order[real : real + reserve], self.recipe)),
            heldout=publish(taken(test, held, self.recipe)),
        )


def publisher_of(recipe: PicturesData) -> Publisher:
    """Images in published form."""
    if recipe.codec is None:
        return PixelPublisher()
    from benchmark.tasks.images.codecs import LatentPublisher

    return LatentPublisher(recipe.codec)


def load(recipe: PicturesData) -> tuple[Any, Any]:
    """The splits `train` and `test` as `datasets.Dataset`s.

    Raises:
        InputError: they cannot be had.
        CorruptFile: they cannot be read.
    """
    with open_repo(recipe.repo) as where:
        return _loaded(**where, files=recipe.repo.files, column=recipe.column)


@lru_cache(maxsize=1)
def _loaded(
    path: str, files: tuple[str, ...], column: str, revision: str | None = None
) -> tuple[Any, Any]:
    import datasets

    found = datasets.load_dataset(
        path, revision=revision, data_files=dict(zip(SPLITS, files, strict=True))
    )
    train, test = (found[name].cast_column(column, datasets.Image()) for name in SPLITS)
    return train, test


def taken(dataset: Any, rows: Iterable[int], recipe: PicturesData) -> Items:
    """Items with `image` uint8 (N, 3, H, W) and `label` int64 (N,)."""
    part = dataset.select(rows)
    pictures = (image.convert("RGB") for image in part[recipe.column])
    if recipe.size is not None:
        square = (recipe.size, recipe.size)
        pictures = (ImageOps.fit(image, square, Image.Resampling.BICUBIC) for image in pictures)
    images = np.stack([np.asarray(image) for image in pictures])
    labels = torch.tensor(part["label"][:], dtype=torch.int64)
    return Items(image=torch.from_numpy(images).permute(0, 3, 1, 2), label=labels)
