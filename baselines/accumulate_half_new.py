"""Accumulation that favours the new: half the newest crawl, half from all earlier ones."""

from benchmark import Access, Items, Mitigation, Round, TrainingSet


class AccumulateHalfNew(Mitigation):
    """n/2 items of the newest crawl and n/2 drawn uniformly from the union of the earlier ones.

    Drayson, Yilmaz and Lampos 2025, "Machine-generated text detection prevents language model
    collapse", arXiv 2502.15654, whose released code calls this mixture "accumulate". The past
    keeps half the training set however many generations it spans. Theirs is of synthetic
    generations only, beside all of the human data, whose prompts are half of every item; here the
    first crawl, which is real, is one of the earlier ones.
    """

    access = frozenset({Access.ARCHIVE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        past = Items.concat(round.archive).draw(round.n // 2, round.rng)
        new = crawl.draw(round.n - len(past), round.rng)
        return TrainingSet(Items.concat([new, past]))
