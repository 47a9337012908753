"""Keeps the pairs whose picture tells most about the caption, by the own writer."""

from benchmark import Access, Items, Mitigation, Round, TrainingSet


class MutualInformationFilter(Mitigation):
    """The half of the crawl with the largest log p(caption | picture) - log p(caption).

    The pointwise mutual information of Li et al. 2016, "A diversity-promoting objective function
    for neural conversation models", arXiv 1510.03055 (with their lambda = 1), as a filter: unlike
    log p(caption | picture) alone (`likelihood_confident`) it does not prefer captions that are
    common anyway. Both terms are those of the own generator of t - 1.

    Not for text and images: there is nothing to be told about.
    """

    modalities = frozenset({"pair"})
    access = frozenset({Access.MODEL})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        information = round.log_prob(crawl) - round.log_prob(crawl, blind=True)
        order = information.argsort(descending=True, stable=True)
        return TrainingSet(crawl.take(order[: len(crawl) // 2]))
