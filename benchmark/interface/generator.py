"""What a generator is to the loop, and how a method has it sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from benchmark.interface.items import Items, TrainingSet

LossHook: TypeAlias = "Callable[[Tensor, Tensor], Tensor]"


class Generator(Protocol):
    """A model family with its training recipe; models are plain `nn.Module`s."""

    steps: int  # optimiser steps of one training run
    batch: int  # items shown in one step
    ranges: Mapping[str, int]  # integer columns of items and how many values, from 0 on, they have
    fixed: tuple[str, ...]  # buffers of a model that only its training sets
    columns: tuple[str, ...]  # those that a network each makes, if items are not made whole

    def blank(self) -> nn.Module:
        """A model to load saved weights into."""
        ...

    def train(
        self,
        data: TrainingSet,
        rng: torch.Generator,
        loss: LossHook | None = None,
        model: nn.Module | None = None,
        steps: int | None = None,
        rate: float = 1.0,
    ) -> nn.Module:
        """Train from scratch, or fine-tune a copy of `model`, for the recipe's steps or `steps`,
        at `rate` times the recipe's learning rate.

        Raises:
            Diverged: the loss is not finite.
        """
        ...

    def sample(self, model: nn.Module, n: int, rng: torch.Generator, how: Sampling) -> Items:
        """`n` items in published form.

        Raises:
            Diverged: the model's output is not finite.
        """
        ...

    def log_prob(self, model: nn.Module, items: Items) -> Tensor:
        """(N,) log-probability of each item in nats, or the modality's surrogate for it; of pairs,
        of the caption given the picture."""
        ...

    def log_prior(self, model: nn.Module, items: Items) -> Tensor:
        """(N,) log-probability of each caption without its picture, in nats.

        Raises:
            MethodError: the items are not pairs.
        """
        ...

    def fill(self, model: nn.Module, items: Items, column: str, rng: torch.Generator) -> Items:
        """`items` with `column` made anew from the other one.

        Raises:
            MethodError: the items are not pairs, or have no such column.
        """
        ...

    def logits(self, model: nn.Module, items: Items) -> Tensor:
        """(N, L, V) logits of every token, as they are sampled from.

        Raises:
            MethodError: the items have no tokens.
        """
        ...

    def features(self, model: nn.Module, items: Items) -> Tensor:
        """(N, F) the model's own hidden representation of each item."""
        ...

    def loss(self, model: nn.Module, items: Items) -> float:
        """Mean loss per element on `items`: nats per token, or the denoising loss."""
        ...


# What of `Sampling` acts in a modality; in others everything may.
ACTS_ON = {
    "image": frozenset({"temperature", "guidance", "negative", "pixels"}),
    "text": frozenset({"temperature", "top_p", "top_k", "logits"}),
}


@dataclass(frozen=True)
class Sampling:
    """How the own generator writes what it publishes. The default is ancestral sampling.

    Attributes:
        temperature: text: divides the logits; images: scales the initial noise; pairs: both.
        top_p: text: nucleus sampling keeps the smallest set of tokens with this mass.
        top_k: text: only the k most likely tokens (0: all).
        guidance: images: classifier-free guidance, v = v_null + (1 + guidance)(v_class - v_null);
            pairs: of pictures, the caption being the class.
        negative: a second model to steer away from, with strength `guidance` (images; SIMS,
            Alemohammad et al. 2024): v = v + guidance (v - v_negative).
        logits: text watermark, `(written (B, t), logits (B, V)) -> logits`. Needs `WATERMARK`.
        pixels: image watermark, uint8 (N, C, H, W) -> the same, applied after the codec.
            Needs `WATERMARK`.

    Pairs take what is said of text for their captions, and of images for their pictures. A
    watermark acts on what is published, not on what is scored, and is bounded: an image stays
    at 34 dB of the unmarked one at least; a text's next-token distributions at 0.5 nats a token
    (Kullback-Leibler divergence from the unmarked ones) on average, 1 in any text. So are
    `temperature`, `top_p` and `top_k` of text alone, whose score is of the model: 0.5 nats a token
    from its own distributions.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    guidance: float = 0.0
    negative: nn.Module | None = None
    logits: Callable[[Tensor, Tensor], Tensor] | None = None
    pixels: Callable[[Tensor], Tensor] | None = None
