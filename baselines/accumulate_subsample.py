"""Accumulation at a fixed budget: train on n items drawn from everything ever crawled."""

from benchmark import Access, Items, Mitigation, Round, TrainingSet


class AccumulateSubsample(Mitigation):
    """n items drawn uniformly without replacement from the union of all crawls.

    Kazdan et al. 2024, "Collapse or thrive?" (accumulate-subsample).
    """

    access = frozenset({Access.ARCHIVE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        return TrainingSet(Items.concat([*round.archive, crawl]).draw(round.n, round.rng))
