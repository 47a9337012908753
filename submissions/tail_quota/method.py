"""Draws from everything crawled so that rare kinds of items keep the share they began with."""

import torch
from torch import Tensor

from benchmark import Access, Items, Mitigation, Round, TrainingSet


class TailQuota(Mitigation):
    """n items from the union of all crawls, weighted towards the first crawl's make-up.

    Items are sorted into cells by a statistic that needs no model: ink by class (images), or how
    rare the tokens of a block are (text). An item's weight is its cell's share in the first crawl
    over the cell's share in the union, so the training set has about the first crawl's shares and
    yet as many different items as there are: accumulate-subsample (Kazdan et al. 2024, arXiv
    2410.16713) with post-stratification weights.
    """

    access = frozenset({Access.ARCHIVE})
    bins = 10

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        first, pool = round.archive[0], Items.concat([*round.archive, crawl])
        inner = torch.linspace(0, 1, self.bins + 1)[1:-1]
        edges = statistic(first, first).quantile(inner)
        began, now = (self.cells(items, first, edges) for items in (first, pool))
        size = int(torch.cat([began, now]).max()) + 1
        share = began.bincount(minlength=size) / now.bincount(minlength=size).clamp(min=1)
        rows = torch.multinomial(share[now].float(), round.n, generator=round.rng)
        return TrainingSet(pool.take(rows))

    def cells(self, items: Items, first: Items, edges: Tensor) -> Tensor:
        """(N,) cell of every item."""
        cell = torch.bucketize(statistic(items, first), edges)
        return cell + self.bins * items["label"] if "label" in items.columns else cell


def statistic(items: Items, first: Items) -> Tensor:
    """(N,) mean brightness, or mean surprise of the tokens given how often `first` has them."""
    if "tokens" not in items.columns:
        return items["image"].float().flatten(1).mean(1)
    size = int(torch.cat([items["tokens"].flatten(), first["tokens"].flatten()]).max()) + 1
    counts = first["tokens"].flatten().bincount(minlength=size) + 1
    return -(counts / counts.sum()).log()[items["tokens"]].mean(1)
