"""Recaptioning: every picture of the crawl gets a new caption from the own writer."""

from benchmark import Access, Items, Mitigation, Round, TrainingSet


class Recaption(Mitigation):
    """Trains on the crawl's pictures with captions that the own generator of t - 1 writes of them.

    Synthetic captions in the place of noisy ones: CapFilt in BLIP (Li et al. 2022, arXiv
    2201.12086) and Nguyen et al. 2023, "Improving multimodal datasets with image captioning", arXiv
    2307.10350. Their captioners are trained on cleaner data than the crawl; a lineage has only its
    own.

    Not for text and images: they have no captions.
    """

    modalities = frozenset({"pair"})
    access = frozenset({Access.MODEL})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        return TrainingSet(round.fill(crawl, "tokens"))
