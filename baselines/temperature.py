"""Low temperature: publishes more of what is likely. A cautionary baseline."""

from benchmark import Mitigation, Round, Sampling


class Temperature(Mitigation):
    """Sampling at temperature 0.9: logits are divided by it, an image's initial noise multiplied.

    A sampling bias as in Alemohammad et al. 2023, "Self-consuming generative models go MAD", arXiv
    2307.01850: for a Gaussian, 0.9 is their lambda = 0.81 (a factor of the variance). It raises
    the quality of each item and narrows the published distribution; in a self-consuming loop the
    narrowing multiplies, also for text (Marchi et al. 2024, arXiv 2404.02325).
    """

    temperature = 0.9

    def sampling(self, round: Round) -> Sampling:
        return Sampling(temperature=self.temperature)
