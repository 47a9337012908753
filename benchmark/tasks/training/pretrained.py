"""Frozen pretrained networks of the Hub, loaded once a process."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch

from benchmark.basics.device import current
from benchmark.hub.copies import open_repo
from benchmark.hub.repos import HubRepo


def reduced(device: torch.device) -> torch.autocast:
    """The arithmetic of frozen networks: products in bf16 on a GPU, all in float32 elsewhere."""
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")


@lru_cache(maxsize=4)
def _loaded(kind: str, repo: HubRepo, device: torch.device) -> Any:
    import transformers

    transformers.utils.logging.disable_progress_bar()
    # Whether a network was loaded before must not show in what others draw.
    with torch.random.fork_rng(devices=[]), open_repo(repo) as where:
        network = getattr(transformers, kind).from_pretrained(
            where["path"],
            revision=where.get("revision", "main"),
            use_safetensors=True,
            dtype=torch.float32,
        )
    return network.eval().requires_grad_(False).to(device)


def pretrained(kind: str, repo: HubRepo) -> Any:
    """A frozen network of transformers' class `kind`; the same one for all who ask.

    Raises:
        InputError: it cannot be had.
        CorruptFile: it cannot be read.
    """
    return _loaded(kind, repo, current())
