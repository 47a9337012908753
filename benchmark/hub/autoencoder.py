"""The autoencoder of a latent diffusion model, as the codec that every image passes through."""

from __future__ import annotations

from functools import lru_cache

import torch
from diffusers import AutoencoderKL
from torch import Tensor

from benchmark.codecs import PixelPublisher
from benchmark.device import current
from benchmark.hub.local import reading
from benchmark.hub.repos import HubRepo
from benchmark.items import Items

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
    with torch.random.fork_rng(devices=[]), reading(repo) as where:
        network = AutoencoderKL.from_pretrained(
            where["path"], subfolder="vae", revision=where.get("revision"), use_safetensors=True
        )
    return network.eval().requires_grad_(False).to(device)
