"""All crawls, sampled by age: a memory that fades."""

import torch

from benchmark import Access, Items, Mitigation, Round, TrainingSet


class AgeSampled(Mitigation):
    """Trains on the union of all crawls; an item of age i generations is drawn at rate 0.7^i.

    Between `accumulate` (rate 1) and `nothing` (rate 0). Older crawls are cleaner and staler, so
    the best rate depends on how fast the world moves (`docs/theory.md`, M3); 0.7 remembers about
    three crawls. Exponential forgetting is the usual remedy for drift in data streams (Gama et al.
    2014, "A survey on concept drift adaptation", ACM Computing Surveys 46). Not tuned.
    """

    access = frozenset({Access.ARCHIVE})
    rate = 0.7

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        crawls = [*round.archive, crawl]
        rates = [torch.full((len(c),), self.rate**age) for age, c in enumerate(reversed(crawls))]
        return TrainingSet(Items.concat(crawls), torch.cat(rates[::-1]))
