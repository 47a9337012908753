"""Scores: pure functions of numbers; needs neither torch nor the harness."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def recovery(method: Sequence[float], nothing: Sequence[float], oracle: Sequence[float]) -> float:
    """Share of the avoidable degradation that a lineage avoided.

    recovery = 1 - sum_{t>=1} gap_t(method) / sum_{t>=1} gap_t(nothing), with
    gap_t = m_t - m_t(oracle): 1 = as good as real data only, 0 = no mitigation.

    Args:
        method: primary metric (lower is better) of generations 0..k of the lineage; k < T when it
            failed, and then the missing generations count with the worst gap seen and the result
            is at most 0.
        nothing: the same of generations 0..T for the lower reference, same task and seed.
        oracle: the same for the upper reference.

    Raises:
        ValueError: the references are incomplete, or do not differ.
    """
    if len(nothing) != len(oracle) or len(nothing) < 2:
        raise ValueError("both references must have all generations")
    lower = np.asarray(nothing, float)[1:] - np.asarray(oracle, float)[1:]
    if lower.sum() <= 0:
        raise ValueError("the lower reference is no worse than the upper one: nothing to recover")
    seen = np.asarray(method, float)[1:] - np.asarray(oracle, float)[1 : len(method)]
    missing = len(lower) - len(seen)
    if missing == 0:
        return float(1 - seen.sum() / lower.sum())
    worst = max(lower.max(), seen.max(initial=-np.inf))
    return min(0.0, float(1 - (seen.sum() + missing * worst) / lower.sum()))
