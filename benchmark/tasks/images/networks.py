"""The image networks: codec, denoiser and classifier, all in diffusers' model format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.embeddings import TimestepEmbedding, Timesteps
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils import BaseOutput
from torch import Tensor, nn

from benchmark.tasks.images.labels import add_label_shares
from benchmark.tasks.training.blueprint import Blueprint

AT_ONCE = 500  # images that a small network sees at a time


def in_parts(function: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """What `function` makes of `images` (N, ...), some at a time: less memory, and no gradients."""
    with torch.no_grad():
        return torch.cat([function(part) for part in images.split(AT_ONCE)])


class ImageCodec(ModelMixin, ConfigMixin):
    """Convolutional autoencoder of 28x28 grey images: pixels in [-1, 1] <-> `latent` numbers."""

    @register_to_config
    def __init__(self, latent: int = 32, width: int = 32) -> None:
        super().__init__()
        w = width
        self.encoder = nn.Sequential(
            nn.Conv2d(1, w, 3, stride=2, padding=1),
            nn.SiLU(),
            nn.Conv2d(w, 2 * w, 3, stride=2, padding=1),
            nn.SiLU(),
            nn.Flatten(),
            nn.Linear(2 * w * 49, latent),
            nn.BatchNorm1d(latent, affine=False),  # unit variance per latent number
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent, 2 * w * 49),
            nn.SiLU(),
            nn.Unflatten(1, (2 * w, 7, 7)),
            nn.Conv2d(2 * w, 4 * w, 3, padding=1),
            nn.PixelShuffle(2),
            nn.SiLU(),
            nn.Conv2d(w, w, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(w, 4, 3, padding=1),
            nn.PixelShuffle(2),
        )

    def encode(self, images: Tensor) -> Tensor:
        """uint8 images (N, 1, 28, 28) -> latents (N, latent)."""
        return self.encoder(images.float() / 127.5 - 1)

    def decode(self, latents: Tensor) -> Tensor:
        """Latents -> uint8 images: the form in which every item is published."""
        pixels = self.decoder(latents).clamp(-1, 1)
        return ((pixels + 1) * 127.5).round().to(torch.uint8)


@dataclass
class DenoiserOutput(BaseOutput):
    """`sample` (N, latent): the predicted velocity; `hidden` (N, width): the last hidden layer."""

    sample: Tensor
    hidden: Tensor


class LatentDenoiser(ModelMixin, ConfigMixin):
    """Class-conditional residual MLP that predicts a flow's velocity in the codec's latent space.

    Called like a diffusers UNet: `model(noisy, timestep, class_labels).sample`, with timesteps
    in [0, 1000]; class `classes` stands for "no class" (classifier-free guidance).
    """

    @register_to_config
    def __init__(
        self, latent: int = 32, width: int = 384, blocks: int = 3, classes: int = 10
    ) -> None:
        super().__init__()
        self.time = Timesteps(64, flip_sin_to_cos=True, downscale_freq_shift=0)
        self.time_embedding = TimestepEmbedding(64, width)
        self.class_embedding = nn.Embedding(classes + 1, width)
        self.enter = nn.Linear(latent, width)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(),
                          nn.Linear(width, width))
            for _ in range(blocks)
        )  # fmt: skip
        self.norm = nn.LayerNorm(width)
        self.leave = nn.Linear(width, latent)
        add_label_shares(self, classes)

    def forward(self, sample: Tensor, timestep: Tensor, class_labels: Tensor) -> DenoiserOutput:
        dtype = self.enter.weight.dtype
        condition = self.time_embedding(self.time(timestep).to(dtype))
        condition = condition + self.class_embedding(class_labels)
        hidden = self.enter(sample.to(dtype)) + condition
        for layer in self.layers:
            hidden = hidden + layer(hidden + condition)
        return DenoiserOutput(sample=self.leave(self.norm(hidden)), hidden=hidden)


def describe_denoiser(model: LatentDenoiser) -> dict[str, Any]:
    """What a `LatentDenoiser` of this architecture is made from."""
    config: Any = model.config
    return {name: config[name] for name in ("latent", "width", "blocks", "classes")}


BLUEPRINT = Blueprint(LatentDenoiser, LatentDenoiser, describe_denoiser)


class DigitClassifier(ModelMixin, ConfigMixin):
    """Small CNN over uint8 images; features are its last hidden layer.

    `num_features` is what torchmetrics asks of a feature network.
    """

    @register_to_config
    def __init__(self, width: int = 16, num_features: int = 64, classes: int = 10) -> None:
        super().__init__()
        w = width
        self.num_features = num_features
        self.body = nn.Sequential(
            nn.Conv2d(1, w, 5, stride=2, padding=2),
            nn.SiLU(),
            nn.Conv2d(w, 2 * w, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(2 * w, 4 * w, 3, stride=2, padding=1),
            nn.SiLU(),
            nn.Flatten(),
            nn.Linear(4 * w * 49, num_features),
        )
        self.head = nn.Sequential(nn.SiLU(), nn.Linear(num_features, classes))

    def forward(self, images: Tensor) -> Tensor:
        """uint8 images (N, 1, 28, 28) -> features (N, num_features)."""
        return self.body(images.float() / 127.5 - 1)

    def logits(self, images: Tensor) -> Tensor:
        """uint8 images -> class logits (N, classes)."""
        return self.head(self(images))


class DigitFeatures(DigitClassifier):
    """The evaluator's feature space: that of a classifier, whitened by `centre` and `scale`.

    Real digits have mean 0 and covariance 1. As they are, six of 64 directions, those in which
    classes differ most, would decide every distance, and a model's chance shift along one of them
    would hide half of what is measured.
    """

    @register_to_config
    def __init__(self, width: int = 16, num_features: int = 64, classes: int = 10) -> None:
        super().__init__(width=width, num_features=num_features, classes=classes)
        self.centre: Tensor
        self.scale: Tensor
        self.register_buffer("centre", torch.zeros(num_features))
        self.register_buffer("scale", torch.eye(num_features))

    def forward(self, images: Tensor) -> Tensor:
        """uint8 images (N, 1, 28, 28) -> features (N, num_features)."""
        return (super().forward(images) - self.centre) @ self.scale

    def classify(self, features: Tensor) -> Tensor:
        """Features -> class logits (N, classes)."""
        return self.head(torch.linalg.solve(self.scale, features, left=False) + self.centre)

    def logits(self, images: Tensor) -> Tensor:
        """uint8 images -> class logits (N, classes)."""
        return self.head(super().forward(images))
