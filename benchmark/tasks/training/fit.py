"""The optimiser loop shared by every neural part: master weights are float32."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor, nn

from benchmark.basics.errors import Diverged
from benchmark.tasks.training import graphs
from benchmark.tasks.training.objective import StepLoss

Objective = Callable[[nn.Module, Tensor], Tensor]  # (model, rows) -> scalar loss of those rows


def fit(
    model: nn.Module,
    loss: Objective,
    size: int,  # number of rows of the training set
    steps: int,  # optimiser steps, whatever the size
    batch: int,
    lr: float,
    rng: torch.Generator,
    rates: Tensor | None = None,  # (size,) how often rows are visited, in proportion
    warmup: float = 0.1,  # share of the steps with rising learning rate; then a cosine to zero
    weight_decay: float = 0.01,
    clip: float = 1.0,  # gradient norm
    dtype: torch.dtype = torch.float32,  # of the copy that computes
    after: Callable[[], None] = lambda: None,  # every step, such as averaging
) -> nn.Module:
    """Train `model` in place and return it in float32.

    Rows are visited in shuffled epochs (see `visits`), so a training set of any size takes the same
    number of steps (compute-matched). The model computes in `dtype` on a copy of float32 master
    weights, so that small updates are not lost where a GPU computes in bf16. All weights are one
    vector, of which parameters are views: one optimiser step and one norm, however many they are.
    On a GPU the steps of large networks are recorded and replayed: see `graphs`.

    Raises:
        Diverged: a loss that is not finite.
    """
    if isinstance(loss, StepLoss) and loss.family is not None and loss.device.type == "cuda":
        assert dtype == torch.float32  # large networks compute by autocast
        paces = (lr * pace(step, steps, warmup) for step in range(steps))
        rows_of_all = visits(size, batch, steps, rng, rates)
        return graphs.fit(model, loss, rows_of_all, paces, weight_decay, clip, after)
    parameters = list(model.parameters())
    total = sum(p.numel() for p in parameters)
    masters = torch.empty(total, device=parameters[0].device)
    torch._foreach_copy_(_views(masters, parameters), [p.detach() for p in parameters])
    computing = masters.to(dtype)  # in float32 the masters themselves
    for parameter, view in zip(parameters, _views(computing, parameters), strict=True):
        parameter.data = view
    masters.grad = torch.empty_like(masters)
    slots = _views(masters.grad, parameters)
    optimiser = torch.optim.AdamW(
        [masters], lr=lr, betas=(0.9, 0.98), weight_decay=weight_decay, fused=True
    )
    model.train()
    running = torch.zeros(())
    for step, rows in enumerate(visits(size, batch, steps, rng, rates)):
        value = loss(model, rows)
        torch._foreach_copy_(slots, torch.autograd.grad(value, parameters))
        running = running + value.detach().float()
        nn.utils.clip_grad_norm_([masters], clip)
        optimiser.param_groups[0]["lr"] = lr * pace(step, steps, warmup)
        optimiser.step()
        if computing is not masters:
            computing.copy_(masters)
        after()
    if not math.isfinite(running.item()):
        raise Diverged("the training loss is not finite")
    for parameter, view in zip(parameters, _views(masters, parameters), strict=True):
        parameter.data = view.clone()
    return model.eval()


def visits(
    size: int, batch: int, steps: int, rng: torch.Generator, rates: Tensor | None = None
) -> Iterator[Tensor]:
    """The rows (batch,) of each step, in shuffled epochs over `size` rows.

    With `rates` (size,), non-negative and not all zero, an epoch holds the rows of the highest rate
    once and each other one with a probability in proportion to its own. Rates do not shrink the
    effective batch, as factors of the loss would.
    """
    if rates is not None and bool((rates == rates[0]).all()):
        rates = None
    order = torch.empty(0, dtype=torch.int64)
    for _ in range(steps):
        while len(order) < batch:
            epoch = torch.randperm(size, generator=rng)
            if rates is not None:
                epoch = epoch[_chosen(rates[epoch].double(), rng)]
                epoch = epoch[torch.randperm(len(epoch), generator=rng)]
            order = torch.cat([order, epoch])
        yield order[:batch]
        order = order[batch:]


def _chosen(rates: Tensor, rng: torch.Generator) -> Tensor:
    """Which rows are drawn, each with probability rate / highest rate (systematic sampling: the
    number drawn is the expected one, rounded up or down)."""
    start = torch.rand((), generator=rng, dtype=torch.float64)
    ends = (rates / rates.max()).cumsum(0) + start
    return ends.floor().diff(prepend=start.floor()[None]) > 0


def pace(step: int, steps: int, warmup: float) -> float:
    """Share of the learning rate at a step: a linear rise, then a cosine to zero."""
    rise = max(1, round(warmup * steps))
    fade = 0.5 * (1 + math.cos(math.pi * max(0, step - rise) / max(1, steps - rise)))
    return min(1.0, (step + 1) / rise) * fade


def computing_in(dtype: torch.dtype, model: nn.Module) -> nn.Module:
    """`model` itself where it computes in `dtype` already, else a copy that does."""
    if all(parameter.dtype == dtype for parameter in model.parameters()):
        return model
    model = copy.deepcopy(model)
    _cast(model.parameters(), dtype)
    return model


def _cast(parameters: Iterable[Tensor], dtype: torch.dtype) -> None:
    # Not `model.to(dtype)`: buffers such as rotary frequencies must stay exact.
    for parameter in parameters:
        parameter.data = parameter.data.to(dtype)


def _views(vector: Tensor, parameters: Iterable[Tensor]) -> list[Tensor]:
    """Parts of `vector` with the shapes and layouts (such as channels last) of `parameters`."""
    like = [torch.empty_like(p, device="meta") for p in parameters]
    parts = vector.split([p.numel() for p in like])
    return [x.as_strided(p.shape, p.stride()) for x, p in zip(parts, like, strict=True)]
