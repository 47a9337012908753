"""Stratified accumulation: train on n items, the same number from each crawl so far."""

from benchmark import Access, Items, Mitigation, Round, TrainingSet


class AccumulateStratified(Mitigation):
    """n/(t + 1) items drawn without replacement from each of the t + 1 crawls.

    Shi et al. 2025, "A closer look at model collapse: from a generalization-to-memorization
    perspective", where this is called "accumulated". It differs from `accumulate_subsample` only
    by the variance of the shares. A remainder goes to the newest crawls.
    """

    access = frozenset({Access.ARCHIVE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        crawls = [*round.archive, crawl]
        share, rest = divmod(round.n, len(crawls))
        counts = [share] * (len(crawls) - rest) + [share + 1] * rest
        drawn = [c.draw(k, round.rng) for c, k in zip(crawls, counts, strict=True)]
        return TrainingSet(Items.concat(drawn))
