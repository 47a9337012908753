"""Watermark rejection: text marked by SynthID (images by a pattern), marked items dropped."""

from functools import partial

import torch
from torch import Tensor
from transformers import SynthIDTextWatermarkLogitsProcessor

from baselines._watermark import mark_pixels, pixel_scores, unmarked
from benchmark import Access, Items, Mitigation, Round, Sampling, TrainingSet

NGRAM, DEPTH, TABLE = 3, 3, 2**16


class WatermarkSynthID(Mitigation):
    """Tournament sampling: layers of keyed coin tosses choose among the tokens a model may write.

    SynthID-Text, Dathathri et al. 2024 (Nature 634, doi 10.1038/s41586-024-08025-4), as in
    transformers, detected by the weighted mean of its g-values. On average over keys it leaves the
    distribution of a text as it is. Its n-grams and layers are few, as texts of 64 tokens that are
    encoded again ask for. Images carry an additive pattern instead, the same as in
    `watermark_green_list`.
    """

    access = frozenset({Access.WATERMARK, Access.RESERVE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        crawled, trusted = (
            pixel_scores(items["image"], round.key)
            if "image" in items.columns
            else tournament_scores(items["tokens"], round.key)
            for items in (crawl, round.reserve)
        )
        return unmarked(crawl, round, crawled, trusted)

    def sampling(self, round: Round) -> Sampling:
        if round.modality != "text":  # seven words are too few for a mark
            return Sampling(pixels=partial(mark_pixels, key=round.key))
        return Sampling(logits=Tournament(round.key))


class Tournament(SynthIDTextWatermarkLogitsProcessor):
    """The library's, for batch after batch, with a faster look-up of the same g-values."""

    def __init__(self, key: int) -> None:
        keys = torch.randint(2**40, (DEPTH,), generator=torch.Generator().manual_seed(key))
        super().__init__(NGRAM, keys.tolist(), TABLE, 0, 1024, torch.device("cpu"))
        self.tosses = self.sampling_table.float()

    def sample_g_values(self, ngram_keys: Tensor) -> Tensor:
        return self.tosses[ngram_keys & (TABLE - 1)]

    def __call__(self, written: Tensor, logits: Tensor) -> Tensor:
        if not written.shape[1]:
            self.state = None  # a new batch begins
        return super().__call__(written, logits)


def tournament_scores(tokens: Tensor, key: int) -> Tensor:
    """(N,) means of g-values over a text's distinct contexts, weighted by layer."""
    tournament = Tournament(key)
    distinct = tournament.compute_context_repetition_mask(tokens)
    won = tournament.compute_g_values(tokens) @ torch.linspace(10, 1, DEPTH)
    return (won * distinct).sum(1) / distinct.sum(1)
