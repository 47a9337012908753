"""An entropy reservoir: a tenth of the training set comes from the model at a high temperature."""

from benchmark import Access, Items, Mitigation, Round, Sampling, TrainingSet

SHARE, TEMPERATURE = 0.1, 1.3


class EntropyReservoir(Mitigation):
    """Replaces a tenth of the crawl by own samples at temperature 1.3.

    Chen 2025, "Entropy-reservoir Bregman projection", arXiv 2512.14879: every projection (training)
    is onto (1 - lambda) p + lambda r, where r has high entropy; then entropy has a floor above 0.
    Real data, bonuses and teachers are reservoirs to the paper; those are other baselines, so this
    one takes the reservoir that needs nobody: the model itself, heated. lambda = 0.1; the
    temperature is ours, not tuned. Costs n/10 samples. Cures narrowing, so it should fail wherever
    a loop's error is noise rather than narrowing, and feeds the loop's own output back.
    """

    access = frozenset({Access.MODEL})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        heated = round.sample(int(SHARE * round.n), Sampling(temperature=TEMPERATURE))
        kept = crawl.draw(round.n - len(heated), round.rng)
        return TrainingSet(Items.concat([kept, heated]))
