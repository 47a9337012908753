"""The evaluators of suite `standard`, in the spaces of pretrained networks.

Features stay where the network is: distances among thousands of items take a GPU milliseconds.
"""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.data.sources import Splits
from benchmark.hub.models import Reader, Vision
from benchmark.hub.recipes import PictureEvaluation, StoryEvaluation
from benchmark.hub.tokens import publisher_of
from benchmark.items import Items
from benchmark.metrics.distances import nearest
from benchmark.metrics.evaluator import PAIRED, TextProfile
from benchmark.metrics.histograms import histogram, total_variation
from benchmark.metrics.memorisation import above_chance, nearer_to_train
from benchmark.metrics.profile import FeatureEvaluator, Known, Profile
from benchmark.metrics.tails import isolated, tail_mass


class PictureEvaluator(FeatureEvaluator):
    """Images in the space of a vision transformer.

    An image's class, for the histogram, is that of the nearest mean of held-out images; not its
    label, which the generator was given.
    """

    most = 5_000
    most_pool = 5_000

    def __init__(self, recipe: PictureEvaluation) -> None:
        self.vision = Vision(recipe.network)

    def outputs(self, items: Items) -> Tensor:
        return self.vision.features(items["image"]).to(self.vision.device)

    def tail(self, splits: Splits, heldout: Tensor) -> Tensor:
        return isolated(heldout)

    def chance(self, splits: Splits, pool: int) -> float:
        return pool / (pool + len(splits.heldout))

    def particular(self, samples: Items, outputs: Tensor, known: Known) -> Profile:
        labels = known.splits.heldout["label"].to(known.heldout.device)
        means = torch.stack([known.heldout[labels == k].mean(0) for k in labels.unique()])
        classes = [histogram(nearest(x, means), len(means)) for x in (known.heldout, outputs)]
        nearer = nearer_to_train(known.pool, known.heldout, outputs[:PAIRED])
        cells = [nearest(features, known.heldout) for features in (known.pool, outputs)]
        return {
            "memorisation": above_chance(nearer, known.chance),
            "histogram_distance": total_variation(*classes),
            "tail_mass": tail_mass(known.tail, *cells),
        }


class StoryEvaluator(TextProfile):
    """Text in the space of a pretrained language model, which reads it in its own tokens."""

    most = 2_000
    most_pool = 2_000
    scored = 2_000

    def __init__(self, recipe: StoryEvaluation) -> None:
        self.reader = Reader(recipe.network)
        self.publisher = publisher_of(recipe.tokens)
        self.vocab = recipe.tokens.vocabulary

    def outputs(self, items: Items) -> Tensor:
        return self.reader.read(self.texts(items["tokens"])).to(self.reader.device)

    def pooled(self, outputs: Tensor) -> Tensor:
        return outputs[:, :-2]

    def texts(self, tokens: Tensor) -> list[str]:
        return self.publisher.text(Items(tokens=tokens))

    def reference_loss(self, outputs: Tensor, tokens: Tensor) -> float:
        nats, count = outputs[:, -2:].double().sum(0)
        return float(nats / count)
