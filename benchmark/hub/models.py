"""Frozen pretrained networks of the Hub, as the evaluator and the verifiers see them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor

from benchmark.device import current
from benchmark.errors import InputError
from benchmark.hub.local import file_of, reading
from benchmark.hub.repos import HubRepo
from benchmark.hub.tokens import START


class Vision:
    """A vision transformer; features (N, F) are its class token after the last norm.

    Images are resized to its input size and standardised with its processor's constants.
    """

    at_once = 250

    def __init__(self, repo: HubRepo) -> None:
        self.network = pretrained("AutoModel", repo)
        self.device = current()
        processor = json.loads(file_of(repo, "preprocessor_config.json").read_text("utf-8"))
        crop = processor.get("crop_size") or processor["size"]
        self.size = (crop["height"], crop["width"])
        constants = (processor["image_mean"], processor["image_std"])
        self.mean, self.std = (
            torch.tensor(x, device=self.device)[:, None, None] for x in constants
        )

    @torch.no_grad()
    def features(self, images: Tensor) -> Tensor:
        """uint8 images (N, 3, H, W) -> (N, F) on the CPU, float32."""
        found = []
        for part in images.split(self.at_once):
            x = part.to(self.device).float() / 255
            x = F.interpolate(x, self.size, mode="bicubic", antialias=True).clamp(0, 1)
            out = self.network(pixel_values=(x - self.mean) / self.std)
            found.append(out.last_hidden_state[:, 0].cpu())
        return torch.cat(found)


class Reader:
    """A causal language model with its own tokenizer."""

    at_once = 32

    def __init__(self, repo: HubRepo) -> None:
        self.network = pretrained("AutoModelForCausalLM", repo)
        self.device = current()
        self.tokenizer = Tokenizer.from_file(str(file_of(repo, "tokenizer.json")))
        start = self.tokenizer.token_to_id(START)
        if start is None:
            raise InputError(f"the tokenizer of the {repo.title} has no token {START}")
        self.start = start
        self.longest: int = self.network.config.n_positions - 1

    @torch.no_grad()
    def read(self, texts: Sequence[str]) -> Tensor:
        """(N, F + 2) on the CPU: hidden states averaged over the text, its nats in all, and its
        number of tokens (at least 1: an empty text is read as a space)."""
        encoded = self.tokenizer.encode_batch([text or " " for text in texts])
        rows = [torch.tensor(e.ids[: self.longest]) for e in encoded]
        found = []
        for i in range(0, len(rows), self.at_once):
            part = rows[i : i + self.at_once]
            tokens = torch.nn.utils.rnn.pad_sequence(part, batch_first=True).to(self.device)
            count = torch.tensor([len(row) for row in part], device=self.device)
            there = torch.arange(tokens.shape[1], device=self.device) < count[:, None]
            given = F.pad(tokens, (1, 0), value=self.start)
            mask = F.pad(there, (1, 0), value=True).long()
            out = self.network(input_ids=given, attention_mask=mask, output_hidden_states=True)
            nats = F.cross_entropy(out.logits[:, :-1].mT.float(), tokens, reduction="none")
            hidden = (out.hidden_states[-1][:, 1:] * there[..., None]).sum(1) / count[:, None]
            numbers = torch.stack([(nats * there).sum(1), count.float()], 1)
            found.append(torch.cat([hidden.float(), numbers], 1).cpu())
        return torch.cat(found)


@lru_cache(maxsize=4)
def _loaded(kind: str, repo: HubRepo, device: torch.device) -> Any:
    import transformers

    transformers.utils.logging.disable_progress_bar()
    # Whether a network was loaded before must not show in what others draw.
    with torch.random.fork_rng(devices=[]), reading(repo) as where:
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
