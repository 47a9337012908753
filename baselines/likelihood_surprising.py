"""Keeps what surprises the own generator most: the lower half of the crawl by likelihood."""

from benchmark import Access, Items, Mitigation, Round, TrainingSet


class LikelihoodSurprising(Mitigation):
    """The half of the crawl with the lowest log-probability under the generator of t - 1.

    "Surplexity": Gambetta et al. 2024, "Learning by surprise", arXiv 2410.12341, which fine-tunes
    a language model on the documents of highest perplexity. Here every item has the same length,
    so the order by log-probability is the order by perplexity. Images: minus the denoising loss
    stands for the likelihood; pairs: it is that of the caption given the picture. The opposite sign
    is `likelihood_confident`.
    """

    access = frozenset({Access.MODEL})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        order = round.log_prob(crawl).argsort(stable=True)
        return TrainingSet(crawl.take(order[: len(crawl) // 2]))
