"""What a generator of images is put together from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from torch import Tensor, nn

from benchmark.basics.errors import Diverged, MethodError
from benchmark.basics.ranks import spread
from benchmark.basics.seeds import stream
from benchmark.interface.generator import LossHook, Sampling
from benchmark.interface.items import Items, TrainingSet
from benchmark.tasks.images.labels import SHARES, draw_labels, set_label_shares
from benchmark.tasks.parts import Publisher
from benchmark.tasks.training.fit import Objective
from benchmark.tasks.training.objective import StepLoss
from benchmark.tasks.training.trained import Trained


class Scheduler(Protocol):
    """One of diffusers'."""

    @property
    def timesteps(self) -> Tensor: ...

    def step(self, output: Tensor, timestep: Tensor, sample: Tensor) -> Any: ...


class FlowMatching(Trained):
    """Class-conditional flow z_s = (1 - s) z + s e from data z to noise e; velocity v = e - z.

    Subclasses say which network predicts v, in which space, and with what arithmetic.
    """

    fixed: tuple[str, ...] = (SHARES,)
    publisher: Publisher
    shape: tuple[int, ...]  # of one z
    at_once: int = 1 << 30  # items that are sampled or scored at a time

    def __init__(
        self, classes: int, drop_class: float, sampling_steps: int, **schedule: Any
    ) -> None:
        """`schedule` is that of `Trained`."""
        super().__init__(**schedule)
        self.classes, self.drop_class = classes, drop_class
        self.sampling_steps = sampling_steps
        self.ranges: Mapping[str, int] = {"label": classes}

    def ready(self, model: nn.Module) -> nn.Module:
        """`model` as it samples."""
        raise NotImplementedError

    def velocity(self, model: nn.Module, x: Tensor, times: Tensor, labels: Tensor) -> Tensor:
        """Predicted v, like `x`, at `times` (N,) in [0, 1000]."""
        raise NotImplementedError

    def noised(self, z: Tensor, e: Tensor, s: Tensor) -> Tensor:
        """Data `z` and noise `e` at `s` in [0, 1], shaped to be multiplied with them."""
        return (1 - s) * z + s * e

    def times(self, s: Tensor) -> Tensor:
        """(N,) `s` as `velocity` takes it."""
        return 1000 * s.flatten()

    def target(self, z: Tensor, e: Tensor, s: Tensor) -> Tensor:
        """What `velocity` should give."""
        return e - z

    def scheduler(self) -> Scheduler:
        """Goes from noise to data; its time steps are set."""
        scheduler = FlowMatchEulerDiscreteScheduler()
        scheduler.set_timesteps(self.sampling_steps)
        return scheduler

    def hidden(self, model: nn.Module, x: Tensor, times: Tensor, labels: Tensor
               ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """The same v, and a hidden representation (N, F)."""
        raise NotImplementedError

    def objective(self, data: TrainingSet, loss: LossHook | None, rng: torch.Generator
                  ) -> Objective:  # fmt: skip
        device = self.device
        latents, labels = self.publisher.encode(data.items).to(device), data.items["label"]
        one_each = [1] * (latents.dim() - 1)

        def draw(rows: Tensor) -> tuple[Tensor, ...]:
            e = torch.randn(len(rows), *latents.shape[1:], generator=rng)
            s = torch.rand(len(rows), *one_each, generator=rng)
            dropped = torch.rand(len(rows), generator=rng) < self.drop_class
            return rows, e, s, labels[rows].masked_fill(dropped, self.classes)

        def inputs(rows: Tensor, e: Tensor, s: Tensor, label: Tensor) -> tuple[Tensor, ...]:
            return latents[rows], e, s, label

        def predict(model: nn.Module, z: Tensor, e: Tensor, s: Tensor, label: Tensor) -> Tensor:
            return self.velocity(model, self.noised(z, e, s), self.times(s), label)

        def score(v: Tensor, z: Tensor, e: Tensor, s: Tensor, _: Tensor) -> Tensor:
            squared = (v - self.target(z, e, s)).square()
            return (squared if loss is None else loss(squared, v)).mean()

        return StepLoss(draw, inputs, predict, score, device, self.recorded(loss))

    def note(self, model: nn.Module, data: TrainingSet) -> None:
        set_label_shares(model, data)

    @torch.no_grad()
    def sample(self, model: nn.Module, n: int, rng: torch.Generator, how: Sampling) -> Items:
        labels = draw_labels(model, n, rng)
        noise = torch.randn(n, *self.shape, generator=rng) * how.temperature
        model = self.ready(model)
        negative = None if how.negative is None else self.ready(how.negative)
        parts = zip(*(x.split(self.at_once) for x in (noise, labels)), strict=True)
        x = spread(partial(self._written, model, negative, how.guidance), list(parts))
        if not torch.isfinite(x).all():
            raise Diverged("the generator's samples are not finite")
        return self.publisher.publish(x, labels)

    def _written(
        self, model: nn.Module, negative: nn.Module | None, by: float, x: Tensor, classes: Tensor
    ) -> Tensor:
        """Noise `x` carried to data by the scheduler's steps."""
        x, classes = x.to(self.device), classes.to(self.device)
        scheduler = self.scheduler()
        for timestep in scheduler.timesteps:
            # Not `timestep.to(device)`: the processor would wait for the GPU.
            times = torch.full((len(x),), timestep.item(), dtype=timestep.dtype, device=x.device)
            v = self._guided(model, negative, x, times, classes, by)
            x = scheduler.step(v, timestep, x).prev_sample
        return x.cpu()

    def plain(self, model: nn.Module, x: Tensor, times: Tensor, labels: Tensor) -> Tensor:
        """What a model is sampled by without a method's guidance."""
        return self.velocity(model, x, times, labels)

    def _guided(
        self,
        model: nn.Module,
        negative: nn.Module | None,
        x: Tensor,
        timestep: Tensor,
        labels: Tensor,
        guidance: float,
    ) -> Tensor:
        v = self.plain(model, x, timestep, labels)
        if guidance == 0:
            return v
        if negative is not None:
            other = self.plain(negative, x, timestep, labels)
        else:
            nothing = torch.full_like(labels, self.classes)
            other = self.velocity(model, x, timestep, nothing)
        return v + guidance * (v - other)

    @torch.no_grad()
    def _denoising(self, model: nn.Module, items: Items) -> tuple[Tensor, Tensor]:
        """Squared velocity error (N,) averaged over a grid of times, and hidden states (N, F)."""
        rng, device = stream("denoising loss"), self.device
        times = torch.linspace(0.1, 0.9, 5).to(device)
        found = []
        for start in range(0, len(items), self.at_once):
            part = items.take(slice(start, start + self.at_once))
            z, labels = self.publisher.encode(part).to(device), part["label"].to(device)
            error, hidden = torch.zeros(len(z), device=device), torch.zeros((), device=device)
            for s in times:
                e = torch.randn(z.shape, generator=rng).to(device)
                at = self.times(s).expand(len(z))
                v, inside = self.hidden(model, self.noised(z, e, s), at, labels)
                error = error + (v - self.target(z, e, s)).square().flatten(1).mean(1) / len(times)
                hidden = hidden + inside / len(times)
            found.append((error.cpu(), hidden.cpu()))
        errors, hiddens = zip(*found, strict=True)
        return torch.cat(errors), torch.cat(hiddens)

    def log_prob(self, model: nn.Module, items: Items) -> Tensor:
        """Minus the denoising loss: the usual surrogate, up to scale, of the log-likelihood."""
        return -self._denoising(model, items)[0]

    def logits(self, model: nn.Module, items: Items) -> Tensor:
        raise MethodError("images have no logits: round.logits is for text")

    def features(self, model: nn.Module, items: Items) -> Tensor:
        return self._denoising(model, items)[1]

    def loss(self, model: nn.Module, items: Items) -> float:
        return float(self._denoising(model, items)[0].mean())
