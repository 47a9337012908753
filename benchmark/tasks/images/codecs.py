"""What every image passes through before it is published, real and synthetic alike.

Without a common codec a detector would separate real from synthetic by the codec's traces (an
accidental tell) instead of by the generator's errors.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from diffusers import AutoencoderKL
from torch import Tensor

from benchmark.basics.device import current
from benchmark.hub.copies import open_repo
from benchmark.hub.repos import HubRepo
from benchmark.interface.items import Items
from benchmark.tasks import assets
from benchmark.tasks.images.networks import ImageCodec, in_parts

AT_ONCE = 8  # images


class LatentPublisher:
    """uint8 pixels out of the autoencoder's latent space, scaled to about unit variance."""

    def __init__(self, repo: HubRepo) -> None:
        self.device = current()
        self.network = _loaded(repo, self.device)
        self.scale: float = self.network.config.scaling_factor
        self.pixels = PixelPublisher()

    @torch.no_grad()
    def encode(self, items: Items) -> Tensor:
        """Latents (N, C, H, W): the means of the encoder's distributions."""
        parts = self.pixels.encode(items).split(AT_ONCE)
        means = (self.network.encode(x.to(self.device)).latent_dist.mean.cpu() for x in parts)
        return self.scale * torch.cat(list(means))

    @torch.no_grad()
    def publish(self, latents: Tensor, labels: Tensor) -> Items:
        """Decoded, quantised images with their class labels."""
        parts = (latents.float() / self.scale).split(AT_ONCE)
        pixels = torch.cat([self.network.decode(z.to(self.device)).sample.cpu() for z in parts])
        return self.pixels.publish(pixels, labels)

    def pass_through(self, items: Items) -> Items:
        """Real items in published form."""
        return self.publish(self.encode(items), items["label"])


@lru_cache(maxsize=1)
def _loaded(repo: HubRepo, device: torch.device) -> AutoencoderKL:
    with torch.random.fork_rng(devices=[]), open_repo(repo) as where:
        network = AutoencoderKL.from_pretrained(
            where["path"], subfolder="vae", revision=where.get("revision"), use_safetensors=True
        )
    return network.eval().requires_grad_(False).to(device)


class ImagePublisher:
    """uint8 pixels out of the frozen autoencoder's latent space."""

    def __init__(self) -> None:
        self.network = assets.load_network("digits-codec.safetensors", ImageCodec)

    def encode(self, items: Items) -> Tensor:
        """Latents (N, latent), about unit variance each."""
        return in_parts(self.network.encode, items["image"])

    def publish(self, latents: Tensor, labels: Tensor) -> Items:
        """Decoded, quantised images with their class labels."""
        return Items(image=in_parts(self.network.decode, latents.float()), label=labels)

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
