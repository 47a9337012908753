"""SIMS: sampling is guided away from a copy of the model that trained on its own samples."""

import math

from benchmark import Access, Items, Mitigation, Round, Sampling, TrainingSet


class Sims(Mitigation):
    """v = (1 + w) v_r - w v_s in every sampling step, with v_s of the auxiliary model.

    Alemohammad et al. 2024, "Self-improving diffusion models with synthetic data", arXiv
    2408.16333, algorithm 1, for a velocity in place of a score. The auxiliary model is the
    generator after fine-tuning on its own samples, made anew in each generation but generation 0,
    which is common to all methods and leaves no steps. It takes twice as many synthetic items as
    there are training items and 20% of the training steps, the CIFAR-10 budget that later
    comparisons give for it; here they are taken from those of the generation. w = 1 and a tenth of
    the learning rate as in Neon, its counterpart in weight space; the paper tunes w for the best
    Frechet distance, here nothing was tuned.

    The paper's base model is trained on real data only; here it is trained on the crawl. Sampling
    costs twice the forward passes.

    Not for text: the method is defined for scores, and `Sampling.negative` acts on images; of pairs
    on the painter.
    """

    access = frozenset({Access.MODEL})
    modalities = frozenset({"image", "pair"})
    w, share, rate = 1.0, 0.2, 0.1

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        return TrainingSet(crawl, steps=round.steps - self._steps(round))

    def sampling(self, round: Round) -> Sampling:
        if round.generation == 0:
            return Sampling()
        samples = round.sample(2 * round.n)
        negative = round.finetune(samples, self._steps(round), rate=self.rate)
        return Sampling(guidance=self.w, negative=negative)

    def _steps(self, round: Round) -> int:
        return math.ceil(self.share * round.steps)
