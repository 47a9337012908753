"""Replay of trusted real data, with a weight that decays over the generations."""

import torch

from benchmark import Access, Items, Mitigation, Round, TrainingSet


class ReplayDecay(Mitigation):
    """The reserve carries 1/(t + 1) of the training weight, the crawl the rest.

    The schedule is the share that the real items have in an ever-growing pool (Gerstgrasser et al.
    2024, "Is model collapse inevitable?", arXiv 2404.01413), given to the reserve alone: 1/2, 1/3,
    1/4, ... That harmonic rate is what keeps the error of accumulation bounded; a faster one, such
    as a geometric decay, would end as `nothing`. At t = 1 each reserve item weighs as much as
    n/|reserve| crawled ones, so the reserve may be learnt by heart.
    """

    access = frozenset({Access.RESERVE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        reserve, share = round.reserve, 1 / (round.generation + 1)
        weights = torch.full((len(reserve) + len(crawl),), (1 - share) / len(crawl))
        weights[: len(reserve)] = share / len(reserve)
        return TrainingSet(Items.concat([reserve, crawl]), weights)
