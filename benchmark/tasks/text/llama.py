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
AT_ONCE = 25  # blocks whose layers a processor's cache holds: a quarter faster than 250


def build_llama(vocab: int, width: int, layers: int, heads: int, inner: int) -> LlamaForCausalLM:
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


def describe_llama(model: LlamaForCausalLM) -> dict[str, Any]:
    """What `build` makes a model of this architecture from."""
    config = model.config
    return {
        "vocab": config.vocab_size,
        "width": config.hidden_size,
        "layers": config.num_hidden_layers,
        "heads": config.num_attention_heads,
        "inner": config.intermediate_size,
    }


BLUEPRINT = Blueprint(LlamaForCausalLM, build_llama, describe_llama)


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
    return torch.cat([hidden_states(model, part).mean(1) for part in tokens.split(AT_ONCE)])


def _shifted(tokens: Tensor) -> Tensor:
    return F.pad(tokens[:, :-1], (1, 0), value=START)


@torch.no_grad()
def sample(
    model: LlamaForCausalLM,
    uniform: Tensor,  # (N, L) uniform random numbers: one a token, so batches do not matter
    choose: Callable[[Tensor, Tensor], Tensor],  # written (B, t), logits (B, V) -> probabilities
    batch: int = 250,  # whose caches a processor's last cache holds: a fifth faster than 1,000
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Tokens (N, L) drawn one by one, by inversion of the cumulative distribution.

    The same arithmetic as the model's own forward pass, with fused projections and caches of keys
    and values that are as long as the block from the beginning: they never grow, hence are never
    copied.
    """
    device = uniform.device
    out = torch.empty(uniform.shape, dtype=torch.int64, device=device)
    config = model.config
    heads, width, eps = config.num_attention_heads, config.hidden_size, config.rms_norm_eps
    size, length = width // heads, uniform.shape[1]
    embed = model.model.embed_tokens.weight.to(dtype)
    turn = llama_passes.turning(model, length, embed)
    order = llama_passes.interleaved(heads, size, device)
    layers = [_fused(layer, order, dtype) for layer in model.model.layers]
    head = (model.lm_head.weight * model.model.norm.weight).to(dtype)

    for start in range(0, len(uniform), batch):
        u = uniform[start : start + batch]
        rows = len(u)
        shape = (len(layers), 2, rows, heads, length, size)
        caches = torch.empty(shape, dtype=dtype, device=device)
        written = out[start : start + rows]
        token = torch.full((rows,), START, device=device)
        for t in range(length):
            x = embed[token]
            for cache, (qkv, project, gate_up, down) in zip(caches, layers, strict=True):
                projected = F.linear(llama_passes.normed(x, eps)[0], qkv)
                qk = llama_passes.as_pairs(projected[:, : 2 * width], (rows, 2, heads)) * turn[t]
                q, cache[0, :, :, t] = torch.view_as_real(qk).flatten(-2).to(dtype).unbind(1)
                cache[1, :, :, t] = projected[:, 2 * width :].view(rows, heads, size)
                keys, values = cache.flatten(1, 2)[:, :, : t + 1]
                # One row times a matrix: twice as fast as a matrix times one column.
                scores = torch.bmm(q.reshape(rows * heads, 1, size), keys.transpose(1, 2))
                shares = scores.softmax(-1, dtype=torch.float32).to(dtype)
                x = torch.addmm(x, torch.bmm(shares, values).view(rows, width), project.T)
                gate, up = F.linear(llama_passes.normed(x, eps)[0], gate_up).chunk(2, -1)
                x = torch.addmm(x, F.silu(gate).mul_(up), down.T)
            logits = F.linear(llama_passes.normed(x, eps)[0], head).float()
            cumulative = choose(written[:, :t], logits).cumsum(-1)
            threshold = u[:, t, None] * cumulative[:, -1:]
            token = torch.searchsorted(cumulative, threshold, right=True).squeeze(1)
            token = token.clamp_(max=logits.shape[1] - 1)
            written[:, t] = token
    return out


def _fused(layer: Any, order: Tensor, dtype: torch.dtype) -> tuple[Tensor, ...]:
    """Weights of a layer's four products: those that read a norm's output contain its gain."""
    attention, mlp = layer.self_attn, layer.mlp
    q, k, v = (p.weight for p in (attention.q_proj, attention.k_proj, attention.v_proj))
    parts = (
        torch.cat([q[order], k[order], v]) * layer.input_layernorm.weight,
        attention.o_proj.weight,
        torch.cat([mlp.gate_proj.weight, mlp.up_proj.weight])
        * layer.post_attention_layernorm.weight,
        mlp.down_proj.weight,
    )
    return tuple(part.to(dtype) for part in parts)
