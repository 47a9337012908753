"""The frozen numbers of the tasks of icons; each recipe builds its part. Reading needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from benchmark.interface.generator import Generator
    from benchmark.tasks.parts import Evaluator, Source, Verifier


@dataclass(frozen=True)
class IconsData:
    """Icons of fonts inside qtawesome and their names, but for a third that the readers know.

    Attributes:
        sha256: of all pictures and names; None takes any.
        families: how the names of the fonts' files begin.
        heldout: held-out icons of an era.
        outlined: share of icons drawn by thin strokes, as their names say, in the first and in the
            last era; None where the world stands still and every icon is alike.
        eras: T.
    """

    distribution: ClassVar[str | None] = "qtawesome"
    sha256: str | None
    families: tuple[str, ...]
    heldout: int = 700
    outlined: tuple[float, float] | None = (0.1, 0.5)
    eras: int = 8

    def check(self) -> None:
        """Raises InputError or CorruptFile: the fonts are not installed, or other ones are."""
        from benchmark.tasks.icons.drawing import load_icons

        load_icons(self.families, self.sha256)

    def build(self) -> Source:
        from benchmark.tasks.icons.source import IconsSource

        return IconsSource(**vars(self))


@dataclass(frozen=True)
class IconsRecipe:
    """A painter (names to pictures: flow matching on pixels by diffusers' UNet2DConditionModel) and
    a writer (pictures, or nothing, to names: a transformer).

    Attributes:
        words: of names, the one that ends them included.
        widths, layers: of the UNet's resolutions, and residual layers of each.
        reading: width of the painter's reader of names.
        writing, depth: width and layers of the writer.
        ema: the largest decay of the averaged weights, which are the ones that are kept.

    The others are those of `NumeralsRecipe`.
    """

    compiled: ClassVar[bool] = True  # on a GPU, see `training.graphs`

    words: int = 906
    widths: tuple[int, ...] = (64, 128, 256)
    layers: int = 2
    reading: int = 256
    writing: int = 256
    depth: int = 4
    ema: float = 0.999
    steps: int = 3_000
    batch: int = 128
    lr: float = 4e-4
    writer_lr: float = 4e-4
    drop_caption: float = 0.1
    drop_image: float = 0.25
    blur: float = 0.2
    sampling_steps: int = 20
    recaption: bool = True

    def build(self) -> Generator:
        from benchmark.tasks.icons.generator import IconGenerator

        return IconGenerator(**vars(self))


@dataclass(frozen=True)
class IconsEvaluation:
    """Scores icons by the frozen reader (a file's SHA-256)."""

    reader: str
    primary: str = "log_frechet_joint"

    def build(self) -> Evaluator:
        from benchmark.tasks.icons.evaluators import IconEvaluator

        return IconEvaluator()


@dataclass(frozen=True)
class IconsVerifier:
    """Scores an icon by log p(name | picture) of a smaller reader (a file's SHA-256) that is not
    the evaluator's."""

    network: str

    def build(self) -> Verifier:
        from benchmark.tasks.icons.verifiers import score_icons

        return score_icons
