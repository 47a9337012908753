"""Texts written token by token by a GPT-2, with keys and values kept in tensors of fixed size."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import GPT2LMHeadModel
from transformers.pytorch_utils import Conv1D

from benchmark.tasks.text import gpt2_network
from benchmark.tasks.training.graphs import record

Chooser = Callable[[Tensor, Tensor], Tensor]  # written (B, t), logits (B, V) -> probabilities


class Writer:
    """Writes `rows` texts of up to `length` tokens at a time.

    The forward pass of one token is the same at every place, so that a GPU can record it: the
    place is a tensor, and what is not written yet is masked. The library's `generate` launches
    each kernel anew and copies its caches as they grow, which takes ten times as long.
    """

    @torch.inference_mode(False)  # its tensors are ordinary ones, whoever makes it
    def __init__(self, model: GPT2LMHeadModel, rows: int, length: int, recorded: bool) -> None:
        self.network: Any = copy.deepcopy(model).requires_grad_(False).eval()
        self.device = self.network.lm_head.weight.device
        on_gpu = self.device.type == "cuda"
        if on_gpu:
            for part in self.network.modules():  # what autocast would do for every token
                if isinstance(part, Conv1D):
                    part.weight.data = part.weight.data.bfloat16()
        blocks = self.network.transformer.h
        shape = (rows, blocks[0].attn.num_heads, length, blocks[0].attn.head_dim)
        dtype = torch.bfloat16 if on_gpu else torch.float32
        self.caches = [
            [torch.zeros(shape, dtype=dtype, device=self.device) for _ in range(2)] for _ in blocks
        ]
        self.token = torch.zeros(rows, dtype=torch.int64, device=self.device)
        self.place = torch.zeros(1, dtype=torch.int64, device=self.device)
        self.places = torch.arange(length, device=self.device)
        with torch.no_grad():
            # Not the pass itself: an object that refers to itself keeps its memory for long.
            self._replay = record(self._forward, self.device) if recorded else None

    def _forward(self) -> None:
        """The logits (rows, V) of what follows `token` at `place`."""
        whole = self.network.transformer
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            # Beyond a block there are no positions of its own: none of them would be trained.
            at = self.place.clamp(max=whole.wpe.num_embeddings - 1)
            x = (whole.wte(self.token) + whole.wpe(at))[:, None]
            written = (self.places <= self.place)[None, None, None]
            for block, (keys, values) in zip(whole.h, self.caches, strict=True):
                q, k, v = gpt2_network.heads_of(block.attn, block.ln_1(x))
                keys.index_copy_(2, self.place, k)
                values.index_copy_(2, self.place, v)
                mixed = F.scaled_dot_product_attention(q, keys, values, attn_mask=written)
                x = x + block.attn.c_proj(mixed.transpose(1, 2).flatten(2))
                x = x + block.mlp(block.ln_2(x))
            self.logits = self.network.lm_head(whole.ln_f(x))[:, 0]

    @torch.no_grad()
    def write(self, model: nn.Module, start: int, uniform: Tensor, choose: Chooser) -> Tensor:
        """Tokens like `uniform` (rows, up to `length`), written by `model` after the token `start`.

        Each is drawn by inversion of `choose`'s cumulative distribution, by a number of its own,
        so that texts do not depend on what they are written together with.
        """
        own: list[Tensor] = list(self.network.parameters())
        torch._foreach_copy_(own, list(model.parameters()))
        for pair in self.caches:  # what is masked has no weight, but 0 times NaN is NaN
            torch._foreach_zero_(pair)
        out = torch.empty(uniform.shape, dtype=torch.int64, device=self.device)
        self.token.fill_(start)
        for t in range(uniform.shape[1]):
            self.place.fill_(t)
            (self._replay or self._forward)()
            cumulative = choose(out[:, :t], self.logits.float()).cumsum(-1)
            threshold = uniform[:, t, None] * cumulative[:, -1:]
            token = torch.searchsorted(cumulative, threshold, right=True).squeeze(1)
            self.token.copy_(token.clamp_(max=cumulative.shape[1] - 1))
            out[:, t] = self.token
        return out
