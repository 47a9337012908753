"""The repositories and tasks of suite `large` at a toy size."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from benchmark.hub.repos import HubRepo
from benchmark.tasks.images.recipes import LoraRecipe
from benchmark.tasks.images.tasks import DINOV2, IMAGENETTE, STABLE_DIFFUSION
from benchmark.tasks.suites import load_suite
from benchmark.tasks.task import Task
from benchmark.tasks.text.recipes import Tokens, TunedTextRecipe
from benchmark.tasks.text.tasks import DISTILGPT2, GPT2, WIKITEXT
from tests.hub import tiny

SIZE = 16  # pixels; latents are half as wide


def write(root: Path) -> Path:
    """Every repository of the suite, in `root`/datasets and `root`/models."""
    tiny.pictures(
        root / "datasets" / IMAGENETTE.name / "320px", "image", "imagenette-{}", "validation"
    )
    tiny.stories(root / "datasets" / WIKITEXT.name / "wikitext-103-raw-v1", parts=1)
    tiny.language_model(root / "models" / GPT2.name)
    tiny.language_model(root / "models" / DISTILGPT2.name)
    tiny.vision(root / "models" / DINOV2.name)
    diffusion(root / "models" / STABLE_DIFFUSION.name)
    return root


def diffusion(folder: Path) -> None:
    """A random text-to-image model of a few thousand weights."""
    torch.manual_seed(0)
    UNet2DConditionModel(
        sample_size=SIZE // 2, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), cross_attention_dim=16,
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), attention_head_dim=4,
    ).save_pretrained(folder / "unet")  # fmt: skip
    AutoencoderKL(
        block_out_channels=(8, 8), norm_num_groups=4, latent_channels=4, sample_size=SIZE,
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
    ).save_pretrained(folder / "vae")  # fmt: skip
    DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False
    ).save_pretrained(folder / "scheduler")
    letters = [*"abcdefghijklmnopqrstuvwxyz"]
    words = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    config = CLIPTextConfig(
        vocab_size=len(words), hidden_size=16, intermediate_size=16, num_hidden_layers=1,
        num_attention_heads=2, max_position_embeddings=20, bos_token_id=len(words) - 2,
        eos_token_id=len(words) - 1, pad_token_id=len(words) - 1,
    )  # fmt: skip
    CLIPTextModel(config).save_pretrained(folder / "text_encoder")
    tokenizer = folder / "tokenizer"
    tokenizer.mkdir()
    (tokenizer / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(words)}))
    (tokenizer / "merges.txt").write_text("#version: 0.2\n")
    special = {"bos_token": words[-2], "eos_token": words[-1], "unk_token": words[-1],
               "pad_token": words[-1]}  # fmt: skip
    (tokenizer / "special_tokens_map.json").write_text(json.dumps(special))
    (tokenizer / "tokenizer_config.json").write_text(
        json.dumps(special | {"tokenizer_class": "CLIPTokenizer", "model_max_length": 20})
    )


def toy(task: Task) -> Task:
    """`task` over these repositories, with little of everything."""

    def unchecked(repo: HubRepo) -> HubRepo:
        return replace(repo, sha256=())

    tokens = Tokens(unchecked(task_tokens().repo), tiny.VOCABULARY, tiny.LENGTH)
    evaluation = replace(task.evaluation, network=unchecked(task.evaluation.network))
    verifier = replace(task.verifier, network=unchecked(task.verifier.network))
    data = replace(task.data, repo=unchecked(task.data.repo), heldout=12)

    def fewer(recipe: LoraRecipe | TunedTextRecipe) -> LoraRecipe | TunedTextRecipe:
        less = {"network": unchecked(recipe.network), "steps": 2, "batch": 8, "at_once": 2}
        if isinstance(recipe, LoraRecipe):
            return replace(recipe, **less, rank=2, size=SIZE, sampling_steps=2)
        return replace(recipe, **less, tokens=tokens)

    if task.modality == "image":
        data = replace(data, size=SIZE)
        verifier = replace(verifier, data=data, images=30)
    else:
        data = replace(data, tokens=tokens, scanned=4)
        evaluation, verifier = replace(evaluation, tokens=tokens), replace(verifier, tokens=tokens)
    return replace(
        task, n=24, reserve=8, generations=2, data=data, evaluation=evaluation, verifier=verifier,
        generator=fewer(task.generator), foreign=tuple(map(fewer, task.foreign)),
    )  # fmt: skip


def task_tokens() -> Tokens:
    """The tokens of the suite's texts."""
    return next(t for t in load_suite("large").tasks if t.modality == "text").data.tokens


def toys() -> dict[str, Task]:
    """The tasks of suite `large`, by name, at a toy size."""
    return {task.name: toy(task) for task in load_suite("large").tasks}
