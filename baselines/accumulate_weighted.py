"""All crawls, each weighted by how much of it is real, if that falls like one over its number."""

import torch

from benchmark import Access, Items, Mitigation, Round, TrainingSet


class AccumulateWeighted(Mitigation):
    """Trains on the union of all crawls; an item of crawl i is drawn at rate 1/(i + 1).

    Amin, Bie, Kong, Syed and Vassilvitskii 2026, "Learning from synthetic data: limitations of
    ERM", arXiv 2601.15468: the even union of generations that grow more synthetic is beaten by
    weights by generation. Of a crawl of n items of which a share a is real, the unbiased estimate
    has the precision of n a^2 real ones (Kanabar and Gastpar 2026, arXiv 2501.19273) and divides
    its mean by a, so that an item carries a. How much is real is not known to a method, so a is
    guessed as 1/(i + 1), the share that real data would have if every model published as much as
    the world. Their world stands still: the crawls that weigh most here are the stalest ones, so
    it should fail where `first_crawl` does (`docs/theory.md`, M2). Not tuned.
    """

    access = frozenset({Access.ARCHIVE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        crawls = [*round.archive, crawl]
        rates = [torch.full((len(c),), 1 / (i + 1)) for i, c in enumerate(crawls)]
        return TrainingSet(Items.concat(crawls), torch.cat(rates))
