"""Drops pairs whose caption disagrees with the picture, by the external verifier."""

import math

from benchmark import Access, Items, Mitigation, Round, TrainingSet

ODDS = 1 / 8  # that the picture shows what the caption names: 1/2 for each of three digits
LEAST = 0.1  # share of the crawl that is kept at any rate


class AgreementFilter(Mitigation):
    """Keeps pairs that agree, for an external scorer, in three digits each as likely as not.

    Captions are filtered so by BLIP's CapFilt (Li et al. 2022, arXiv 2201.12086) and, with a
    threshold on CLIP's similarity, by LAION-400M (Schuhmann et al. 2021, arXiv 2111.02114). The
    score is the verifier's log p(what the caption names | picture), of all three digits together,
    and its threshold log 1/8; `verifier_filter` keeps the half with the best scores, here only what
    disagrees goes. If nearly all does, the best tenth stays.

    Not for text and images: they have nothing to agree with.
    """

    modalities = frozenset({"pair"})
    access = frozenset({Access.VERIFIER})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        scores = round.verify(crawl)
        best = scores.argsort(descending=True, stable=True)
        count = max(int((scores > math.log(ODDS)).sum()), math.ceil(LEAST * len(crawl)))
        return TrainingSet(crawl.take(best[:count]))
