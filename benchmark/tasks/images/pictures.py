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
from benchmark.hub.repos import HubRepo
from benchmark.interface.items import Items
from benchmark.tasks.parts import Publisher, Splits

SPLIT_SEED = 1790
SPLITS = ("train", "test")  # as the recipe lists their files


class PicturesSource:
    """Pool and reserve are drawn from the split `train`, the held-out set from `test`."""

    def __init__(
        self, repo: HubRepo, publisher: Publisher, heldout: int, column: str, size: int | None
    ) -> None:
        """As `PicturesData` says, with the publisher of its codec."""
        self.repo, self.publisher, self.heldout = repo, publisher, heldout
        self.column, self.size = column, size

    def splits(self, real: int, reserve: int, rng: torch.Generator) -> Splits:
        train, test = load_pictures(self.repo, self.column)
        if real + reserve > len(train):
            raise InputError(f"{real + reserve} real images asked for, {len(train)} exist")
        if self.heldout > len(test):
            raise InputError(f"{self.heldout} held-out images asked for, {len(test)} exist")
        order = torch.randperm(len(train), generator=rng).tolist()
        fixed = torch.Generator().manual_seed(SPLIT_SEED)
        held = torch.randperm(len(test), generator=fixed)[: self.heldout].tolist()

        def publish(split: Any, rows: list[int]) -> Items:
            return self.publisher.pass_through(take_pictures(split, rows, self.column, self.size))

        return Splits(
            real=publish(train, order[:real]),
            reserve=publish(train, order[real : real + reserve]),
            heldout=publish(test, held),
        )


def load_pictures(repo: HubRepo, column: str) -> tuple[Any, Any]:
    """The splits `train` and `test` as `datasets.Dataset`s.

    Raises:
        InputError: they cannot be had.
        CorruptFile: they cannot be read.
    """
    with open_repo(repo) as where:
        return _loaded(**where, files=repo.files, column=column)


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


def take_pictures(dataset: Any, rows: Iterable[int], column: str, size: int | None) -> Items:
    """Items with `image` uint8 (N, 3, H, W) and `label` int64 (N,)."""
    part = dataset.select(rows)
    pictures = (image.convert("RGB") for image in part[column])
    if size is not None:
        square = (size, size)
        pictures = (ImageOps.fit(image, square, Image.Resampling.BICUBIC) for image in pictures)
    images = np.stack([np.asarray(image) for image in pictures])
    labels = torch.tensor(part["label"][:], dtype=torch.int64)
    return Items(image=torch.from_numpy(images).permute(0, 3, 1, 2), label=labels)
