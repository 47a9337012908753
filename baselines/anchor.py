"""Real-data anchoring: the trusted reserve is part of every training set."""

from benchmark import Access, Items, Mitigation, Round, TrainingSet


class Anchor(Mitigation):
    """Replaces a random part of the crawl by the reserve, a tenth of n.

    Synthetic augmentation with a fixed real share (Alemohammad et al. 2024, MAD; Bertrand et al.
    2024), where the share is what the reserve affords.
    """

    access = frozenset({Access.RESERVE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        kept = crawl.draw(round.n - len(round.reserve), round.rng)
        return TrainingSet(Items.concat([kept, round.reserve]))
