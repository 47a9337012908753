"""Learns less from a crawl, the less the model knows of what it once was trained on."""

import math

from benchmark import Access, Items, Mitigation, Round, TrainingSet

ANCHORS = 0.1  # share of n
LEAST = 0.25  # share of the steps that is always taken


class LearningIntensity(Mitigation):
    """Takes fewer optimiser steps, the further the model has moved away from fixed anchors.

    Zhang 2026, "Silent collapse in recursive learning systems", arXiv 2605.14588 (Monitor, Trust,
    Regulator): statistics on anchors are monitored, trust follows them, and the intensity of
    learning follows trust. The paper monitors the entropy of anchors, the drift of their
    representations and the coverage of their tails; what stands in for them is ours: the mean
    log-probability of n/10 items of the first crawl, which are real (the paper asks for no such
    data), against that of as many own samples, in standard deviations of the latter. A model to
    which its own samples are likelier than the anchors has narrowed, or moved on; trust is
    exp(-gap). The paper's trust also remembers the generations before, which nothing but the
    archive does here; and it distrusts a model whose representations freeze, this one a model that
    has left the anchors. The constants are ours, not tuned. Never trains
    more, so it costs less. Should fail in a world that moves, where leaving the anchors behind is
    right.

    Not for pairs: a caption given its picture is as likely of an anchor as of an own sample, so
    that no step would be left out.
    """

    modalities = frozenset({"image", "text"})
    access = frozenset({Access.ARCHIVE, Access.MODEL})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        count = int(ANCHORS * round.n)
        own = round.log_prob(round.sample(count))
        anchors = round.log_prob(round.archive[0].take(slice(0, count)))
        gap = float((own.mean() - anchors.mean()) / own.std())
        intensity = max(LEAST, math.exp(-max(gap, 0.0)))
        return TrainingSet(crawl, steps=math.ceil(intensity * round.steps))
