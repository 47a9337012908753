"""Repainting: every caption of the crawl gets a new picture from the own painter."""

from benchmark import Access, Items, Mitigation, Round, TrainingSet


class Repaint(Mitigation):
    """Trains on the crawl's captions with pictures that the own generator of t - 1 paints of them.

    Synthetic pictures for given captions, as in StableRep (Tian et al. 2023, arXiv 2306.00984) and
    SynthCLIP (Hammoud et al. 2024, arXiv 2402.01832), whose painters are pretrained elsewhere; a
    lineage has only its own. What is real of the crawl's pictures is lost: a cautionary baseline.

    Not for text and images: they have no captions.
    """

    modalities = frozenset({"pair"})
    access = frozenset({Access.MODEL})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        return TrainingSet(round.fill(crawl, "image"))
