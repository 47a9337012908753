"""Keeps what an external verifier likes best: the upper half of the crawl by its score."""

from benchmark import Access, Items, Mitigation, Round, TrainingSet


class VerifierFilter(Mitigation):
    """The half of the crawl with the highest score of the frozen external scorer.

    Feng et al. 2024, "Beyond model collapse: scaling up with synthesized data requires
    verification", arXiv 2406.07515: keep the top q by score, q = 1/2 here. They generate 1/q times
    more and train on n; here n/2 items are trained on for the usual number of steps. Images: the
    score is log p(label | image) of a classifier; text: the mean log-probability under a language
    model, both trained on real data; pairs: log p(the digits that the caption names | picture).
    """

    access = frozenset({Access.VERIFIER})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        order = round.verify(crawl).argsort(descending=True, stable=True)
        return TrainingSet(crawl.take(order[: len(crawl) // 2]))
