"""Detects synthetic items and drops those above a threshold."""

from baselines._detector import detector
from benchmark import Access, Items, Mitigation, Round, TrainingSet

FALSE_POSITIVES = 0.2  # share of the reserve, held out, that the threshold drops
DROPPED = 2 / 3  # of the crawl, at most


class DetectorThreshold(Mitigation):
    """Trains on the crawled items that the detector finds at least as real as the threshold.

    The hard-threshold alternative in Drayson, Yilmaz and Lampos 2025, arXiv 2502.15654, whose
    detector is a language model fine-tuned elsewhere; here the lineage trains its own, on the
    reserve against its own samples. The threshold is the reserve's 20% quantile of leave-one-out
    scores; where fewer than a third of the crawl reach it (in a crawl without real items, perhaps
    none), the best third is kept, the least that `detector_resample` can choose. Both shares were
    set beforehand, not tuned.
    """

    access = frozenset({Access.MODEL, Access.RESERVE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        score, held_out = detector(round)
        scores = score(crawl)
        threshold = min(held_out.quantile(FALSE_POSITIVES), scores.quantile(DROPPED))
        return TrainingSet(crawl.take(scores >= threshold))
