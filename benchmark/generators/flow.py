"""Latent flow matching (Lipman et al. 2023) with diffusers' Euler scheduler."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from torch import Tensor, nn

from benchmark.codecs import ImagePublisher
from benchmark.device import current
from benchmark.errors import Diverged, MethodError
from benchmark.generators.base import LossHook, weighted_mean
from benchmark.generators.networks import LatentDenoiser
from benchmark.generators.training import fit, half
from benchmark.items import Items, TrainingSet
from benchmark.mitigation import Sampling
from benchmark.recipes import FlowRecipe
from benchmark.seeds import seed_global, stream


class FlowGenerator:
    """Class-conditional flow z_s = (1 - s) z + s e from data z to noise e; velocity v = e - z."""

    def __init__(self, recipe: FlowRecipe) -> None:
        self.recipe = recipe
        self.publisher = ImagePublisher()
        self.latent: int = self.publisher.network.config.latent
        self.steps, self.batch = recipe.steps, recipe.batch
        self.ranges: Mapping[str, int] = {"label": recipe.classes}
        self.device = current()

    def blank(self) -> LatentDenoiser:
        r = self.recipe
        return LatentDenoiser(self.latent, r.width, r.blocks, r.classes).to(self.device)

    def train(
        self,
        data: TrainingSet,
        rng: torch.Generator,
        loss: LossHook | None = None,
        model: nn.Module | None = None,
        steps: int | None = None,
        rate: float = 1.0,
    ) -> nn.Module:
        recipe, device = self.recipe, self.device
        latents, labels = self.publisher.encode(data.items).to(device), data.items["label"]
        weights = None if data.weights is None else data.weights.to(device)
        seed_global(rng)
        model = self.blank() if model is None else copy.deepcopy(model).requires_grad_(True)

        def objective(model: nn.Module, rows: Tensor) -> Tensor:
            z = latents[rows]
            e = torch.randn(z.shape, generator=rng).to(device)
            s = torch.rand(len(rows), 1, generator=rng).to(device)
            dropped = torch.rand(len(rows), generator=rng) < recipe.drop_class
            label = labels[rows].masked_fill(dropped, recipe.classes).to(device)
            v = model((1 - s) * z + s * e, 1000 * s.squeeze(1), label).sample.float()
            squared = (v - (e - z)).square()
            return weighted_mean(squared if loss is None else loss(squared, v), weights, rows)

        steps, lr = steps or recipe.steps, rate * recipe.lr
        return fit(model, objective, len(data), steps, recipe.batch, lr, rng)

    @torch.no_grad()
    def sample(self, model: nn.Module, n: int, rng: torch.Generator, how: Sampling) -> Items:
        labels = torch.randint(self.recipe.classes, (n,), generator=rng)
        classes = labels.to(self.device)
        x = (torch.randn(n, self.latent, generator=rng) * how.temperature).to(self.device)
        model = half(model)
        negative = None if how.negative is None else half(how.negative)
        scheduler = FlowMatchEulerDiscreteScheduler()
        scheduler.set_timesteps(self.recipe.sampling_steps)
        for timestep in scheduler.timesteps:
            times = timestep.to(self.device).expand(n)
            v = self._guided(model, negative, x, times, classes, how.guidance)
            x = scheduler.step(v, timestep, x).prev_sample
        if not torch.isfinite(x).all():
            raise Diverged("the generator's samples are not finite")
        items = self.publisher.publish(x.cpu(), labels)
        if how.pixels is not None:
            items = Items(image=how.pixels(items["image"]), label=labels)
        return items

    def _guided(
        self,
        model: nn.Module,
        negative: nn.Module | None,
        x: Tensor,
        timestep: Tensor,
        labels: Tensor,
        guidance: float,
    ) -> Tensor:
        v = model(x, timestep, labels).sample.float()
        if guidance == 0:
            return v
        if negative is not None:
            other = negative(x, timestep, labels).sample.float()
        else:
            other = model(x, timestep, torch.full_like(labels, self.recipe.classes)).sample.float()
        return v + guidance * (v - other)

    @torch.no_grad()
    def _denoising(self, model: nn.Module, items: Items) -> tuple[Tensor, Tensor]:
        """Squared velocity error (N,) averaged over a grid of times, and hidden states (N, F)."""
        device = self.device
        z, labels = self.publisher.encode(items).to(device), items["label"].to(device)
        rng = stream("denoising loss")
        error, hidden = torch.zeros(len(z), device=device), torch.zeros((), device=device)
        times = torch.linspace(0.1, 0.9, 5).to(device)
        for s in times:
            e = torch.randn(z.shape, generator=rng).to(device)
            out = model((1 - s) * z + s * e, (1000 * s).expand(len(z)), labels)
            error = error + (out.sample - (e - z)).square().mean(1) / len(times)
            hidden = hidden + out.hidden / len(times)
        return error.cpu(), hidden.cpu()

    def log_prob(self, model: nn.Module, items: Items) -> Tensor:
        """Minus the denoising loss: the usual surrogate, up to scale, of the log-likelihood."""
        return -self._denoising(model, items)[0]

    def logits(self, model: nn.Module, items: Items) -> Tensor:
        raise MethodError("images have no logits: round.logits is for text")

    def features(self, model: nn.Module, items: Items) -> Tensor:
        return self._denoising(model, items)[1]

    def loss(self, model: nn.Module, items: Items) -> float:
        return float(self._denoising(model, items)[0].mean())
