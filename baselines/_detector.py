"""A detector of synthetic items, trained on the reserve against the own generator's samples.

What it keeps of real and of synthetic items is in docs/findings.md. Own log-probabilities are left
out: real items that earlier models were trained on are likelier than the reserve, which was not.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from baselines._content import scale, vectors
from benchmark import Items, Round

RIDGES = (0.1, 0.3, 1.0, 3.0)
SAMPLES = 2  # own samples for each reserve item


def train(real: Items, synthetic: Items) -> tuple[Callable[[Items], Tensor], Tensor]:
    """Kernel ridge regression on +1 (real) and -1 (synthetic), both classes of equal weight.

    The score estimates P(real) - P(synthetic) at equal shares. The ridge is the one with the least
    leave-one-out error, which has a closed form: y - alpha/diag(inverse) (Rifkin and Lippert 2007).

    Returns:
        (score, held_out): `score` maps items to (N,) scores; `held_out` (len(real),) are the real
        items' leave-one-out scores.
    """
    x = vectors(Items.concat([real, synthetic]))
    centre, width = scale(x)
    x = (x - centre) / width
    y = torch.ones(len(x), dtype=x.dtype)
    y[len(real) :] = -1
    weight = torch.where(y > 0, len(x) / (2 * len(real)), len(x) / (2 * len(synthetic)))
    kernel = gaussian(x, x)
    fits = []
    for ridge in RIDGES:
        inverse = torch.cholesky_inverse(torch.linalg.cholesky(kernel + torch.diag(ridge / weight)))
        alpha = inverse @ y
        held_out = y - alpha / inverse.diag()
        fits.append((float((weight * (y - held_out) ** 2).mean()), alpha, held_out))
    _, alpha, held_out = min(fits, key=lambda fit: fit[0])

    def score(items: Items) -> Tensor:
        return gaussian((vectors(items) - centre) / width, x) @ alpha

    return score, held_out[: len(real)]


def detector(round: Round) -> tuple[Callable[[Items], Tensor], Tensor]:
    """`train` on the round's reserve and own samples. Needs `RESERVE` and `MODEL`."""
    reserve = round.reserve
    return train(reserve, round.sample(SAMPLES * len(reserve)))


def gaussian(a: Tensor, b: Tensor) -> Tensor:
    """(N, M) 1 + exp(-|a - b|^2/2): an intercept, and a bandwidth for distances about 2."""
    return torch.exp(-torch.cdist(a, b).square() / 2) + 1
