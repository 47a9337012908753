"""Sentences that explain scores and costs, the same on the terminal and on a page."""

from __future__ import annotations

from benchmark.interface.access import Access

SCORE = (
    "Score: mean over tasks and seeds of the recovery, the share of the avoidable degradation "
    "that a method avoided: 1 = as good as training on real data only (clean), 0 = no "
    "mitigation (nothing); below 0 and above 1 are possible."
)
INTERVAL = (
    "Interval: holds the score that many more seeds of these tasks would give, with 95% confidence."
)
TIER = (
    "Tier: begins with the first method that is worse, beyond chance, than the first of the tier "
    "above (paired tests, corrected for their number: a risk of about 5% of any error in the "
    "table). Differences within a tier may be chance."
)
RANKS = "Ranks: the best and the worst that these tests allow each method, whatever its tier."
ONE_SEED = (
    "One seed: no interval and no tiers, and the order may be chance. Run with several, "
    "such as --seeds 0,1,2."
)
ACCESS = "Access: what a method sees besides the crawl; compare like with like."
FAILED = "Failed: lineages that did not reach the last generation; each scores 0 at best."
STARRED = "* = with failed lineages."
DOUBTED = "!: above 1, better than real data only; not to be believed before a re-run."
PARTIAL = "~: the method does not apply to all tasks; mean over the others, without tier and ranks."
COSTS = (
    "Items trained: items shown to the optimiser.",
    "Generated: published, or sampled by the method for itself.",
    "Scored: auxiliary forward passes, items that the method scored or embedded.",
    "Real: trusted real items shown to the method, the most in any generation; of provenance, the "
    "real items of all crawls so far.",
    "CPU s: processor seconds.",
)


KINDS = {  # of access: a method with it ...
    Access.ARCHIVE: "may keep past crawls",
    Access.MODEL: "looks into its own generator (probabilities, features, weights)",
    Access.RESERVE: "has a small trusted set of real items",
    Access.WATERMARK: "marks its own output and can detect the mark",
    Access.VERIFIER: "may ask a fixed external scorer",
    Access.PROVENANCE: "is told the true source of every item",
}


def score_captions(seeds: int, marks: str = "") -> list[str]:
    """What the table of scores shows, for this many seeds: "Word: its meaning." each.

    Args:
        marks: all that stand behind its scores, see `benchmark.results.rows`.
    """
    several = [INTERVAL, TIER, RANKS] if seeds > 1 else [ONE_SEED]
    seen = [said for said in (DOUBTED, PARTIAL) if said[0] in marks]
    return [SCORE, *seen, *several, ACCESS, FAILED]
