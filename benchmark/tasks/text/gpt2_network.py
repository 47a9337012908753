"""The language model of suite `standard`: GPT-2's architecture by transformers."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel

from benchmark.tasks.training.blueprint import Blueprint


def build_gpt2(vocab: int, width: int, layers: int, heads: int, longest: int) -> GPT2LMHeadModel:
    """A randomly initialised GPT-2 of up to `longest` positions, without dropout."""
    config = GPT2Config(
        vocab_size=vocab,
        n_positions=longest,
        n_embd=width,
        n_layer=layers,
        n_head=heads,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=None,
        eos_token_id=None,
    )
    return GPT2LMHeadModel(config)


def hidden_of(model: GPT2LMHeadModel, tokens: Tensor) -> Tensor:
    """Hidden states (N, L, width) after the last norm; no token is padding.

    The library's own forward pass looks for several texts in one row, for which the processor has
    to wait for the GPU, and which a CUDA graph cannot record.
    """
    whole: Any = model.transformer
    x = whole.wte(tokens) + whole.wpe(torch.arange(tokens.shape[1], device=tokens.device))
    for block in whole.h:
        q, k, v = heads_of(block.attn, block.ln_1(x))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + block.attn.c_proj(mixed.transpose(1, 2).flatten(2))
        x = x + block.mlp(block.ln_2(x))
    return whole.ln_f(x)


def heads_of(attention: Any, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values (N, heads, L, size)."""
    parts = attention.c_attn(x).unflatten(2, (3, attention.num_heads, attention.head_dim))
    q, k, v = parts.permute(2, 0, 3, 1, 4)
    return q, k, v


def describe_gpt2(model: GPT2LMHeadModel) -> dict[str, Any]:
    """What `build` makes a model of this architecture from."""
    config = model.config
    return {
        "vocab": config.vocab_size,
        "width": config.n_embd,
        "layers": config.n_layer,
        "heads": config.n_head,
        "longest": config.n_positions,
    }


BLUEPRINT = Blueprint(GPT2LMHeadModel, build_gpt2, describe_gpt2)
