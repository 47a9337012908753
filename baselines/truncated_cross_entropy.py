"""Truncated cross-entropy: tokens that the model is sure of are left out of the loss."""

import math

from torch import Tensor

from benchmark import Mitigation


class TruncatedCrossEntropy(Mitigation):
    """The loss of a token counts only while its predicted probability is at most gamma.

    Shabgahi et al. 2025, "ForTIFAI", arXiv 2509.08972: TCE(p) = CE(p) if p <= gamma, else 0. As in
    their code the mean still divides by all tokens, masked ones too, and the mask passes no
    gradient. gamma = 0.8 is the default of their loss; they fine-tune billion-parameter models with
    0.99. Of the small suite's models 12% of the tokens have p > 0.8 and 1.4% have p > 0.99.

    Not for images: a squared error has no probability to compare with gamma, and most of it is the
    noise to be predicted, so a small one is luck rather than confidence. Pairs: of captions only,
    for the painter's is such an error.
    """

    modalities = frozenset({"text", "pair"})
    gamma = 0.8

    def loss(self, per_element: Tensor, outputs: Tensor) -> Tensor:
        if outputs.dim() == 2:  # velocities (B, ...), not logits (B, L, words)
            return per_element
        return per_element * (per_element >= -math.log(self.gamma))
