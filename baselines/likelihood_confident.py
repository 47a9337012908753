"""Keeps what the own generator finds most likely: the upper half of the crawl."""

from benchmark import Access, Items, Mitigation, Round, TrainingSet


class LikelihoodConfident(Mitigation):
    """The half of the crawl with the highest log-probability under the generator of t - 1.

    Keep-the-most-confident in the manner of self-verification (Fu et al. 2025, "Self-verification
    provably prevents model collapse in recursive synthetic training", NeurIPS) and of latent space
    filtering (Cai et al. 2025, arXiv 2511.12742), with the generator's own likelihood as the
    confidence; the latter trains a probe on the latents of generation 0. The opposite sign is
    `likelihood_surprising`. Images: minus the denoising loss stands for the likelihood; pairs:
    it is that of the caption given the picture.
    """

    access = frozenset({Access.MODEL})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        order = round.log_prob(crawl).argsort(descending=True, stable=True)
        return TrainingSet(crawl.take(order[: len(crawl) // 2]))
