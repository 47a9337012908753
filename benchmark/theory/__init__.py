"""Closed forms of the literature, reproduced by the loop that runs the real tasks.

Each function runs an analytic task, whose generator is an exact fit, through
`benchmark.lineage.loop.run_lineage` and returns what every generation's model learnt.
"""

from benchmark.theory.lineages import categorical, gaussian, pairs, regression

__all__ = ["categorical", "gaussian", "pairs", "regression"]
