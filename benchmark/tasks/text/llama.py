"""The language model: a small Llama of transformers, its loss, and fast ancestral sampling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM

from benchmark.tasks.text import llama_passes
from benchmark.tasks.training.blueprint import Blueprint

START = 0  # the token in front of every item
GROWTH = 16  # tokens


def build(vocab: int, width: int, layers: int, heads: int, inner: int) -> LlamaForCausalLM:
    """A randomly initialised Llama (from torch's global generator).

    Weights start at half the usual 1/sqrt(fan-in) and embeddings at unit variance, untied: at this
    width the library's default (0.02, tied) stays at unigram level for hundreds of steps.
    """
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocab,
            hidden_size=width,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            num_key_value_heads=heads,
            intermediate_size=inner,
            max_position_embeddings=256,
            bos_token_id=START,
            eos_token_id=None,
            pad_token_id=None,
            tie_word_embeddings=False,
            use_cache=False,
            # On a CPU the fused kernel's backward is twice as slow at 64 tokens.
            attn_implementation="eager",
        )
    )
    for name, parameter in model.named_parameters():
        if parameter.dim() == 2:
            std = 1.0 if "embed_tokens" in name else 0.5 * parameter.shape[1] ** -0.5
            nn.init.normal_(parameter, 0.0, std)
    return model


def numbers(model: LlamaForCausalLM) -> dict[str, Any]:
    """What `build` makes a model of this architecture from."""
    config = model.config
    return {
        "vocab": config.vocab_size,
        "width": config.hidden_size,
        "layers": config.num_hidden_layers,
        "heads": config.num_attention_heads,
        "inner": config.intermediate_size,
    }


BLUEPRINT = Blueprint(LlamaForCausalLM, build, numbers)


def logits_of(model: LlamaForCausalLM, tokens: Tensor) -> Tensor:
    """Logits (N, L, V) of every token given those before it."""
    return model.lm_head(llama_passes.hidden_of(model, _shifted(tokens)))


def nll(logits: Tensor, tokens: Tensor) -> Tensor:
    """Negative log-likelihood in nats of every token, (N, L)."""
    flat = F.cross_entropy(logits.flatten(0, 1).float(), tokens.flatten(), reduction="none")
    return flat.view_as(tokens)


@torch.no_grad()
def hidden_states(model: LlamaForCausalLM, tokens: Tensor) -> Tensor:
    """Last hidden states (N, L, width)."""
    return llama_passes.hidden_of(model, _shifted(tokens))


def embed(model: LlamaForCausalLM, tokens: Tensor) -> Tensor:
    """Hidden states averaged over each item, (N, width)."""
    return torch.cat([hidden_states(model, part).mean(1) for part in tokens.split(250)])


def _shifted(tokens: Tensor) -> Tensor:
    return F.pad(tokens[:, :-1], (1, 0), value=START)


@torch.no_grad()
def sample(
    model: LlamaForCausalLM,
    uniform: Tensor,  # (N, L) uniform random numbers: one a token, so batches do not matter
    choose: Callable[[Tensor, Tensor], Tensor],  # written (B, t), logits (B, V) -> probabilities
    batch: int = 1000,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Tokens (N, L) drawn one by one, by inversion of the cumulative distribution.

    The same arithmetic as the model's own forward pass, with fused projections. The caches grow by
    `GROWTH` tokens at a time and are read whole, because a batched product copies what is not
    contiguous; what is not written yet is zero.
    """
    device = uniform.device
    out = torch.empty(uniform.shape, dtype=torch.int64, device=device)
    config = model.config
    heads, width = config.num_attention_heads, config.hidden_size
    size, length = width // heads, uniform.shape[1]
    positions = torch.arange(length, device=device)[None]
    like = torch.zeros(1, dtype=dtype, device=device)
    cos, sin = (x[0] for x in model.model.rotary_emb(like, positions))
    signed = torch.cat((-sin[:, : size // 2], sin[:, size // 2 :]), -1)
    embed = model.model.embed_tokens.weight.to(dtype)
    head = model.lm_head.weight.to(dtype)
    layers = [_fused(layer, size, dtype) for layer in model.model.layers]
    final = model.model.norm.weight.to(dtype)

    def norm(x: Tensor, weight: Tensor) -> Tensor:
        wide = x.float()
        scale = wide.square().mean(-1, keepdim=True).add_(config.rms_norm_eps).rsqrt_()
        return (wide * scale).mul_(weight).to(x.dtype)

    for start in range(0, len(uniform), batch):
        u = uniform[start : start + batch]
        rows = len(u)
        empty = torch.empty(2, rows * heads, 0, size, dtype=dtype, device=device)
        caches = [empty for _ in layers]  # grown, that is copied, before they are written to
        written = out[start : start + rows]
        token = torch.full((rows,), START, device=device)
        for t in range(length):
            if t % GROWTH == 0:
                caches = [F.pad(cache, (0, 0, 0, GROWTH)) for cache in caches]
                weights = torch.zeros(rows * heads, 1, t + GROWTH, dtype=dtype, device=device)
            x = embed[token]
            for (keys, values), (norm1, qkv, project, norm2, gate_up, down) in zip(
                caches, layers, strict=True
            ):
                projected = F.linear(norm(x, norm1), qkv).view(rows, 3, heads, size)
                qk = projected[:, :2]
                turned = torch.cat((qk[..., size // 2 :], qk[..., : size // 2]), -1)
                qk = (qk * cos[t]).add_(turned.mul_(signed[t]))
                keys[:, t] = qk[:, 1].reshape(rows * heads, size)
                values[:, t] = projected[:, 2].reshape(rows * heads, size)
                q = qk[:, 0].reshape(rows * heads, 1, size)
                # One row times a matrix: twice as fast as a matrix times one column.
                scores = torch.bmm(q, keys.transpose(1, 2))[:, 0, : t + 1]
                weights[:, 0, : t + 1] = scores.float().softmax(-1)
                mixed = torch.bmm(weights, values)
                x = x + F.linear(mixed.view(rows, width), project)
                gate, up = F.linear(norm(x, norm2), gate_up).chunk(2, -1)
                x = x + F.linear(F.silu(gate).mul_(up), down)
            logits = F.linear(norm(x, final), head).float()
            cumulative = choose(written[:, :t], logits).cumsum(-1)
            threshold = u[:, t, None] * cumulative[:, -1:]
            token = torch.searchsorted(cumulative, threshold, right=True).squeeze(1)
            token = token.clamp_(max=logits.shape[1] - 1)
            written[:, t] = token
    return out


def _fused(layer: Any, size: int, dtype: torch.dtype) -> tuple[Tensor, ...]:
    attention, mlp = layer.self_attn, layer.mlp
    scaled = attention.q_proj.weight * size**-0.5
    parts = (
        layer.input_layernorm.weight,
        torch.cat([scaled, attention.k_proj.weight, attention.v_proj.weight]),
        attention.o_proj.weight,
        layer.post_attention_layernorm.weight,
        torch.cat([mlp.gate_proj.weight, mlp.up_proj.weight]),
        mlp.down_proj.weight,
    )
    return tuple(part.to(dtype) for part in parts)
