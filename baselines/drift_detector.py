"""A detector of synthetic items that is told by the archive what is age, and looks away from it."""

import torch
from torch import Tensor

from baselines._content import vectors
from benchmark import Access, Items, Mitigation, Round, TrainingSet

COMPONENTS = 1  # directions in which the crawls' means wander; the next ones hold models' errors
SHARE = 4  # one in so many of the first crawl, and as many own samples, train the detector
RIDGE = 0.1  # of the mean of the Gram matrix's diagonal


class DriftDetector(Mitigation):
    """The half of the crawl that most resembles the first crawl, age apart, against own samples.

    Fisher's linear discriminant tells items of the first crawl (real, but old) from own samples of
    today. What changed because the world moved is no sign of a model: the principal direction in
    which the means of the crawls wander is projected out first, as domains' differences are in
    invariant representations (Muandet et al. 2013, "Domain generalization via invariant feature
    representation", ICML). Needs no trusted items of the present, unlike `detector_threshold`; that
    the archive begins before the models is what "low-background" corpora are kept for. Costs n/4
    own samples. Should fail where models err in the direction of drift, or by more than the world
    moves, and where drift is no shift of a mean. Ours; not tuned.
    """

    access = frozenset({Access.ARCHIVE, Access.MODEL})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        crawls, few = (*round.archive, crawl), round.n // SHARE
        means = torch.stack([vectors(items).mean(0) for items in crawls])
        drift = torch.linalg.svd(means - means.mean(0), full_matrices=False).Vh[:COMPONENTS]
        old = without(vectors(crawls[0].take(slice(0, few))), drift)
        own = without(vectors(round.sample(few)), drift)
        score = vectors(crawl) @ without(separate(old, own)[None], drift)[0]
        best = score.argsort(descending=True, stable=True)[: len(crawl) // 2]
        return TrainingSet(crawl.take(best))


def without(x: Tensor, directions: Tensor) -> Tensor:
    """Rows of `x` (N, F) without their parts along orthonormal `directions` (K, F)."""
    return x - (x @ directions.T) @ directions


def separate(real: Tensor, own: Tensor) -> Tensor:
    """(F,) Fisher's direction (C + r I)^-1 (mean real - mean own) of `real` (N, F) and `own`
    (M, F), by the N + M side; C is the covariance within both."""
    x = torch.cat([real - real.mean(0), own - own.mean(0)])
    shift = real.mean(0) - own.mean(0)
    gram = x @ x.T / len(x)
    r = RIDGE * gram.diag().mean()
    inner = torch.linalg.solve(gram + r * torch.eye(len(x), dtype=x.dtype), x @ shift / len(x))
    return (shift - x.T @ inner) / r
