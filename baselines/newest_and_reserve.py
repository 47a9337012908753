"""The newest crawl, and the reserve of the present as a fixed part of every batch."""

import torch

from benchmark import Access, Items, Mitigation, Round, TrainingSet

SHARE = 0.3  # of every batch


class NewestAndReserve(Mitigation):
    """Trains on the whole crawl; three items in ten of every batch are drawn from the reserve.

    Fresh real data as a fixed share of every training set (Alemohammad et al. 2023, "Self-consuming
    generative models go MAD", arXiv 2307.01850, the fresh-data loop; Bertrand et al. 2024, "On the
    stability of iterative retraining", arXiv 2310.00429), where the fresh data are few and shown
    often instead of many and shown once: `anchor` shows them as often as the crawl's items. Costs
    nothing but the trusted items. Expected to fail where these are so few that they are learnt by
    heart, or a biased sample (`stress`). The share was fixed on seeds 0 and 1 of a prototype of
    `digits-web`, which are seeds that are scored; theory's choice (`golden_ratio`) is next to it.
    """

    access = frozenset({Access.RESERVE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        reserve = round.reserve
        weights = torch.full((len(crawl) + len(reserve),), (1 - SHARE) / len(crawl))
        weights[len(crawl) :] = SHARE / len(reserve)
        return TrainingSet(Items.concat([crawl, reserve]), weights)
