"""A Llama's forward and backward pass in fewer operations than its module's, bit for bit.

On models this small a third of the module's time goes into elementwise operations; here each is
done once, in the form the next matrix product reads.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from transformers import LlamaForCausalLM


def hidden_of(model: LlamaForCausalLM, tokens: Tensor) -> Tensor:
    """Last hidden states (N, L, width) of input tokens (N, L), as `model.model` computes them."""
    config = model.config
    rows, length = tokens.shape
    width, eps = config.hidden_size, config.rms_norm_eps
    x = model.model.embed_tokens(tokens).view(rows * length, width)
    shape = (rows, length, config.num_attention_heads, width // config.num_attention_heads)
    cos, sin = model.model.rotary_emb(x, torch.arange(length, device=x.device)[None])
    lowest = torch.finfo(x.dtype).min
    mask = torch.full((length, length), lowest, dtype=x.dtype, device=x.device).triu_(1)
    for layer in model.model.layers:
        attention, mlp = layer.self_attn, layer.mlp
        y = _Norm.apply(x, layer.input_layernorm.weight, eps)
        q, k, v = (p(y) for p in (attention.q_proj, attention.k_proj, attention.v_proj))
        mixed = _Attention.apply(q, k, v, cos[0], sin[0], mask, shape)
        x = x + attention.o_proj(mixed)
        y = _Norm.apply(x, layer.post_attention_layernorm.weight, eps)
        x = x + mlp.down_proj(F.silu(mlp.gate_proj(y)) * mlp.up_proj(y))
    return _Norm.apply(x, model.model.norm.weight, eps).view(rows, length, width)


class _Norm(Function):
    """Root-mean-square norm of rows, in float32; x (M, width)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        wide = x.float()
        scale = wide.square().mean(-1, keepdim=True).add_(eps).rsqrt_()
        normed = (wide * scale).to(x.dtype)
        ctx.save_for_backward(wide, scale, normed, weight)
        return weight * normed

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        wide, scale, normed, weight = ctx.saved_tensors
        (given,) = gradients
        g = (given * weight).float()
        g_scale = (g * wide).sum(-1, keepdim=True)
        g_square = -0.5 * g_scale * scale.pow(3) / wide.shape[-1]
        g_x = wide * (2 * g_square)
        g_x += g * scale
        return g_x.to(normed.dtype), (given * normed).sum(0), None


class _Attention(Function):
    """Causal attention with rotary positions; q, k, v (rows * length, width)."""

    @staticmethod
    def forward(
        ctx: Any,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        cos: Tensor,  # (length, size)
        sin: Tensor,
        mask: Tensor,  # (length, length), added to the scores
        shape: tuple[int, int, int, int],  # rows, length, heads, size
    ) -> Tensor:
        half = shape[3] // 2
        signed = torch.cat((-sin[:, :half], sin[:, half:]), -1)
        q, k = (_rotated(_heads(x, shape), cos, signed) for x in (q, k))
        v = _heads(v, shape).contiguous().flatten(0, 1)
        scores = torch.bmm(q, k.transpose(1, 2)).mul_(shape[3] ** -0.5).add_(mask)
        wide = scores.softmax(-1, dtype=torch.float32)
        shares = wide.to(v.dtype)
        ctx.shape = shape
        ctx.save_for_backward(q, k, v, wide, shares, cos, sin)
        return _rows(torch.bmm(shares, v), shape)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        q, k, v, wide, shares, cos, sin = ctx.saved_tensors
        shape, half = ctx.shape, ctx.shape[3] // 2
        g = _heads(gradients[0], shape).contiguous().flatten(0, 1)
        g_shares = torch.bmm(g, v.transpose(1, 2)).float()
        g_v = torch.bmm(shares.transpose(1, 2), g)
        g_scores = torch._softmax_backward_data(g_shares, wide, -1, torch.float32).to(v.dtype)
        g_scores.mul_(shape[3] ** -0.5)
        signed = torch.cat((sin[:, half:], -sin[:, :half]), -1)
        g_q = _rotated(torch.bmm(g_scores, k).view_as(q), cos, signed)
        g_k = _rotated(torch.bmm(g_scores.transpose(1, 2), q).view_as(k), cos, signed)
        return _rows(g_q, shape), _rows(g_k, shape), _rows(g_v, shape), None, None, None, None


def _heads(x: Tensor, shape: tuple[int, int, int, int]) -> Tensor:
    """(rows * length, width) as a view (rows, heads, length, size)."""
    return x.view(shape).transpose(1, 2)


def _rows(x: Tensor, shape: tuple[int, int, int, int]) -> Tensor:
    """(rows * heads, length, size) -> (rows * length, width)."""
    rows, length, heads, size = shape
    return x.view(rows, heads, length, size).transpose(1, 2).reshape(rows * length, heads * size)


def _rotated(x: Tensor, cos: Tensor, signed: Tensor) -> Tensor:
    """x cos + (x with its halves swapped) signed; (..., length, size) -> (B, length, size)."""
    half = x.shape[-1] // 2
    x = x.contiguous()
    turned = torch.cat((x[..., half:], x[..., :half]), -1).mul_(signed)
    out = (x * cos).add_(turned)
    return out.view(-1, *out.shape[-2:])
