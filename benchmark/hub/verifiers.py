"""Frozen external scorers of suite `standard`."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.data.pictures import load, taken
from benchmark.hub.models import Reader, Vision
from benchmark.hub.recipes import PictureVerifier, StoryVerifier
from benchmark.hub.tokens import publisher_of
from benchmark.items import Items


class PictureScorer:
    """(distance to the nearest other class mean) - (distance to the own one), in feature space.

    The class means are those of training images, never of held-out ones.
    """

    def __init__(self, recipe: PictureVerifier) -> None:
        self.vision = Vision(recipe.network)
        train, _ = load(recipe.data)
        count = min(recipe.images, len(train))
        # Evenly spread: some datasets are sorted by class.
        known = taken(train, [i * len(train) // count for i in range(count)], recipe.data)
        features, self.classes = self.vision.features(known["image"]), known["label"].unique()
        means = [features[known["label"] == label].mean(0) for label in self.classes]
        self.means = torch.stack(means)

    def __call__(self, items: Items) -> Tensor:
        distance = torch.cdist(self.vision.features(items["image"]), self.means)
        own = items["label"][:, None] == self.classes
        others = distance.masked_fill(own, torch.inf).min(1).values
        return others - (distance * own).sum(1)


class StoryScorer:
    """Mean log-probability per token (nats) under a pretrained language model."""

    def __init__(self, recipe: StoryVerifier) -> None:
        self.reader = Reader(recipe.network)
        self.publisher = publisher_of(recipe.tokens)

    def __call__(self, items: Items) -> Tensor:
        nats, count = self.reader.read(self.publisher.text(items))[:, -2:].unbind(1)
        return -nats / count
