"""The pure text statistics as `evaluate.Metric` classes, for use outside of this benchmark.

Wrappers of `benchmark.metrics.ngrams` and `benchmark.metrics.histograms`, which the harness calls
directly: importing `evaluate` takes seconds, so nothing else imports this module. All take blocks
of token numbers, of one length, and raise ValueError for others:

    from benchmark.metrics.portable import CopiedNgrams

    CopiedNgrams(keep_in_memory=True).compute(predictions=samples, source=training_set)
"""

from __future__ import annotations

from collections.abc import Sequence

import datasets
import evaluate
import numpy as np
import torch
from numpy.typing import NDArray

from benchmark.metrics import ngrams
from benchmark.metrics.histograms import histogram, total_variation

Blocks = Sequence[Sequence[int]]


class _TextStatistic(evaluate.Metric):
    """Numbers about blocks of tokens; the class's docstring is the metric's description."""

    paper = ""

    def _info(self) -> evaluate.MetricInfo:
        blocks = datasets.Sequence(datasets.Value("int64"))
        return evaluate.MetricInfo(
            description=type(self).__doc__,
            citation=self.paper,
            inputs_description="predictions: blocks of token numbers, all of one length.",
            features=datasets.Features({"predictions": blocks}),
        )


class Distinct(_TextStatistic):
    """`distinct_1`, `distinct_2`, `distinct_3`: different n-grams over all n-grams."""

    paper = "Li et al. 2016, A diversity-promoting objective function"

    def _compute(self, predictions: Blocks) -> dict[str, float]:
        tokens = _array(predictions)
        return {f"distinct_{n}": ngrams.distinct(tokens, n) for n in (1, 2, 3)}


class Repetition(_TextStatistic):
    """`repetition`: share of n-grams that occurred before in their own block; option `n`."""

    paper = "Welleck et al. 2020, Neural text generation with unlikelihood training"

    def _compute(self, predictions: Blocks, n: int = ngrams.REPEATED) -> dict[str, float]:
        return {"repetition": ngrams.repetition(_array(predictions), n)}


class CopiedNgrams(_TextStatistic):
    """`copied`: share of n-grams that occur anywhere in the blocks `source`; option `n`."""

    paper = "Lee et al. 2022, Deduplicating training data makes language models better"

    def _compute(
        self, predictions: Blocks, source: Blocks, n: int = ngrams.COPIED
    ) -> dict[str, float]:
        return {"copied": ngrams.copied(_array(predictions), _array(source), n)}


class TokenHistogram(_TextStatistic):
    """`histogram_distance`: total variation from the tokens of the blocks `source`."""

    def _compute(self, predictions: Blocks, source: Blocks) -> dict[str, float]:
        tokens = [torch.from_numpy(_array(blocks)) for blocks in (predictions, source)]
        count = 1 + max(int(t.max()) for t in tokens)
        return {"histogram_distance": total_variation(*(histogram(t, count) for t in tokens))}


def _array(blocks: Blocks) -> NDArray[np.int64]:
    return np.asarray(blocks, dtype=np.int64)
