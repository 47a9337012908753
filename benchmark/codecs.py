"""What every item passes through before it is published, real and synthetic alike.

Without a common codec a detector would separate real from synthetic by the codec's traces (an
accidental tell) instead of by the generator's errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from tokenizers import Tokenizer
from torch import Tensor

from benchmark import assets
from benchmark.items import Items


class Publisher(Protocol):
    """Between published images and the space z in which a generator works."""

    def encode(self, items: Items) -> Tensor: ...

    def publish(self, latents: Tensor, labels: Tensor) -> Items: ...

    def pass_through(self, items: Items) -> Items: ...


class ImagePublisher:
    """uint8 pixels out of the frozen autoencoder's latent space."""

    def __init__(self) -> None:
        self.network = assets.network("digits-codec.safetensors")

    @torch.no_grad()
    def encode(self, items: Items) -> Tensor:
        """Latents (N, latent), about unit variance each."""
        return torch.cat([self.network.encode(part) for part in items["image"].split(500)])

    @torch.no_grad()
    def publish(self, latents: Tensor, labels: Tensor) -> Items:
        """Decoded, quantised images with their class labels."""
        images = torch.cat([self.network.decode(part) for part in latents.float().split(500)])
        return Items(image=images, label=labels)

    def pass_through(self, items: Items) -> Items:
        """Real items in published form."""
        return self.publish(self.encode(items), items["label"])


class PixelPublisher:
    """uint8 pixels, in colour; models see them as numbers in [-1, 1]."""

    def encode(self, items: Items) -> Tensor:
        """(N, C, H, W) pixels in [-1, 1]."""
        return items["image"].float() / 127.5 - 1

    def publish(self, pixels: Tensor, labels: Tensor) -> Items:
        """Quantised images with their class labels."""
        levels = (pixels.float().clamp(-1, 1) + 1) * 127.5
        return Items(image=levels.round().to(torch.uint8), label=labels)

    def pass_through(self, items: Items) -> Items:
        """Real items in published form."""
        return self.publish(self.encode(items), items["label"])


class TextPublisher:
    """Strings, tokenised again and cut to `length` tokens.

    `tokenizer` is the speeches' without one; `margin` is how many extra tokens are written, since
    encoding again mostly shortens.
    """

    def __init__(self, length: int, tokenizer: Tokenizer | None = None, margin: int = 8) -> None:
        self.length, self.margin = length, margin
        self.tokenizer = assets.tokenizer() if tokenizer is None else tokenizer

    def publish(self, tokens: Tensor | Sequence[Sequence[int]]) -> Items:
        """Token rows (longer than `length` by the margin) -> `tokens` int64 (N, length).

        A text that is too short after re-encoding goes on with its own beginning.
        """
        rows = tokens.tolist() if isinstance(tokens, Tensor) else tokens
        texts = self.tokenizer.decode_batch(rows, skip_special_tokens=True)
        encoded = [e.ids for e in self.tokenizer.encode_batch(texts)]
        for i, ids in enumerate(encoded):
            if len(ids) < self.length:
                again = self.tokenizer.encode((texts[i] or "?") * self.length).ids
                encoded[i] = again
        return Items(tokens=torch.tensor([ids[: self.length] for ids in encoded]))

    def pass_through(self, texts: Sequence[str]) -> Items:
        """Real texts in published form."""
        return self.publish([e.ids for e in self.tokenizer.encode_batch(list(texts))])

    def text(self, items: Items) -> list[str]:
        """Items as strings."""
        return self.tokenizer.decode_batch(items["tokens"].tolist())
