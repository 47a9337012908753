"""Near-duplicate removal: drops the items that most resemble another item of the crawl."""

import torch
from torch import Tensor

from benchmark import Items, Mitigation, Round, TrainingSet

DROPPED = 0.2  # share of the crawl
BUCKETS = 4096
MULTIPLIERS = torch.tensor([1_000_003, 8_191, 131])  # of a 3-gram's tokens, in the hash


class Deduplicate(Mitigation):
    """Drops the fifth of every class whose nearest item earlier in the crawl is the most similar.

    SemDeDup (Abbas et al. 2023, arXiv 2303.09540): within a cluster, an item goes if its largest
    similarity to an item before it is above a threshold, and the threshold is set by the share to
    be kept. A blind method has no embedding, so similarity is measured on the items themselves.
    Images: cosine between centred pixels, with the class label as the cluster (over all classes it
    would thin out the ones, which all look alike). Text: Jaccard index of the sets of token
    3-grams, hashed into 4096 buckets, with one cluster; what MinHash approximates (Lee et al. 2022,
    arXiv 2107.06499) is exact at this size. Their fixed threshold of 0.8 would drop nothing: no
    two blocks that a generator samples are that close. Pairs: cosine between pictures, with the
    caption as the cluster; most captions have few pairs, so mean and fifth are the whole crawl's.
    Their code orders a cluster by the distance from its centre, here its order is the crawl's.
    """

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        column = next(c for c in ("image", "tokens", "x") if c in crawl.columns)
        content, mean = crawl[column], None
        cluster = torch.zeros(len(crawl))
        if "label" in crawl.columns:
            cluster = crawl["label"]
        elif round.modality == "pair":
            cluster = torch.unique(crawl["tokens"], dim=0, return_inverse=True)[1]
            mean = content.flatten(1).float().mean(0)
        groups = [torch.nonzero(cluster == value).squeeze(1) for value in cluster.unique()]
        earlier = torch.empty(len(crawl))
        for rows in groups:
            near = jaccard(content[rows]) if column == "tokens" else cosine(content[rows], mean)
            earlier[rows] = near.tril(-1).max(1).values
        if round.modality == "pair":
            groups = [torch.arange(len(crawl))]
        kept = []
        for rows in groups:
            order = earlier[rows].argsort(stable=True)
            kept.append(rows[order[: len(rows) - int(DROPPED * len(rows))]])
        return TrainingSet(crawl.take(torch.cat(kept)))


def cosine(content: Tensor, mean: Tensor | None) -> Tensor:
    """(N, N) cosines between rows centred on `mean`, or else on their own; `content` (N, ...)."""
    rows = content.flatten(1).float()
    rows = torch.nn.functional.normalize(rows - (rows.mean(0) if mean is None else mean))
    return rows @ rows.T


def jaccard(tokens: Tensor) -> Tensor:
    """(N, N) Jaccard indices of the rows' sets of 3-grams, up to hash collisions."""
    grams = (tokens.unfold(1, 3, 1) * MULTIPLIERS).sum(2) % BUCKETS
    sets = torch.zeros(len(tokens), BUCKETS).scatter_(1, grams, 1)
    common, size = sets @ sets.T, sets.sum(1)
    return common / (size[:, None] + size - common)
