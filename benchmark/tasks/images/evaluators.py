"""What is measured of images: in the space of a small classifier or a pretrained network."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.hub.repos import HubRepo
from benchmark.interface.items import Items
from benchmark.metrics.distances import nearest
from benchmark.metrics.histograms import histogram, total_variation
from benchmark.metrics.tails import isolated, tail_mass
from benchmark.tasks import assets
from benchmark.tasks.images.networks import DigitFeatures, in_parts
from benchmark.tasks.images.vision import Vision
from benchmark.tasks.parts import Era, Profile
from benchmark.tasks.profile import FeatureEvaluator, Known


class ImageProfile(FeatureEvaluator):
    """What is measured of images, whatever network sees them."""

    most_pool = 5_000

    def classes(self, era: Era, known: Known, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """(C,) shares of the classes among held-out images and among the samples."""
        raise NotImplementedError

    def tail(self, era: Era, heldout: Tensor) -> Tensor:
        return isolated(heldout)

    def bins(self, era: Era, heldout: Tensor, pool: Tensor) -> Tensor:
        return nearest(pool, heldout)

    def particular(self, samples: Items, outputs: Tensor, era: Era, known: Known) -> Profile:
        return {
            "histogram_distance": total_variation(*self.classes(era, known, outputs)),
            "tail_mass": tail_mass(known.tail, known.bins, nearest(outputs, known.heldout)),
        }


class ImageEvaluator(ImageProfile):
    """Images in the space of a small digit classifier, which tells their classes, too."""

    def __init__(self) -> None:
        super().__init__()
        self.network = assets.load_network("digits-features.safetensors", DigitFeatures)

    def outputs(self, items: Items) -> Tensor:
        return in_parts(self.network, items["image"])

    def classes(self, era: Era, known: Known, outputs: Tensor) -> tuple[Tensor, Tensor]:
        return self._shares(known.heldout), self._shares(outputs)

    def misread(self, items: Items) -> float:
        """Share of the items whose label is not the digit that the network sees."""
        seen = self._logits(self.outputs(items)).argmax(1)
        return float((seen != items["label"]).double().mean())

    def _shares(self, features: Tensor) -> Tensor:
        logits = self._logits(features)
        return histogram(logits.argmax(1), logits.shape[1])

    @torch.no_grad()
    def _logits(self, features: Tensor) -> Tensor:
        return self.network.classify(features)


class PictureEvaluator(ImageProfile):
    """Images in the space of a vision transformer.

    An image's class, for the histogram, is that of the nearest mean of held-out images; not its
    label, which the generator was given.
    """

    most = 5_000

    def __init__(self, network: HubRepo) -> None:
        super().__init__()
        self.vision = Vision(network)

    def outputs(self, items: Items) -> Tensor:
        return self.vision.features(items["image"]).to(self.vision.device)

    def classes(self, era: Era, known: Known, outputs: Tensor) -> tuple[Tensor, Tensor]:
        labels = era.heldout["label"].to(known.heldout.device)
        means = torch.stack([known.heldout[labels == k].mean(0) for k in labels.unique()])

        def shares(features: Tensor) -> Tensor:
            return histogram(nearest(features, means), len(means))

        return shares(known.heldout), shares(outputs)
