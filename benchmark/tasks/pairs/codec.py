"""What every picture passes through before it is published: the digits' codec, digit by digit."""

from __future__ import annotations

from torch import Tensor

from benchmark.interface.items import Items
from benchmark.tasks.images.codecs import ImagePublisher
from benchmark.tasks.pairs.language import DIGITS

SIZE = 28  # pixels of a digit, both ways


def cut_digits(images: Tensor) -> Tensor:
    """Pictures (N, C, 28, 84) -> their digits (3 N, C, 28, 28)."""
    return images.unflatten(3, (DIGITS, SIZE)).permute(0, 3, 1, 2, 4).flatten(0, 1)


def join_digits(digits: Tensor) -> Tensor:
    """The inverse of `cut_digits`."""
    apart = digits.unflatten(0, (-1, DIGITS)).permute(0, 2, 3, 1, 4)
    return apart.flatten(3, 4).contiguous()


class PairPublisher:
    """uint8 pictures out of the digits' latent space; captions are published as they are."""

    def __init__(self) -> None:
        self.codec = ImagePublisher()
        self.latent: int = self.codec.network.config.latent

    def encode(self, items: Items) -> Tensor:
        """Latents (N, 3, latent) of the pictures, about unit variance each."""
        digits = Items(image=cut_digits(items["image"]))
        return self.codec.encode(digits).unflatten(0, (-1, DIGITS))

    def publish(self, latents: Tensor, tokens: Tensor) -> Items:
        """Decoded, quantised pictures with their captions."""
        apart = latents.flatten(0, 1)
        digits = self.codec.publish(apart, tokens.new_zeros(len(apart)))["image"]
        return Items(image=join_digits(digits), tokens=tokens)

    def pass_through(self, items: Items) -> Items:
        """Real items in published form."""
        return self.publish(self.encode(items), items["tokens"])
