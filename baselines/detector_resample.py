"""Detects synthetic items and resamples the crawl towards the real ones."""

import torch
from torch import Tensor

from baselines._detector import detector
from benchmark import Access, Items, Mitigation, Round, TrainingSet

BIAS, REPEATS = 10, 3


class DetectorResample(Mitigation):
    """n items drawn from the crawl with weights (1 - confidence)^10, each at most three times.

    Drayson, Yilmaz and Lampos 2025, "Machine-generated text detection prevents language model
    collapse", arXiv 2502.15654: every item is repeated r = 3 times and the training set drawn from
    the repeats without replacement, b = 10. Two differences. They draw 1.5 n items, which means
    more training; here n. Their detector is a language model fine-tuned elsewhere and calibrated by
    a temperature; here the lineage trains its own (see `detector_threshold`), and least squares
    estimates the probability as it is.
    """

    access = frozenset({Access.MODEL, Access.RESERVE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        score, _ = detector(round)
        confidence = ((1 - score(crawl)) / 2).clamp(0, 1)
        return TrainingSet(crawl.take(resample(confidence, round.n, round.rng)))


def resample(confidence: Tensor, n: int, rng: torch.Generator) -> Tensor:
    """(n,) positions drawn one by one in proportion to (1 - confidence)^BIAS from `REPEATS` copies
    of each, as the n largest of log-weight plus Gumbel noise (the same law, without underflow)."""
    log_weight = BIAS * torch.log1p(-confidence.double().clamp(max=1 - 1e-9)).repeat(REPEATS)
    exponential = torch.empty_like(log_weight).exponential_(generator=rng)
    return (log_weight - exponential.log()).topk(n).indices % len(confidence)
