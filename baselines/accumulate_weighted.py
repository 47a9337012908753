"""All crawls, each weighted by what it is worth if contamination grows like one over its age."""

import torch

from benchmark import Access, Items, Mitigation, Round, TrainingSet


class AccumulateWeighted(Mitigation):
    """Trains on the union of all crawls; an item of crawl i is drawn at rate 1/(i + 1).

    Amin, Bie, Kong, Syed and Vassilvitskii 2026, "Learning from synthetic data: limitations of
    ERM", arXiv 2601.15468: the even union of generations that grow more synthetic is beaten by
    weights by generation. A crawl of n items of which a share a is real is worth n a^2 of them
    (Kanabar and Gastpar 2026, arXiv 2501.19273); how much is real is not known to a method, so it
    is guessed as 1/(i + 1), the share that real data would have if every model published as much as
    the world. Their world stands still: the crawls that weigh most here are the stalest ones, so
    it should fail where `first_crawl` does (`docs/theory.md`, M2). Not tuned.
    """

    access = frozenset({Access.ARCHIVE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        crawls = [*round.archive, crawl]
        rates = [torch.full((len(c),), 1 / (i + 1)) for i, c in enumerate(crawls)]
        return TrainingSet(Items.concat(crawls), torch.cat(rates))
