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
    probability = logits.softmax(-1)
    sure = probability.gather(-1, tokens.unsqueeze(-1)).squeeze(-1) >= p
    mass, candidates = probability.topk(top_k, -1)
    rank = torch.multinomial(mass.flatten(0, 1), 1, generator=rng).view_as(tokens)
    drawn = candidates.gather(-1, rank.unsqueeze(-1)).squeeze(-1)
    return torch.where(sure, drawn, tokens)


class TokenEditing(Mitigation):
    """Trains on the crawl with its predictable tokens resampled by the generator of t - 1.

    ToEdit, Zhu et al. 2024, arXiv 2412.14689: a prior language model reads the data once; tokens
    with P(x_i | x_<i) >= p are drawn again from the prior's top k = 8 at temperature 1. Two things
    differ. The paper edits human data with a large pretrained prior; here the crawl is edited,
    unlabelled as it is, and the prior is the own last generator. And the paper's p = 0.99 presumes
    such a prior: the small suite's generator reaches it on 0.07% of the tokens and would change
    next to none. p = 1/2 is used instead: a token more probable than all others together.

    Images: identity, since they have no tokens to resample. Pairs: identity, too: the paper's prior
    reads nothing but text, and a caption's words are its picture's.
    """

    access = frozenset({Access.MODEL})
    p, top_k = 0.5, 8

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        if round.modality != "text":
            return TrainingSet(crawl)
        parts = [crawl.take(slice(i, i + 250)) for i in range(0, len(crawl), 250)]
        tokens = [
            edited(part["tokens"], round.logits(part), self.p, self.top_k, round.rng)
            for part in parts
        ]
        return TrainingSet(Items(tokens=torch.cat(tokens)))
