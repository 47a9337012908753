"""Real data for one of the two models only: the painter sees the reserve, the writer does not."""

import torch
from torch import Tensor

from benchmark import Access, Items, Mitigation, Round, TrainingSet

SHARE = 1 / 3  # of the painter's batches that is trusted


class CrossmodalAnchor(Mitigation):
    """A third of what the painter is trained on is the reserve; the writer is trained on the crawl.

    Anchoring (see `anchor`) where the two models of a loop can be told apart. Gao and Li 2025,
    arXiv 2503.08117, show that what users bring to the painter keeps both from collapse, while to
    freeze one model does not save the other (`docs/theory.md`, P1). In a prototype of this task
    real pairs for the painter alone saved more than for the writer alone. The share was set
    beforehand, not tuned.

    Not for text and images: one model makes whole items.
    """

    modalities = frozenset({"pair"})
    access = frozenset({Access.RESERVE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        reserve = round.reserve
        weights = {
            "image": shared_out(SHARE, len(reserve), len(crawl)),
            "tokens": shared_out(0.0, len(reserve), len(crawl)),
        }
        return TrainingSet(Items.concat([reserve, crawl]), weights)


def shared_out(share: float, trusted: int, crawled: int) -> Tensor:
    """Weights of the trusted items, then of the crawled ones; the trusted weigh `share` in all."""
    weights = torch.full((trusted + crawled,), (1 - share) / crawled)
    weights[:trusted] = share / trusted
    return weights
