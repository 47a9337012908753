"""The evaluators of both modalities, with the entries that depend on the kind of item."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from benchmark import assets
from benchmark.data.sources import Splits
from benchmark.generators import language
from benchmark.generators.base import Generator
from benchmark.items import Items
from benchmark.metrics import ngrams
from benchmark.metrics.distances import nearest
from benchmark.metrics.histograms import histogram, total_variation
from benchmark.metrics.memorisation import above_chance, nearer_to_train
from benchmark.metrics.profile import Evaluator, FeatureEvaluator, Known, Profile
from benchmark.metrics.tails import isolated, rarest, tail_mass

__all__ = ["Evaluator", "ImageEvaluator", "Profile", "TextEvaluator"]

PAIRED = 1_000  # samples compared with every item of the real pool
SCORED = 250  # samples scored by the reference language model


class ImageEvaluator(FeatureEvaluator):
    """Images in the space of a small digit classifier; its bins are classes."""

    most_pool = 5_000

    def __init__(self) -> None:
        self.network = assets.network("digits-features.safetensors")

    @torch.no_grad()
    def outputs(self, items: Items) -> Tensor:
        return torch.cat([self.network(part) for part in items["image"].split(500)])

    def tail(self, splits: Splits, heldout: Tensor) -> Tensor:
        return isolated(heldout)

    def chance(self, splits: Splits, pool: int) -> float:
        return pool / (pool + len(splits.heldout))

    def particular(self, samples: Items, outputs: Tensor, known: Known) -> Profile:
        nearer = nearer_to_train(known.pool, known.heldout, outputs[:PAIRED])
        cells = [nearest(features, known.heldout) for features in (known.pool, outputs)]
        classes = [self._classes(features) for features in (known.heldout, outputs)]
        return {
            "memorisation": above_chance(nearer, known.chance),
            "histogram_distance": total_variation(*classes),
            "tail_mass": tail_mass(known.tail, *cells),
        }

    @torch.no_grad()
    def _classes(self, features: Tensor) -> Tensor:
        logits = self.network.head(features)
        return histogram(logits.argmax(1), logits.shape[1])


class TextProfile(FeatureEvaluator):
    """What is measured of text, whatever language model is the reference.

    Besides the common entries: `distinct_1` to `distinct_3`, `repetition` (of n-grams inside a
    block), `reference_loss` (nats per token of the samples under the frozen language model) and
    `bits_per_byte` (the held-out loss per byte of text, which no tokenizer enters).
    """

    vocab: int  # tokens that items may hold
    scored: int  # samples that the reference model scores
    copied: ngrams.Copied  # of the pool, set with the lineage's real data

    def texts(self, tokens: Tensor) -> list[str]:
        """Blocks of tokens as strings."""
        raise NotImplementedError

    def reference_loss(self, outputs: Tensor, tokens: Tensor) -> float:
        """Nats per token of the same samples under the reference model."""
        raise NotImplementedError

    def tail(self, splits: Splits, heldout: Tensor) -> Tensor:
        return rarest(histogram(_tokens(splits), self.vocab))

    def chance(self, splits: Splits, pool: int) -> float:
        self.copied = ngrams.Copied(splits.real["tokens"].numpy())
        return self.copied.share(splits.heldout["tokens"].numpy())

    def particular(self, samples: Items, outputs: Tensor, known: Known) -> Profile:
        tokens, splits = samples["tokens"], known.splits
        unigrams = [histogram(x, self.vocab) for x in (splits.heldout["tokens"], tokens)]
        copied = self.copied.share(tokens.numpy())
        return {
            "memorisation": above_chance(copied, known.chance),
            "histogram_distance": total_variation(*unigrams),
            "tail_mass": tail_mass(known.tail, _tokens(splits), tokens),
            **{f"distinct_{n}": ngrams.distinct(tokens.numpy(), n) for n in (1, 2, 3)},
            "repetition": ngrams.repetition(tokens.numpy()),
            "reference_loss": self.reference_loss(outputs[: self.scored], tokens[: self.scored]),
        }

    def profile(
        self, generator: Generator, model: nn.Module, samples: Items, splits: Splits
    ) -> Profile:
        profile = super().profile(generator, model, samples, splits)
        tokens = splits.heldout["tokens"]
        bits = profile["heldout_loss"] / math.log(2) * tokens.numel()
        size = sum(len(text.encode()) for text in self.texts(tokens))
        return profile | {"bits_per_byte": bits / size}


class TextEvaluator(TextProfile):
    """In the space of a small language model trained on other addresses than the test's."""

    most = 500
    most_pool = 250
    scored = SCORED

    def __init__(self) -> None:
        network = assets.network("speeches-reference.safetensors")
        self.vocab = network.config.vocab_size
        self.network: Any = network

    def outputs(self, items: Items) -> Tensor:
        parts = items["tokens"].split(250)
        return torch.cat([language.hidden_states(self.network, part) for part in parts])

    def pooled(self, outputs: Tensor) -> Tensor:
        return outputs.mean(1).float()

    def texts(self, tokens: Tensor) -> list[str]:
        return assets.tokenizer().decode_batch(tokens.tolist())

    @torch.no_grad()
    def reference_loss(self, outputs: Tensor, tokens: Tensor) -> float:
        parts = zip(outputs.split(100), tokens.split(100), strict=True)
        nats = [language.nll(self.network.lm_head(h), part) for h, part in parts]
        return float(torch.cat(nats).mean())


def _tokens(splits: Splits) -> Tensor:
    """(N, L) pool and held-out blocks: the more text, the surer which tokens are rare."""
    return torch.cat([splits.real["tokens"], splits.heldout["tokens"]])
