"""The first crawl for ever: clean, and ever further from the present."""

from benchmark import Access, Items, Mitigation, Round, TrainingSet


class FirstCrawl(Mitigation):
    """Trains on the crawl of generation 0 in every generation.

    What "use data from before the models" comes to, the pre-2022 snapshot that is often
    recommended (see Shumailov et al. 2024, Nature 631, on the first mover's advantage). In a world
    that stands still it is as good as clean data; in one that moves it lags by as much as the world
    has moved (`docs/theory.md`, M2).
    """

    access = frozenset({Access.ARCHIVE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        return TrainingSet(round.archive[0])
