"""Nucleus sampling: publishes no unlikely tokens. A cautionary baseline."""

from benchmark import Mitigation, Round, Sampling


class Nucleus(Mitigation):
    """Every token comes from the smallest set that holds 95% of the probability.

    Holtzman et al. 2020, arXiv 1904.09751 (top-p with their p = 0.95). What helps a reader cuts the
    tails off: Dohmatob et al. 2024, "A tale of tails", arXiv 2402.07043, derive the loss that comes
    of it, and Drayson et al. 2025, arXiv 2502.15654, find that decoding decides how fast a lineage
    collapses.

    Not for images: a flow has no probabilities to cut. Pairs: of captions.
    """

    modalities = frozenset({"text", "pair"})
    top_p = 0.95

    def sampling(self, round: Round) -> Sampling:
        return Sampling(top_p=self.top_p)
