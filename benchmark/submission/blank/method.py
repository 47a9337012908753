"""Keeps a share of the newest crawl and fills up from the past; publishes a little cooler."""

from benchmark import Access, Items, Mitigation, Round, Sampling, TrainingSet


class Template(Mitigation):
    """Half of the training set is new, half is drawn from everything crawled before.

    Name the paper and the variant that this is, and what you chose that it leaves open. Hooks that
    you do not write do nothing; `loss` and `adjust` are the other two.
    """

    access = frozenset({Access.ARCHIVE})  # nothing else is handed over
    new = 0.5  # share of the newest crawl
    temperature = 0.98

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        newest = crawl.draw(int(self.new * round.n), round.rng)
        past = Items.concat(round.archive).draw(round.n - len(newest), round.rng)
        return TrainingSet(Items.concat([newest, past]))

    def sampling(self, round: Round) -> Sampling:
        return Sampling(temperature=self.temperature)
