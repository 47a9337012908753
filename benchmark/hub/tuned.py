"""Recipes of suite `large`: every generation fine-tunes a pretrained model of the Hub."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from benchmark.hub.recipes import Tokens
from benchmark.hub.repos import HubRepo

if TYPE_CHECKING:
    from benchmark.generators.base import Generator


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
        from benchmark.generators.tuned_text import TunedTextGenerator

        return TunedTextGenerator(self)


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
        from benchmark.generators.lora import LoraGenerator

        return LoraGenerator(self)
