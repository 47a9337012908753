"""Neon: the model is moved away from what it becomes when it trains on its own samples."""

import copy
import math

import torch
from torch import nn

from benchmark import Access, Items, Mitigation, Round, TrainingSet


def extrapolated(model: nn.Module, degraded: nn.Module, w: float) -> nn.Module:
    """A copy of `model` with parameters theta_r - w (theta_s - theta_r); buffers stay."""
    result = copy.deepcopy(model)
    with torch.no_grad():
        for theta, s in zip(result.parameters(), degraded.parameters(), strict=True):
            theta.sub_(s - theta, alpha=w)
    return result


class Neon(Mitigation):
    """theta = (1 + w) theta_r - w theta_s, where theta_s is theta_r after some self-training.

    Alemohammad et al. 2025, arXiv 2510.03597, algorithm 1, in both modalities. The settings are
    those that the paper reports for flow matching on CIFAR-10 (figure D.1): half as many synthetic
    items as there are training items, 3% of the training steps (here taken from those of the
    generation), w = 1, also its optimum for an
    autoregressive model (VAR-d16); and a tenth of the learning rate, as for EDM on CIFAR-10. None
    was tuned here. The paper improves one model trained on real data; here every generation from 1
    on is improved, whatever its crawl held.

    The theory asks for a sampler that prefers likely items. Euler steps of a flow are one;
    ancestral sampling of text at temperature 1 is neutral, so text has no promise of a gain.
    """

    access = frozenset({Access.MODEL})
    w, share, rate = 1.0, 0.03, 0.1

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        return TrainingSet(crawl, steps=round.steps - self._steps(round))

    def adjust(self, model: nn.Module, round: Round) -> nn.Module:
        degraded = round.finetune(round.sample(round.n // 2), self._steps(round), rate=self.rate)
        return extrapolated(model, degraded, self.w)

    def _steps(self, round: Round) -> int:
        return math.ceil(self.share * round.steps)
