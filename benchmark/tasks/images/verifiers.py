"""Frozen external scorers of images, for `VERIFIER`. That of digits is none of the
evaluator's networks; of pictures both are DINOv2."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.hub.repos import HubRepo
from benchmark.interface.items import Items
from benchmark.tasks import assets
from benchmark.tasks.images.networks import DigitClassifier, in_parts
from benchmark.tasks.images.pictures import load_pictures
from benchmark.tasks.images.vision import Vision


class PictureScorer:
    """(distance to the nearest other class mean) - (distance to the own one), in feature space.

    The class means are those of training images, never of held-out ones.
    """

    def __init__(
        self, network: HubRepo, data: HubRepo, column: str, size: int | None, images: int
    ) -> None:
        self.vision = Vision(network)
        train, _ = load_pictures(data, column)
        count = min(images, len(train))
        # Evenly spread: some datasets are sorted by class.
        rows = [i * len(train) // count for i in range(count)]
        known = train.take(rows, size)
        features, self.classes = self.vision.features(known["image"]), known["label"].unique()
        means = [features[known["label"] == label].mean(0) for label in self.classes]
        self.means = torch.stack(means)

    def __call__(self, items: Items) -> Tensor:
        distance = torch.cdist(self.vision.features(items["image"]), self.means)
        own = items["label"][:, None] == self.classes
        others = distance.masked_fill(own, torch.inf).min(1).values
        return others - (distance * own).sum(1)


def score_digits(items: Items) -> Tensor:
    """log p(label | image) under a classifier trained on real digits only."""
    return read_digits(items["image"]).gather(1, items["label"][:, None]).squeeze(1)


def read_digits(images: Tensor) -> Tensor:
    """(N, 10) log-probabilities of the classes of images (N, 1, 28, 28)."""
    network = assets.load_network("digits-verifier.safetensors", DigitClassifier)
    return in_parts(network.logits, images).log_softmax(-1)
