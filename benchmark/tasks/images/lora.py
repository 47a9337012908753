"""The image generator of suite `large`: a text-to-image model, tuned by LoRA in every generation.

Noise prediction on a latent diffusion model (Rombach et al. 2022, arXiv 2112.10752), by diffusers;
adapters by peft.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from torch import Tensor, nn

from benchmark.hub.copies import open_repo
from benchmark.hub.repos import HubRepo
from benchmark.tasks.images import unet
from benchmark.tasks.images.adapter import Adapter, Frozen
from benchmark.tasks.images.codecs import LatentPublisher
from benchmark.tasks.images.flow_matching import FlowMatching
from benchmark.tasks.training.accelerated import fine_tune
from benchmark.tasks.training.fit import Objective
from benchmark.tasks.training.meter import Meter

TUNED = ("to_q", "to_k", "to_v", "to_out.0")


class LoraGenerator(FlowMatching):
    """Adapters are float32; on a GPU the frozen network is bf16. Here "velocity" is the noise."""

    at_once = 16

    def __init__(
        self,
        network: HubRepo,
        names: tuple[str, ...],
        prompt: str,
        size: int,
        rank: int,
        at_once: int,
        guidance: float,
        **flow: Any,
    ) -> None:
        """As `LoraRecipe` says; `flow` is that of `FlowMatching`."""
        super().__init__(classes=len(names), **flow)
        self.rank, self.part, self.guidance = rank, at_once, guidance
        self.publisher = LatentPublisher(network)
        self.base = _base(network, rank, self.device)
        self.prompts = _prompts(network, names, prompt, self.device)
        self.schedule = _schedule(network)
        assert isinstance(self.base.network, UNet2DConditionModel)
        reduction = 2 ** (len(self.publisher.network.config.block_out_channels) - 1)
        side = size // reduction
        self.shape = (self.base.network.config.in_channels, side, side)
        self.meter = Meter(self.device, backward=1)  # the frozen weights have no gradients

    def blank(self) -> nn.Module:
        """Adapters that change nothing yet: B = 0, A normal with variance 1 / rank^2."""
        assert self.base.network is not None
        weights = {}
        for name, weight in self.base.network.named_parameters():
            if "lora_A" in name:
                weights[name] = torch.randn(weight.shape).to(self.device) / self.rank
            elif "lora_B" in name:
                weights[name] = torch.zeros(weight.shape, device=self.device)
        return Adapter(weights, self.base, self.classes).to(self.device)

    def fit(self, model: nn.Module, objective: Objective, size: int, steps: int, lr: float,
            rng: torch.Generator, rates: Tensor | None) -> nn.Module:  # fmt: skip
        example = torch.zeros(1, *self.shape, device=self.device)
        one = torch.zeros(1, dtype=torch.int64, device=self.device)
        forward = partial(self.velocity, model, example, one, one)
        with self.meter.training(forward, steps * self.batch):
            return fine_tune(model, objective, size, steps, self.batch, self.part, lr, rng,
                             rates, self.device)  # fmt: skip

    def ready(self, model: nn.Module) -> nn.Module:
        return model

    def noised(self, z: Tensor, e: Tensor, s: Tensor) -> Tensor:
        return self.schedule.add_noise(z, e, self.times(s).expand(len(z)))

    def times(self, s: Tensor) -> Tensor:
        return (s.flatten() * (self.schedule.config.num_train_timesteps - 1)).round().long()

    def target(self, z: Tensor, e: Tensor, s: Tensor) -> Tensor:
        if self.schedule.config.prediction_type == "v_prediction":
            return self.schedule.get_velocity(z, e, self.times(s).expand(len(z)))
        return e

    def scheduler(self) -> DDIMScheduler:
        scheduler = DDIMScheduler.from_config(self.schedule.config, clip_sample=False)
        scheduler.set_timesteps(self.sampling_steps)
        return scheduler

    def velocity(self, model: nn.Module, x: Tensor, times: Tensor, labels: Tensor) -> Tensor:
        with self.arithmetic():
            return model(x, times, encoder_hidden_states=self.prompts[labels]).sample.float()

    def plain(self, model: nn.Module, x: Tensor, times: Tensor, labels: Tensor) -> Tensor:
        given = self.velocity(model, x, times, labels)
        if self.guidance == 0:
            return given
        nothing = torch.full_like(labels, self.classes)
        return given + self.guidance * (given - self.velocity(model, x, times, nothing))

    def hidden(self, model: nn.Module, x: Tensor, times: Tensor, labels: Tensor
               ) -> tuple[Tensor, Tensor]:  # fmt: skip
        return unet.inside(self.base.network, lambda: self.velocity(model, x, times, labels))


@lru_cache(maxsize=3)
def _base(repo: HubRepo, rank: int, device: torch.device) -> Frozen:
    """The denoiser with adapters of `rank` that are still its own."""
    from peft import LoraConfig

    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    with torch.random.fork_rng(devices=[]), open_repo(repo) as where:
        network = UNet2DConditionModel.from_pretrained(
            where["path"], subfolder="unet", revision=where.get("revision"), torch_dtype=dtype,
            use_safetensors=True,
        )  # fmt: skip
        network.add_adapter(LoraConfig(r=rank, lora_alpha=rank, target_modules=list(TUNED)))
    return Frozen(network.eval().requires_grad_(False).to(device))


@lru_cache(maxsize=3)
def _schedule(repo: HubRepo) -> DDIMScheduler:
    with open_repo(repo) as where:
        return DDIMScheduler.from_pretrained(
            where["path"], subfolder="scheduler", revision=where.get("revision")
        )


@lru_cache(maxsize=3)
@torch.no_grad()
def _prompts(repo: HubRepo, names: tuple[str, ...], prompt: str, device: torch.device) -> Tensor:
    """(classes + 1, L, F) embedded prompts; the last one is empty."""
    from transformers import CLIPTextModel, CLIPTokenizer

    with torch.random.fork_rng(devices=[]), open_repo(repo) as where:
        path, revision = where["path"], where.get("revision", "main")
        tokenizer = CLIPTokenizer.from_pretrained(path, subfolder="tokenizer", revision=revision)
        encoder = CLIPTextModel.from_pretrained(
            path, subfolder="text_encoder", revision=revision, use_safetensors=True
        )
    words = [*(prompt.format(name) for name in names), ""]
    encoder = encoder.eval().to(device)
    longest = encoder.config.max_position_embeddings
    tokens = tokenizer(words, padding="max_length", max_length=longest, truncation=True,
                       return_tensors="pt").input_ids  # fmt: skip
    return encoder(tokens.to(device)).last_hidden_state
