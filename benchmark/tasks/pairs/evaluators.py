"""What is measured of pairs: pictures and captions, each alone and together."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.interface.generator import Generator
from benchmark.interface.items import Items
from benchmark.metrics.frechet import frechet_distance
from benchmark.metrics.histograms import histogram, total_variation
from benchmark.metrics.numbers import divergence, expected_kinds
from benchmark.metrics.tails import rarest, tail_mass
from benchmark.tasks.pairs.language import (
    HANDS,
    NUMBERS,
    WORDINGS,
    Meaning,
    digits_of,
    read_captions,
    until_end,
)
from benchmark.tasks.pairs.law import law_of
from benchmark.tasks.pairs.reader import Reader, name_hand
from benchmark.tasks.parts import Era, Profile
from benchmark.tasks.profile import FeatureEvaluator, Known


class PairEvaluator(FeatureEvaluator):
    """What all pairs are measured by. The entries that all modalities share are of pictures, in
    what a frozen reader's network sees; besides them

    - `log_frechet_joint`: of picture and caption together, see `measure_together`;
    - `log_frechet_caption`, `caption_coverage`: of captions alone;
    - `agreement`: of picture and caption, by the reader;
    - `blind_loss`: of the writer without pictures, in nats a word.
    """

    most = 2_000
    most_pool = 2_000

    def profile(self, generator: Generator, model: nn.Module, samples: Items, era: Era) -> Profile:
        profile = super().profile(generator, model, samples, era)
        words = int(until_end(era.heldout["tokens"]).sum())
        blind = -float(generator.log_prior(model, era.heldout).sum()) / words
        return profile | {"blind_loss": blind}


def measure_together(
    pictures: Tensor, captions: Tensor, real_pictures: Tensor, real_captions: Tensor
) -> Profile:
    """Logarithms of the Frechet distances of features (N, F) of pictures taken together with those
    of their captions (N, G) to the real ones' (DeVries et al. 2019, arXiv 1907.08175), which alone
    notices when both are right but do not belong together, and of the captions alone."""
    # Of real pairs, both halves of the joint features have the same norm on average.
    scale = real_pictures.norm(dim=1).mean() / real_captions.norm(dim=1).mean()
    captions, real_captions = scale * captions, scale * real_captions
    joint = frechet_distance(
        torch.cat([real_pictures, real_captions], 1), torch.cat([pictures, captions], 1)
    )
    alone = frechet_distance(real_captions, captions)
    return {
        "log_frechet_joint": math.log(max(joint, 1e-12)),
        "log_frechet_caption": math.log(max(alone, 1e-12)),
    }


class NumeralEvaluator(PairEvaluator):
    """Pictures of numbers by the exact reader; besides the entries of all pairs

    - `caption_recall`: of captions alone;
    - `digit_agreement`, `hand_agreement`: of picture and caption, by the reader;
    - `numbers`, `numbers_left`, `number_kl`: what is left of the law of numbers.
    """

    def __init__(self) -> None:
        super().__init__()
        self.reader = Reader()

    def outputs(self, items: Items) -> Tensor:
        return self.reader.features(items["image"])

    def pooled(self, outputs: Tensor) -> Tensor:
        return outputs.flatten(1)

    def tail(self, era: Era, heldout: Tensor) -> Tensor:
        return rarest(law_of(era))

    def bins(self, era: Era, heldout: Tensor, pool: Tensor) -> Tensor:
        return _numbers(read_captions(era.heldout["tokens"]))

    def particular(self, samples: Items, outputs: Tensor, era: Era, known: Known) -> Profile:
        law, captions = law_of(era), read_captions(samples["tokens"])
        real = read_captions(era.heldout["tokens"])
        seen = Meaning(*(said[: len(outputs)] for said in captions))
        numbers = _numbers(captions)
        named = len(numbers[numbers > 0].unique())
        return {
            **measure_together(
                outputs.flatten(1), embed_meaning(seen), known.heldout, embed_meaning(real)
            ),
            **self._agreements(samples["image"][: len(outputs)], outputs, seen),
            **_found(real, captions),
            "histogram_distance": total_variation(law, histogram(numbers, NUMBERS)),
            "tail_mass": tail_mass(known.tail, known.bins, numbers),
            "numbers": named,
            "numbers_left": named / expected_kinds(law, len(numbers)),
            "number_kl": divergence(histogram(numbers, NUMBERS), law),
        }

    def _agreements(self, images: Tensor, features: Tensor, said: Meaning) -> Profile:
        digits = self.reader.read(features)
        agreeing = self.reader.agreement(digits, said)
        shown, named = name_hand(self.reader.weigh(images, digits)), said.hand > 0
        rightly = ((shown == said.hand) & named).sum()
        return {
            "agreement": float(agreeing.all(1).double().mean()),
            "digit_agreement": float(agreeing.double().mean()),
            # Of captions that name a hand; 0 if none does.
            "hand_agreement": float(rightly / named.sum().clamp(min=1)),
        }


def embed_meaning(said: Meaning) -> Tensor:
    """(N, 38) exact features of captions: their digits, wording and hand, or that they say
    nothing; each is 0 or 1."""
    readable = said.readable[:, None].float()
    parts = [F.one_hot(digit, 10) for digit in digits_of(said.number.clamp(min=0)).unbind(1)]
    parts.append(F.one_hot(said.wording.clamp(min=0), WORDINGS))
    parts.append(F.one_hot(said.hand.clamp(min=0), len(HANDS)))
    return torch.cat([torch.cat(parts, 1) * readable, 1 - readable], 1)


def _found(real: Meaning, said: Meaning) -> Profile:
    """Shares of held-out captions whose number (recall), and which word for word (coverage), some
    sample has."""
    whole, real_whole = (
        (x.number * WORDINGS + x.wording) * len(HANDS) + x.hand for x in (said, real)
    )
    return {
        "caption_recall": float(torch.isin(real.number, said.number).double().mean()),
        "caption_coverage": float(torch.isin(real_whole, whole).double().mean()),
    }


def _numbers(said: Meaning) -> Tensor:
    """(N,) numbers of captions; what cannot be read counts as 0, which no real caption names."""
    return said.number.clamp(min=0)
