"""What is measured of one generation, on held-out real items that no method ever sees."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from benchmark import assets
from benchmark.data.sources import Splits
from benchmark.generators import language
from benchmark.generators.base import Generator
from benchmark.items import Items
from benchmark.metrics import ngrams
from benchmark.metrics.diversity import variance_ratio, vendi
from benchmark.metrics.frechet import frechet_distance
from benchmark.metrics.histograms import histogram, tail_mass, total_variation
from benchmark.metrics.kernel import kernel_distance
from benchmark.metrics.memorisation import above_chance, nearest_memorisation
from benchmark.metrics.modes import Modes
from benchmark.metrics.neighbours import prdc

Profile = dict[str, float]
PAIRED = 1_000  # samples compared with every item of the real pool


class Evaluator(Protocol):
    """Turns a model and its published samples into named numbers."""

    def profile(
        self, generator: Generator, model: nn.Module, samples: Items, splits: Splits
    ) -> Profile: ...


@dataclass(frozen=True)
class Known:
    """What is computed of a lineage's real data once.

    Attributes:
        splits: the real data.
        heldout: (H, F) features of the held-out items.
        pool: (P, F) features of the real pool's first items.
        modes: modes of `pool`.
        ambiguity: of the held-out items between those modes.
    """

    splits: Splits
    heldout: Tensor
    pool: Tensor
    modes: Modes
    ambiguity: float


class FeatureEvaluator:
    """The collapse profile in the feature space of a frozen network.

    Both modalities share these entries; `m` is a value of unseen real items.

    - `frechet`, `log_frechet`, `kernel_distance`: distance to the held-out items (m = 0; their
      floor at finite size is above 0 but for the unbiased kernel distance).
    - `precision`, `recall`, `density`, `coverage`: of nearest-neighbour balls (m near 1).
    - `vendi`: effective number of distinct items.
    - `variance_ratio`: total variance over the held-out items' (m = 1).
    - `entanglement`: how far items lie between modes, over the held-out items' (m = 1).
    - `memorisation`: closeness to the real pool beyond chance (m = 0, a copy of the pool 1).
    - `histogram_distance`: total variation of classes or tokens (m = 0 but for noise).
    - `tail_mass`: mass in the rarest decile of real modes or tokens, over the real (m = 1).
    - `heldout_loss`: of the model on the held-out items.
    """

    file: str
    most: int | None = None  # samples that are embedded (the first ones; their order is random)
    most_pool: int | None = None  # the same of the real pool

    def __init__(self) -> None:
        self.network = assets.network(self.file)
        self._known: Known | None = None

    def outputs(self, items: Items) -> Tensor:
        """(N, ...) what the frozen network gives for published items."""
        raise NotImplementedError

    def pooled(self, outputs: Tensor) -> Tensor:
        """(N, F) features from `outputs`."""
        return outputs

    def particular(self, samples: Items, outputs: Tensor, known: Known) -> Profile:
        """Entries whose computation depends on the modality; `outputs` of the first samples."""
        raise NotImplementedError

    def profile(
        self, generator: Generator, model: nn.Module, samples: Items, splits: Splits
    ) -> Profile:
        """Profile of one generation.

        Args:
            generator: the model's family.
            model: the generation's model.
            samples: what the model published.
            splits: the lineage's real data.
        """
        known = self._real(splits)
        outputs = self.outputs(samples.take(slice(0, self.most)))
        real, generated = known.heldout, self.pooled(outputs)
        frechet = frechet_distance(real, generated)
        return {
            "frechet": frechet,
            "log_frechet": math.log(max(frechet, 1e-12)),
            "kernel_distance": kernel_distance(real, generated),
            **prdc(real, generated),
            "vendi": vendi(generated),
            "variance_ratio": variance_ratio(real, generated),
            "entanglement": known.modes.ambiguity(generated) / known.ambiguity,
            **self.particular(samples, outputs, known),
            "heldout_loss": generator.loss(model, splits.heldout),
        }

    def _real(self, splits: Splits) -> Known:
        if self._known is None or self._known.splits is not splits:
            pool = splits.real.take(slice(0, self.most_pool))
            heldout, pooled = (self.pooled(self.outputs(x)) for x in (splits.heldout, pool))
            modes = Modes(pooled)
            self._known = Known(splits, heldout, pooled, modes, modes.ambiguity(heldout))
        return self._known


class ImageEvaluator(FeatureEvaluator):
    """Images in the space of a small digit classifier; bins are its classes and k-means modes."""

    file = "digits-features.safetensors"
    most_pool = 5_000

    @torch.no_grad()
    def outputs(self, items: Items) -> Tensor:
        return torch.cat([self.network(part) for part in items["image"].split(500)])

    def particular(self, samples: Items, outputs: Tensor, known: Known) -> Profile:
        modes, everything = known.modes, torch.cat([known.pool, known.heldout])
        classes = [self._classes(features) for features in (known.heldout, outputs)]
        return {
            "memorisation": nearest_memorisation(known.pool, known.heldout, outputs[:PAIRED]),
            "histogram_distance": total_variation(*classes),
            "tail_mass": tail_mass(modes.shares(everything), modes.shares(outputs)),
        }

    @torch.no_grad()
    def _classes(self, features: Tensor) -> Tensor:
        logits = self.network.head(features)
        return histogram(logits.argmax(1), logits.shape[1])


class TextEvaluator(FeatureEvaluator):
    """Text in the space of a small language model trained on other addresses than the test's.

    Besides the common entries: `distinct_1` to `distinct_3`, `repetition` (of n-grams inside a
    block), `reference_loss` (nats per token of the samples under the frozen language model) and
    `bits_per_byte` (the held-out loss per byte of text, which no tokenizer enters).
    """

    file = "speeches-reference.safetensors"
    most = 500
    most_pool = 500

    def __init__(self) -> None:
        super().__init__()
        self.network = language.half(self.network)
        self.vocab: int = self.network.config.vocab_size

    def outputs(self, items: Items) -> Tensor:
        parts = items["tokens"].split(250)
        return torch.cat([language.hidden_states(self.network, part) for part in parts])

    def pooled(self, outputs: Tensor) -> Tensor:
        return outputs.mean(1).float()

    def particular(self, samples: Items, outputs: Tensor, known: Known) -> Profile:
        tokens, splits = samples["tokens"], known.splits
        pool, heldout = splits.real["tokens"], splits.heldout["tokens"]
        everything = histogram(torch.cat([pool, heldout]), self.vocab)
        unigrams = histogram(tokens, self.vocab)
        copied, chance = (ngrams.copied(x.numpy(), pool.numpy()) for x in (tokens, heldout))
        return {
            "memorisation": above_chance(copied, chance),
            "histogram_distance": total_variation(histogram(heldout, self.vocab), unigrams),
            "tail_mass": tail_mass(everything, unigrams),
            **{f"distinct_{n}": ngrams.distinct(tokens.numpy(), n) for n in (1, 2, 3)},
            "repetition": ngrams.repetition(tokens.numpy()),
            "reference_loss": self._reference_loss(outputs, tokens[: len(outputs)]),
        }

    def profile(
        self, generator: Generator, model: nn.Module, samples: Items, splits: Splits
    ) -> Profile:
        profile = super().profile(generator, model, samples, splits)
        tokens = splits.heldout["tokens"]
        texts = assets.tokenizer().decode_batch(tokens.tolist())
        bits = profile["heldout_loss"] / math.log(2) * tokens.numel()
        return profile | {"bits_per_byte": bits / sum(len(text.encode()) for text in texts)}

    @torch.no_grad()
    def _reference_loss(self, hidden: Tensor, tokens: Tensor) -> float:
        parts = zip(hidden.split(100), tokens.split(100), strict=True)
        nats = [language.nll(self.network.lm_head(h), part) for h, part in parts]
        return float(torch.cat(nats).mean())
