"""What each number of a generation means, in one sentence, and which direction is good."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

LOWER = "lower is better"
HIGHER = "higher is better"
ONE = "best near 1"
ZERO = "best near 0"
REAL = "best near clean's"


@dataclass(frozen=True)
class Metric:
    """One number of a generation: of its profile, or of what it was trained on.

    Attributes:
        name: its key in the profile, or in `curves.gather_measures`.
        title: what a figure calls it.
        meaning: one sentence.
        good: which direction is good.
        text: the sentence for text, where it differs from that for images.
        pair: the same for pairs.
        central: whether a definition of collapse or a score reads it, or it shows narrowing best.
    """

    name: str
    title: str
    meaning: str
    good: str
    text: str = ""
    pair: str = ""
    central: bool = False

    def explain(self, modality: str) -> str:
        """The sentence for tasks of `modality`."""
        own = {"text": self.text, "pair": self.pair}.get(modality)
        return own or self.meaning


METRICS = (
    Metric(
        "log_frechet_joint", "log joint distance",
        "Logarithm of the Frechet distance between pictures taken together with their captions and "
        "held-out real pairs (DeVries et al. 2019): it also grows when both look real but do not "
        "belong together.", LOWER, central=True,
    ),
    Metric(
        "log_frechet", "log Frechet distance",
        "Logarithm of the Frechet distance between samples and held-out real items; one more is "
        "2.7 times the distance.", LOWER,
        pair="The same of the pictures alone: logarithm of their Frechet distance to held-out real "
        "ones.", central=True,
    ),
    Metric(
        "log_frechet_caption", "log caption distance",
        "The same of the captions alone: of their digits, wording and hand, or of what a frozen "
        "reader makes of an icon's name.", LOWER,
    ),
    Metric(
        "heldout_loss", "held-out loss",
        "How badly the model predicts real images it never saw (loss of denoising them).", LOWER,
        text="How badly the model predicts real text it never saw, in nats per token.",
        pair="How badly the model predicts the captions of real pictures it never saw, in nats per "
        "word.", central=True,
    ),
    Metric(
        "precision", "precision",
        "Share of samples that look real, that is, lie close to a held-out item; it also rises "
        "when a model keeps to what is most typical.", HIGHER, central=True,
    ),
    Metric(
        "recall", "recall",
        "Share of real items that the samples come close to: what is left of the variety.",
        HIGHER, central=True,
    ),
    Metric(
        "variance_ratio", "variance ratio",
        "How widely the samples vary, divided by how widely real items do; 0 if all are equal.",
        ONE, central=True,
    ),
    Metric(
        "tail_mass", "tail mass",
        "Share of samples among the rarest tenth of real items, divided by the real share; 0 if "
        "nothing rare is left.", ONE,
        text="Share of the text made of the rarest tenth of tokens, divided by the real share; 0 "
        "if nothing rare is left, above 1 if rare tokens are too frequent.",
        pair="Share of captions with one of the rarest numbers (of icons, of words that are among "
        "the rarest), those that hold a tenth of the law, divided by the real share.",
        central=True,
    ),
    Metric(
        "entanglement", "entanglement",
        "How far samples lie between the clusters (modes) of real items, divided by how far real "
        "items do; above 1 clusters run into one another, below 1 they are tighter than real.",
        ONE, central=True,
    ),
    Metric(
        "coverage", "coverage",
        "Share of real items that have a sample among their nearest neighbours.", HIGHER,
        central=True,
    ),
    Metric(
        "memorisation", "memorisation",
        "How much closer samples lie to the training pool than unseen real items do; 1 for copies "
        "of the pool.", ZERO,
        text="Share of 8-token sequences copied from the training pool, beyond what unseen real "
        "text shares with it; 1 for copies of the pool.",
        central=True,
    ),
    Metric(
        "trained_on_real", "real share of training",
        "Share of the training set, by weight, that is real: crawled real items and the reserve. "
        "The harness knows; the method is not told.", HIGHER, central=True,
    ),
    Metric(
        "kept_real", "real items kept",
        "Share of the crawl's real items that were trained on: 1 minus a filter's false-positive "
        "rate.", HIGHER, central=True,
    ),
    Metric(
        "kept_synthetic", "synthetic items kept",
        "Share of the crawl's synthetic items that were trained on: 1 minus a filter's "
        "true-positive rate.", LOWER, central=True,
    ),
    Metric(
        "density", "density",
        "How many real neighbourhoods a sample lies in, over the number expected; above 1 samples "
        "crowd where real items are most typical.", ONE,
    ),
    Metric("vendi", "Vendi score", "Effective number of distinct kinds of samples.", REAL),
    Metric(
        "frechet", "Frechet distance",
        "Distance between samples and held-out real items, as two normal distributions of "
        "features.", LOWER,
    ),
    Metric(
        "kernel_distance", "kernel distance",
        "Distance between samples and held-out real items that assumes no normal distribution.",
        LOWER,
    ),
    Metric(
        "histogram_distance", "histogram distance",
        "How much the frequencies of classes differ from the real ones; 1 if none is shared.",
        ZERO,
        text="How much the frequencies of tokens differ from the real ones; 1 if none is shared.",
        pair="How much the frequencies of numbers, or of the words of icons' names, differ from "
        "their law; 1 if none is shared.",
    ),
    Metric(
        "bits_per_byte", "bits per byte",
        "The held-out loss per byte of text instead of per token.", LOWER,
    ),
    Metric("distinct_1", "distinct-1", "Different tokens over all tokens.", REAL),
    Metric("distinct_2", "distinct-2", "Different pairs of tokens over all pairs.", REAL),
    Metric("distinct_3", "distinct-3", "Different triples of tokens over all triples.", REAL),
    Metric(
        "repetition", "repetition",
        "Share of pairs of tokens that occurred before in the same block of text.", REAL,
    ),
    Metric(
        "reference_loss", "reference loss",
        "How surprising the samples are to a fixed language model, in nats per token; low for "
        "bland text, high for noise.", REAL,
    ),
    Metric(
        "agreement", "agreement",
        "Share of pairs whose caption names exactly the digits that an exact reader finds in the "
        "picture; of icons, whose own name a frozen reader finds liker than 99 real ones. No "
        "score: it rises when only what is easy is left.", HIGHER,
    ),
    Metric("digit_agreement", "digit agreement", "The same, digit by digit.", HIGHER),
    Metric(
        "hand_agreement", "hand agreement",
        "Of captions that call the hand bold or thin, the share whose picture is so; 0 if none "
        "does.", HIGHER,
    ),
    Metric("numbers", "numbers", "Different numbers that captions name, of 999.", REAL),
    Metric(
        "numbers_left", "numbers left",
        "Different numbers that captions name, divided by how many as many independent draws from "
        "the law name on average.", ONE,
    ),
    Metric(
        "words_left", "words left",
        "Different words in the names of icons, divided by how many as many independent draws from "
        "the real words hold on average.", ONE,
    ),
    Metric(
        "number_kl", "divergence of numbers",
        "Kullback-Leibler divergence of the numbers that captions name from their law, in nats.",
        LOWER,
    ),
    Metric(
        "caption_recall", "caption recall",
        "Share of real captions whose number some sample names.", HIGHER,
    ),
    Metric(
        "caption_coverage", "caption coverage",
        "Share of real captions that some sample has word for word.", HIGHER,
    ),
    Metric(
        "blind_loss", "blind loss",
        "How badly the writer predicts real captions without their pictures, in nats per word.",
        LOWER,
    ),
    Metric(
        "own_entropy", "own entropy",
        "How open the model leaves what comes next in its own samples, in nats per token; low for "
        "a model that has become sure of itself.", REAL,
    ),
    Metric(
        "own_confident", "confident tokens",
        "Share of the tokens of its own samples that the model gives more than 80%.", REAL,
    ),
    Metric(
        "heldout_confident", "confident tokens of real text",
        "Share of the tokens of real text it never saw that the model gives more than 80%.", HIGHER,
    ),
    Metric(
        "known_words", "known words",
        "Share of the words in the samples that occur in any real text of the task, of whatever "
        "year; the others were made up.", HIGHER,
    ),
)  # fmt: skip
_KNOWN = {entry.name: entry for entry in METRICS}
_SHORT = {  # where there is room for eight columns
    "image": (
        "log_frechet", "precision", "recall", "variance_ratio", "tail_mass", "vendi", "coverage",
        "trained_on_real",
    ),
    "text": (
        "heldout_loss", "precision", "recall", "tail_mass", "distinct_2", "repetition",
        "reference_loss", "trained_on_real",
    ),
    "pair": (
        "log_frechet_joint", "log_frechet", "log_frechet_caption", "agreement", "numbers_left",
        "words_left", "recall", "heldout_loss", "trained_on_real",
    ),
}  # fmt: skip


def list_metrics(names: Iterable[str]) -> list[Metric]:
    """The metrics called `names`, in the order of `METRICS`; those not known here last."""
    present = set(names)
    unknown = sorted(present - _KNOWN.keys())
    return [e for e in METRICS if e.name in present] + [Metric(n, n, "", "") for n in unknown]


def choose_short(modality: str, names: Iterable[str]) -> list[str]:
    """Those of `names` that a narrow table shows; of a modality without a choice, the central."""
    central = (entry.name for entry in METRICS if entry.central)
    present = set(names)
    return [name for name in _SHORT.get(modality, central) if name in present]


def find_title(name: str) -> str:
    """What figures and tables call the entry called `name`."""
    return _KNOWN[name].title if name in _KNOWN else name
