"""Recipes of the suite `standard`: data and frozen models are pinned repositories of the Hub.

Like `benchmark.recipes`, they enter the task's hash and import nothing heavy until `build()`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmark.hub.repos import HubRepo

if TYPE_CHECKING:
    from benchmark.data.sources import Source
    from benchmark.generators.base import Generator
    from benchmark.metrics.evaluator import Evaluator
    from benchmark.verifiers import Verifier


@dataclass(frozen=True)
class PicturesData:
    """Labelled colour images: columns `column` and `label`; of `repo.files`, the first is the split
    `train`, the second `test`.

    `size` is that of the square to which the middle of each image is scaled; without it they are
    as they are. `codec` has the autoencoder that the generator publishes by.
    """

    repo: HubRepo
    heldout: int = 5_000
    column: str = "img"
    size: int | None = None
    codec: HubRepo | None = None

    def build(self) -> Source:
        from benchmark.data.pictures import PicturesSource

        return PicturesSource(self)


@dataclass(frozen=True)
class Tokens:
    """Texts as blocks of `length` tokens: GPT-2's byte-pair encoding, its first merges only.

    `vocabulary` counts the token in front of every block, which is the last one. The other
    numbers are GPT-2's own. All 50,257 tokens would make logits six times as large and tables
    over pairs of tokens (green lists) impossible, for words that these texts do not use.
    """

    repo: HubRepo
    vocabulary: int = 8_192
    length: int = 128


@dataclass(frozen=True)
class StoriesData:
    """The beginnings of stories: column `text`, splits `train` (its first `stories` rows, which
    are streamed) and `validation`."""

    repo: HubRepo
    tokens: Tokens
    stories: int = 60_000
    heldout: int = 2_000
    scanned: int = 4  # rows of `validation` that are looked at for each held-out story

    def build(self) -> Source:
        from benchmark.data.stories import StoriesSource

        return StoriesSource(self)


@dataclass(frozen=True)
class PixelDiffusionRecipe:
    """Flow matching on pixels with diffusers' UNet2DModel, conditioned on the class.

    `attention` says of each resolution of `widths` whether it has attention blocks; `ema` is the
    largest decay of the averaged weights, which are the ones that are kept.
    """

    size: int = 32
    widths: tuple[int, ...] = (64, 128, 256, 256)
    attention: tuple[bool, ...] = (False, True, False, False)
    layers: int = 2
    groups: int = 32
    classes: int = 10
    steps: int = 3_000
    batch: int = 128
    lr: float = 4e-4
    ema: float = 0.999
    drop_class: float = 0.1
    sampling_steps: int = 20

    def build(self) -> Generator:
        from benchmark.generators.pixel import PixelGenerator

        return PixelGenerator(self)


@dataclass(frozen=True)
class StoriesRecipe:
    """transformers' GPT-2 architecture, from random weights, on blocks of tokens."""

    tokens: Tokens
    width: int = 384
    layers: int = 6
    heads: int = 6
    steps: int = 1_500
    batch: int = 64
    lr: float = 1e-3

    def build(self) -> Generator:
        from benchmark.generators.stories import StoriesGenerator

        return StoriesGenerator(self)


@dataclass(frozen=True)
class PictureEvaluation:
    """Scores images in the space of a pretrained vision transformer (DINOv2)."""

    network: HubRepo
    primary: str = "log_frechet"

    def build(self) -> Evaluator:
        from benchmark.metrics.hub import PictureEvaluator

        return PictureEvaluator(self)


@dataclass(frozen=True)
class StoryEvaluation:
    """Scores text in the space, and by the loss, of a pretrained language model (GPT-2)."""

    network: HubRepo
    tokens: Tokens
    primary: str = "heldout_loss"

    def build(self) -> Evaluator:
        from benchmark.metrics.hub import StoryEvaluator

        return StoryEvaluator(self)


@dataclass(frozen=True)
class PictureVerifier:
    """Scores an image by how much nearer its features are to its class than to any other; class
    means are those of `images` training images."""

    data: PicturesData
    network: HubRepo
    images: int = 2_000

    def build(self) -> Verifier:
        from benchmark.hub.verifiers import PictureScorer

        return PictureScorer(self)


@dataclass(frozen=True)
class StoryVerifier:
    """Scores a text by its mean log-probability per token under a pretrained language model."""

    network: HubRepo
    tokens: Tokens

    def build(self) -> Verifier:
        from benchmark.hub.verifiers import StoryScorer

        return StoryScorer(self)
