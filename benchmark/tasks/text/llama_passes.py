"""A Llama's forward and backward pass in fewer operations than its module's.

On models this small most of the module's time goes into operations that read and write memory. Here
what a layer projects is one matrix product, the norm's gain is multiplied into that product's
weights instead of the activations, residuals are added by the products, and positions are rotated
by one complex product on the way to the heads.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from transformers import LlamaForCausalLM


def hidden_of(model: LlamaForCausalLM, tokens: Tensor) -> Tensor:
    """Last hidden states (N, L, width) of input tokens (N, L), as `model.model` computes them."""
    rows, length = tokens.shape
    eps = model.config.rms_norm_eps
    x = model.model.embed_tokens(tokens).view(rows * length, -1)
    positions = _positions(model, rows, length, x)
    for layer in model.model.layers:
        attention, mlp = layer.self_attn, layer.mlp
        projections = (attention.q_proj, attention.k_proj, attention.v_proj, attention.o_proj)
        weights = (projection.weight for projection in projections)
        x = _Attention.apply(x, layer.input_layernorm.weight, *weights, eps, positions)
        weights = (projection.weight for projection in (mlp.gate_proj, mlp.up_proj, mlp.down_proj))
        x = _Gated.apply(x, layer.post_attention_layernorm.weight, *weights, eps)
    return _Norm.apply(x, model.model.norm.weight, eps).view(rows, length, -1)


class Positions(NamedTuple):
    """What attention needs to know of where tokens are.

    Attributes:
        shape: rows, length, heads, size of a head.
        order: (width,) rows of a projection, so that the two numbers that are rotated together,
            half a head apart in Llama, are neighbours. Scores do not depend on it.
        back: (width,) the inverse of `order`.
        turn: (length, 2, 1, size / 2) complex factors of queries, 1/sqrt(size) included, and keys.
        mask: (length, length), added to the scores.
    """

    shape: tuple[int, int, int, int]
    order: Tensor
    back: Tensor
    turn: Tensor
    mask: Tensor


def interleaved(heads: int, size: int, device: torch.device) -> Tensor:
    """(heads * size,) see `Positions.order`."""
    every = torch.arange(heads * size, device=device)
    return every.view(heads, 2, size // 2).transpose(1, 2).flatten()


def turning(model: LlamaForCausalLM, length: int, like: Tensor) -> Tensor:
    """(length, 2, 1, size / 2) see `Positions.turn`."""
    where = torch.arange(length, device=like.device)[None]
    cos, sin = (part[0] for part in model.model.rotary_emb(like.float(), where))
    half = cos.shape[1] // 2
    keys = torch.complex(cos[:, :half], sin[:, :half])
    return torch.stack((keys * (2 * half) ** -0.5, keys), 1)[:, :, None]


def _positions(model: LlamaForCausalLM, rows: int, length: int, x: Tensor) -> Positions:
    heads = model.config.num_attention_heads
    size = x.shape[1] // heads
    order = interleaved(heads, size, x.device)
    lowest = torch.finfo(x.dtype).min
    mask = torch.full((length, length), lowest, dtype=x.dtype, device=x.device).triu_(1)
    shape = (rows, length, heads, size)
    return Positions(shape, order, order.argsort(), turning(model, length, x), mask)


class _Attention(Function):
    """x + attention(norm(x)), causal with rotary positions; x (rows * length, width)."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        gain: Tensor,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        o: Tensor,
        eps: float,
        positions: Positions,
    ) -> Tensor:
        width, order = len(o), positions.order
        y, scale = normed(x, eps)
        stacked = torch.cat((q[order], k[order], v))
        weight = stacked * gain
        projected = F.linear(y, weight)
        rows, length, heads, _ = positions.shape
        pairs = as_pairs(projected[:, : 2 * width], (rows, length, 2, heads))
        turned = torch.mul(pairs, positions.turn).permute(2, 0, 3, 1, 4)
        queries, keys = torch.view_as_real(turned).to(x.dtype).reshape(2, *_flat(positions))
        values = _heads(projected[:, 2 * width :], positions)
        scores = torch.baddbmm(positions.mask, queries, keys.transpose(1, 2))
        shares = scores.softmax(-1, dtype=torch.float32).to(x.dtype)
        mixed = _rows(torch.bmm(shares, values), positions)
        ctx.positions = positions
        ctx.save_for_backward(
            y, scale, gain, stacked, weight, queries, keys, values, shares, mixed, o
        )
        return torch.addmm(x, mixed, o.T)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        *norm, queries, keys, values, shares, mixed, o = ctx.saved_tensors
        (given,), positions = gradients, ctx.positions
        g_mixed = _heads(given @ o, positions)
        g_shares = torch.bmm(g_mixed, values.transpose(1, 2)).float()
        g_scores = torch._softmax_backward_data(g_shares, shares.float(), -1, torch.float32)
        g_scores = g_scores.to(shares.dtype)
        g_turned = torch.stack(
            (torch.bmm(g_scores, keys), torch.bmm(g_scores.transpose(1, 2), queries))
        )
        rows, length, heads, size = positions.shape
        turned = g_turned.float().view(2, rows, heads, length, size // 2, 2)
        turned = torch.view_as_complex(turned).permute(1, 3, 0, 2, 4)
        g_qk = torch.empty(len(given), 2 * len(o), dtype=torch.float32, device=given.device)
        torch.mul(turned, positions.turn.conj(), out=as_pairs(g_qk, (rows, length, 2, heads)))
        g_values = _rows(torch.bmm(shares.transpose(1, 2), g_mixed), positions)
        g_projected = torch.cat((g_qk.to(g_values.dtype), g_values), 1)
        g_x, g_gain, g_stacked = _through_norm(g_projected, given, *norm)
        g_q, g_k, g_v = g_stacked.chunk(3)
        back = positions.back
        return g_x, g_gain, g_q[back], g_k[back], g_v, given.T @ mixed, None, None


class _Gated(Function):
    """x + down(silu(gate(y)) * up(y)) of y = norm(x); x (M, width)."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, gain: Tensor, gate: Tensor, up: Tensor, down: Tensor, eps: float
    ) -> Tensor:
        y, scale = normed(x, eps)
        stacked = torch.cat((gate, up))
        weight = stacked * gain
        projected = F.linear(y, weight)
        gates, values = projected.chunk(2, -1)
        opened = F.silu(gates)
        inner = opened * values
        ctx.save_for_backward(y, scale, gain, stacked, weight, projected, opened, inner, down)
        return torch.addmm(x, inner, down.T)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        *norm, projected, opened, inner, down = ctx.saved_tensors
        (given,) = gradients
        gates, values = projected.chunk(2, -1)
        g_inner = given @ down
        g_projected = torch.empty_like(projected)
        g_gates, g_values = g_projected.chunk(2, -1)
        torch.mul(g_inner, opened, out=g_values)
        torch.ops.aten.silu_backward.grad_input(g_inner.mul_(values), gates, grad_input=g_gates)
        g_x, g_gain, g_stacked = _through_norm(g_projected, given, *norm)
        return g_x, g_gain, *g_stacked.chunk(2), given.T @ inner, None


class _Norm(Function):
    """Root-mean-square norm of rows, in float32; x (M, width)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gain: Tensor, eps: float) -> Tensor:
        y, scale = normed(x, eps)
        ctx.save_for_backward(y, scale, gain)
        return y * gain

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        y, scale, gain = ctx.saved_tensors
        (given,) = gradients
        return _unscaled(given * gain, y, scale), (given * y).sum(0), None


def normed(x: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """x over its root mean square by row, and (M, 1) what it was multiplied by."""
    wide = x.float()
    scale = wide.square().mean(-1, keepdim=True).add_(eps).rsqrt_()
    return (wide * scale).to(x.dtype), scale


def _unscaled(g_y: Tensor, y: Tensor, scale: Tensor) -> Tensor:
    """Gradient of x from that of y = x * scale, see `normed`."""
    wide = y.float()
    along = torch.linalg.vecdot(g_y.float(), wide)[:, None] / -wide.shape[1]
    return torch.addcmul(g_y.float(), wide, along).mul_(scale).to(y.dtype)


def _through_norm(
    g_projected: Tensor,
    given: Tensor,  # gradient of what the block's output was added to
    y: Tensor,  # norm(x) without its gain
    scale: Tensor,
    gain: Tensor,
    stacked: Tensor,
    weight: Tensor,  # stacked * gain
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of x, gain and stacked, where projected = y @ (stacked * gain).T."""
    g_weight = g_projected.T @ y
    g_x = _unscaled(g_projected @ weight, y, scale).add_(given)
    return g_x, (g_weight * stacked).sum(0), g_weight * gain


def as_pairs(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Neighbours of (M, ...) as complex numbers, shaped `shape` and the numbers of a head."""
    return torch.view_as_complex(x.float().view(*shape, -1, 2))


def _flat(positions: Positions) -> tuple[int, int, int]:
    rows, length, heads, size = positions.shape
    return rows * heads, length, size


def _heads(x: Tensor, positions: Positions) -> Tensor:
    """(rows * length, width) -> (rows * heads, length, size)."""
    return x.view(positions.shape).transpose(1, 2).reshape(_flat(positions))


def _rows(x: Tensor, positions: Positions) -> Tensor:
    """(rows * heads, length, size) -> (rows * length, width)."""
    rows, length, heads, size = positions.shape
    return x.view(rows, heads, length, size).transpose(1, 2).reshape(rows * length, -1)
