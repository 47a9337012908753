"""The interface: a mitigation is one class in one file, and every hook has a default."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn

    from benchmark.items import Items, TrainingSet
    from benchmark.round import Round


class Access(StrEnum):
    """What a mitigation may see besides the crawl; the value is the honest name of its tier."""

    ARCHIVE = "archive"  # past crawls
    MODEL = "model"  # own generator: log-probabilities, features, weights
    RESERVE = "reserve"  # the small trusted set of real items
    WATERMARK = "watermark"  # may mark its own output, and gets the key
    VERIFIER = "verifier"  # a frozen external scorer
    PROVENANCE = "oracle"  # the true source of every item


def tier(access: frozenset[Access]) -> str:
    """The name of an access set on the leaderboard, such as "blind" or "archive + reserve"."""
    return " + ".join(a.value for a in Access if a in access) or "blind"


@dataclass(frozen=True)
class Sampling:
    """How the own generator writes what it publishes. The default is ancestral sampling.

    Attributes:
        temperature: text: divides the logits; images: scales the initial noise.
        top_p: text: nucleus sampling keeps the smallest set of tokens with this mass.
        top_k: text: only the k most likely tokens (0: all).
        guidance: images: classifier-free guidance, v = v_null + (1 + guidance)(v_class - v_null).
        negative: a second model to steer away from, with strength `guidance` (images; SIMS,
            Alemohammad et al. 2024): v = v + guidance (v - v_negative).
        logits: text watermark, `(written (B, t), logits (B, V)) -> logits`. Needs `WATERMARK`.
        pixels: image watermark, uint8 (N, 1, H, W) -> the same, applied after the codec.
            Needs `WATERMARK`.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    guidance: float = 0.0
    negative: nn.Module | None = None
    logits: Callable[[Tensor, Tensor], Tensor] | None = None
    pixels: Callable[[Tensor], Tensor] | None = None


class Mitigation:
    """A strategy against model collapse. Subclass it and override what you need.

    The harness makes a new instance for every generation: what should be remembered is declared
    with `Access.ARCHIVE` and read from `round.archive`. Generation 0 is trained on the real crawl
    as it is, the same for every method; `curate`, `loss` and `adjust` act from generation 1 on,
    `sampling` on everything the lineage publishes.
    """

    access: frozenset[Access] = frozenset()

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        """What this generation is trained on. The crawl must not be changed in place."""
        from benchmark.items import TrainingSet

        return TrainingSet(crawl)

    def loss(self, per_element: Tensor, outputs: Tensor) -> Tensor:
        """Change the loss: return a tensor shaped like `per_element`; the trainer averages it.

        Args:
            per_element: text: nats of every token (B, L); images: squared error (B, latent).
            outputs: text: logits (B, L, V); images: predicted velocity (B, latent).
        """
        return per_element

    def adjust(self, model: nn.Module, round: Round) -> nn.Module:
        """Change the trained model, for example extrapolate its weights; return the result."""
        return model

    def sampling(self, round: Round) -> Sampling:
        """How this generation's model writes what it publishes."""
        return Sampling()
