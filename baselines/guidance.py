"""Classifier-free guidance: publishes typical images of each class. A cautionary baseline."""

from benchmark import Mitigation, Round, Sampling


class Guidance(Mitigation):
    """v = v_null + (1 + w)(v_class - v_null) with w = 1.

    Ho and Salimans 2022, arXiv 2207.12598. In Alemohammad et al. 2023, "Self-consuming generative
    models go MAD", arXiv 2307.01850, guidance is a sampling bias lambda = 1/(1 + w), here
    1/2: precision holds or rises while recall falls faster than without.

    Not for text, whose tasks have no classes. Pairs: of the painter, whose class is the caption.
    """

    modalities = frozenset({"image", "pair"})
    w = 1.0

    def sampling(self, round: Round) -> Sampling:
        return Sampling(guidance=self.w)
