"""What a training set consists of: rows matched, by their content, to the crawls they come from.

For the record only; no method sees it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmark.interface.items import Items, TrainingSet, read_columns
from benchmark.interface.sources import FOREIGN, REAL

# Codes of a row's origin, in the order of their names.
SOURCES = ("real", "own", "foreign", "reserve", "other")
REAL_, OWN, FOREIGN_, RESERVE, OTHER = range(len(SOURCES))


class Composition:
    """Remembers the rows of what the method can take items from.

    An item that a method changed or sampled itself is `other`. A row that several sources
    published counts for the first of them: the reserve, then the oldest crawl, which is real.

    Args:
        reserve: whether the method is given trusted items.
        archive: whether it is given earlier crawls.
    """

    def __init__(self, reserve: bool = True, archive: bool = True) -> None:
        self._reserve, self._archive = reserve, archive
        self._trusted: dict[int, int] = {}
        self._origin: dict[int, int] = {}
        self._crawls: list[tuple[Items, np.ndarray]] = []  # whose rows are not in `_origin` yet

    def trust(self, reserve: Items) -> None:
        """The trusted items of another era."""
        if self._reserve:
            self._trusted |= dict.fromkeys(reserve.fingerprints(), RESERVE)
            self._origin |= self._trusted

    def add(self, crawl: Items, provenance: Tensor) -> None:
        """The newest crawl, with its true provenance."""
        made = provenance.numpy()
        made = np.where(made == REAL, REAL_, np.where(made == FOREIGN, FOREIGN_, OWN))
        if not self._archive:
            self._origin, self._crawls = self._trusted.copy(), []
        self._crawls.append((crawl, made))

    def describe(self, training: TrainingSet) -> dict[str, dict[str, float]]:
        """Two dictionaries of shares.

        `trained_on`: of the training set's weight, by source; adds up to 1.
        `kept`: of the newest crawl's items of a source, those in the training set with a positive
        weight. For a filter, `kept["real"]` is 1 - its false-positive rate, and
        `kept["synthetic"]` (own and foreign together) 1 - its true-positive rate. Sources that the
        crawl has none of are left out.
        """
        crawl, made = self._crawls[-1]
        weights = _whole_weights(training)
        positive = np.s_[:] if weights is None else np.flatnonzero(weights > 0)
        if training.items is crawl and not (self._archive or self._trusted):  # nothing to match
            found, stays = made, positive
        else:
            found, stays = self._matched(training.items, positive)
        total = np.bincount(found, weights, len(SOURCES))
        share = total / total.sum()
        groups = {SOURCES[source]: [source] for source in (REAL_, OWN, FOREIGN_)}
        groups["synthetic"] = [OWN, FOREIGN_]
        there = np.bincount(made, minlength=len(SOURCES)).tolist()
        kept = np.bincount(made[stays], minlength=len(SOURCES)).tolist()
        return {
            "trained_on": dict(zip(SOURCES, share.round(6).tolist(), strict=True)),
            "kept": {
                name: round(sum(kept[s] for s in group) / sum(there[s] for s in group), 6)
                for name, group in groups.items()
                if any(there[s] for s in group)
            },
        }

    def _matched(self, items: Items, positive: Any) -> tuple[np.ndarray, np.ndarray]:
        """The origins of `items`, and which of the newest crawl's are among those at `positive`."""
        for crawl, made in self._crawls:
            newest = crawl.fingerprints()
            for row, source in zip(newest, made.tolist(), strict=True):
                self._origin.setdefault(row, source)
        del self._crawls[:-1]
        rows = items.fingerprints()
        chosen = set(np.array(rows, dtype=np.uint64)[positive].tolist())
        origins = [self._origin.get(row, OTHER) for row in rows]
        return np.array(origins), np.array([row in chosen for row in newest])


def _whole_weights(training: TrainingSet) -> np.ndarray | None:
    """(N,) of items: what each counts for on average over the columns, where these differ."""
    if not isinstance(training.weights, Mapping):
        return None if training.weights is None else training.weights.double().numpy()
    by_column = [training.rates(name) for name in read_columns(training.items)]
    each = [torch.ones(len(training)) if rates is None else rates for rates in by_column]
    return torch.stack([rates.double() / rates.double().sum() for rates in each]).mean(0).numpy()
