"""Keeps what surprises the own generator most: the lower half of the crawl by likelihood."""

from benchmark import Access, Items, Mitigation, Round, TrainingSet


class LikelihoodSurprising(Mitigation):
    """The half of the crawl with the lowest log-probability under the generator of t - 1.

    "Surplexity": Gambetta et al. 2024, "Learning by surprise", arXiv 2410.12341, which fine-tunes
    a language model on the documents of highest perplexity. Texts have one length here, so that
    their order by log-probability is that by perplexity. Images: minus the denoising loss stands
    for the likelihood; pairs: that of the caption given the picture, a word of it, its end among
    the words. The opposite sign, there of whole captions, is `likelihood_confident`. Should fail
    wherever what surprises most is what models spoilt.
    """

    access = frozenset({Access.MODEL})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        scores = round.log_prob(crawl)
        if round.modality == "pair":  # a caption ends before the first 0
            said = (crawl["tokens"] != 0).long().cumprod(1).sum(1)
            scores = scores / (said + 1).clamp(max=crawl["tokens"].shape[1])
        order = scores.argsort(stable=True)
        return TrainingSet(crawl.take(order[: len(crawl) // 2]))
