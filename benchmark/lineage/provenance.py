"""What a training set consists of: rows matched, by their content, to the crawls they come from.

For the record only; no method sees it.
"""

from __future__ import annotations

import numpy as np
from torch import Tensor

from benchmark.basics.files import bytes_of
from benchmark.interface.items import Items, TrainingSet
from benchmark.interface.sources import FOREIGN, REAL

# Codes of a row's origin, in the order of their names.
SOURCES = ("real", "own", "foreign", "reserve", "other")


class Composition:
    """Remembers the rows of every crawl and of the reserve.

    An item that a method changed or sampled itself is `other`. A row that several sources
    published counts for the first of them: the reserve, then the oldest crawl, which is real.
    """

    def __init__(self, reserve: Items) -> None:
        self._rows = [_fingerprints(reserve)]
        self._origins = [np.full(len(reserve), SOURCES.index("reserve"))]

    def add(self, crawl: Items, provenance: Tensor) -> None:
        """The newest crawl, with its true provenance."""
        own, real, foreign = (SOURCES.index(name) for name in ("own", "real", "foreign"))
        made = provenance.numpy()
        origin = np.where(made == REAL, real, np.where(made == FOREIGN, foreign, own))
        self._rows.append(_fingerprints(crawl))
        self._origins.append(origin)

    def describe(self, training: TrainingSet) -> dict[str, dict[str, float]]:
        """Two dictionaries of shares.

        `trained_on`: of the training set's weight, by source; adds up to 1.
        `kept`: of the newest crawl's items of a source, those in the training set with a positive
        weight. For a filter, `kept["real"]` is 1 - its false-positive rate, and
        `kept["synthetic"]` (own and foreign together) 1 - its true-positive rate. Sources that the
        crawl has none of are left out.
        """
        rows = _fingerprints(training.items)
        weights = np.ones(len(rows))
        if training.weights is not None:
            weights = training.weights.double().numpy()
        known, first = np.unique(np.concatenate(self._rows), return_index=True)
        origin = np.concatenate(self._origins)[first]
        at = np.minimum(np.searchsorted(known, rows), len(known) - 1)
        found = np.where(known[at] == rows, origin[at], SOURCES.index("other"))
        share = np.bincount(found, weights, len(SOURCES)) / weights.sum()

        crawl, made = self._rows[-1], self._origins[-1]
        stays = np.isin(crawl, rows[weights > 0])
        groups = {name: made == SOURCES.index(name) for name in ("real", "own", "foreign")}
        groups["synthetic"] = ~groups["real"]
        return {
            "trained_on": dict(zip(SOURCES, share.round(6).tolist(), strict=True)),
            "kept": {
                name: round(float(stays[group].mean()), 6)
                for name, group in groups.items()
                if group.any()
            },
        }


def _fingerprints(items: Items) -> np.ndarray:
    """(N,) 64-bit hashes of the items' rows: a random linear function of their 64-bit words."""
    total = np.zeros(len(items), dtype=np.uint64)
    for number, name in enumerate(items.columns):
        column = bytes_of(items[name]).numpy()
        spare = -column.shape[1] % 8
        if spare:
            column = np.pad(column, ((0, 0), (0, spare)))
        words = column.view(np.uint64)
        rng = np.random.default_rng([1790, number])
        factors = rng.integers(2**63, size=words.shape[1], dtype=np.uint64) | np.uint64(1)
        for start in range(0, len(words), 1000):  # small enough for the processor's cache
            part = words[start : start + 1000]
            # Folding first: alone, a word's high bytes would only reach the product's high bits.
            total[start : start + 1000] += ((part ^ (part >> np.uint64(29))) * factors).sum(1)
    return total
