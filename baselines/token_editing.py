"""Token editing: tokens of the crawl that the model is sure of are drawn again."""

import torch
from torch import Tensor

from benchmark import Access, Items, Mitigation, Round, TrainingSet


def edited(tokens: Tensor, logits: Tensor, p: float, top_k: int, rng: torch.Generator) -> Tensor:
    """`tokens` (N, L), those of probability >= p drawn anew from the `top_k` most likely ones.

    Args:
        logits: (N, L, V), of every token given the original tokens before it: one forward pass,
            so an edit does not see the edits before it.
    """
    sure = probability_of(tokens, logits) >= p
    mass, candidates = logits.softmax(-1).topk(top_k, -1)
    rank = torch.multinomial(mass.flatten(0, 1), 1, generator=rng).view_as(tokens)
    drawn = candidates.gather(-1, rank.unsqueeze(-1)).squeeze(-1)
    return torch.where(sure, drawn, tokens)


def probability_of(tokens: Tensor, logits: Tensor) -> Tensor:
    """(N, L) probabilities of the tokens."""
    return logits.softmax(-1).gather(-1, tokens.unsqueeze(-1)).squeeze(-1)


class TokenEditing(Mitigation):
    """Trains on the crawl with its predictable tokens resampled by the generator of t - 1.

    ToEdit, Zhu et al. 2024, arXiv 2412.14689: a prior language model reads the data once; tokens
    with P(x_i | x_<i) >= p are drawn again from the prior's top k = 8 at temperature 1. Two things
    differ. The paper edits human data with a large pretrained prior; here the crawl is edited,
    unlabelled as it is, and the prior is the own last generator. And the paper's p = 0.99 presumes
    such a prior: the small suite's generator reaches it on 1.4% of the tokens. So p is the quantile
    that leaves the surest tenth, read from the first part of the crawl: about 0.87 there.

    Not for images, which have no tokens to resample, nor for pairs: the paper's prior reads nothing
    but text, and a caption's words are its picture's.
    """

    access = frozenset({Access.MODEL})
    modalities = frozenset({"text"})
    share, top_k = 0.1, 8

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        rows, p = [], None
        for start in range(0, len(crawl), 250):
            part = crawl.take(slice(start, start + 250))
            tokens, logits = part["tokens"], round.logits(part)
            if p is None:
                p = float(probability_of(tokens, logits).quantile(1 - self.share))
            rows.append(edited(tokens, logits, p, self.top_k, round.rng))
        return TrainingSet(Items(tokens=torch.cat(rows)))
