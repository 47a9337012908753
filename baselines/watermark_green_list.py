"""Watermark rejection: text marked by a green list (images by a pattern), marked items dropped."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import WatermarkLogitsProcessor

from baselines._watermark import mark_pixels, pixel_scores, unmarked
from benchmark import Access, Items, Mitigation, Round, Sampling, TrainingSet

GREEN, BIAS = 0.25, 2.0  # share of green tokens, and what is added to their logits


class WatermarkGreenList(Mitigation):
    """Soft green list of context width 1: the previous token decides which tokens are favoured.

    Kirchenbauer et al. 2023 (arXiv 2301.10226), Algorithm 2, with transformers' lists and usual
    settings; a text's repeated bigrams count once. The mark shifts what is written towards the
    green tokens. Images carry an additive pattern instead, the same as in `watermark_synthid`.
    """

    access = frozenset({Access.WATERMARK, Access.RESERVE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        crawled, trusted = (
            pixel_scores(items["image"], round.key)
            if "image" in items.columns
            else green_scores(items["tokens"], round.key, round.vocabulary)
            for items in (crawl, round.reserve)
        )
        return unmarked(crawl, round, crawled, trusted)

    def sampling(self, round: Round) -> Sampling:
        if round.modality != "text":  # seven words are too few for a mark
            return Sampling(pixels=partial(mark_pixels, key=round.key))
        return Sampling(logits=partial(favour, green_list(round.key, round.vocabulary)))


def green_list(key: int, vocabulary: int) -> Tensor:
    """(V, V): what is added to the logit of a token (column) after another (row).

    The library makes one row's list at a time, for every row of every step: all lists at once
    are the same and much faster.
    """
    processor = WatermarkLogitsProcessor(vocabulary, "cpu", GREEN, BIAS, hashing_key=key)
    return processor(torch.arange(vocabulary)[:, None], torch.zeros(vocabulary, vocabulary))


def favour(lists: Tensor, written: Tensor, logits: Tensor) -> Tensor:
    return logits + lists[written[:, -1]] if written.shape[1] else logits


def green_scores(tokens: Tensor, key: int, vocabulary: int) -> Tensor:
    """(N,) z-scores of the number of green tokens among a text's distinct bigrams."""
    bigrams, _ = (tokens[:, :-1] * vocabulary + tokens[:, 1:]).sort()
    distinct = F.pad(bigrams[:, 1:] != bigrams[:, :-1], (1, 0), value=True)
    green = (green_list(key, vocabulary).flatten()[bigrams] > 0) & distinct
    n = distinct.sum(1)
    return (green.sum(1) - GREEN * n) / (n * GREEN * (1 - GREEN)).sqrt()
