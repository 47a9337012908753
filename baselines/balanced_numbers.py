"""Balanced captions: what is captioned alike counts up to a limit, so that rare captions stay."""

import torch

from benchmark import Items, Mitigation, Round, TrainingSet

MOST = 0.01  # share of the crawl that pairs of one caption may count for


class BalancedNumbers(Mitigation):
    """Every distinct caption counts as often as the crawl holds it, but at most n/100 times.

    MetaCLIP (Xu et al. 2023, "Demystifying CLIP data", arXiv 2309.16671): a pool of pairs is
    balanced over its metadata, entries above a limit t being thinned out to t. Their entries are
    half a million words and phrases, their t leaves the tail whole; here an entry is a caption, and
    pairs are weighted instead of dropped. Since real captions are not balanced either, the method
    trades what is common for what is rare.

    Not for text and images: they have no captions.
    """

    modalities = frozenset({"pair"})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        _, entry, count = torch.unique(
            crawl["tokens"], dim=0, return_inverse=True, return_counts=True
        )
        return TrainingSet(crawl, (MOST * len(crawl) / count[entry]).clamp(max=1))
