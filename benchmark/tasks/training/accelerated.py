"""Fine-tuning by accelerate: any number of GPUs, gradients accumulated over parts of a batch."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from benchmark.basics import ranks
from benchmark.basics.errors import Diverged, InputError
from benchmark.tasks.training.fit import Objective, pace, visits


def fine_tune(
    model: nn.Module,
    loss: Objective,  # draws from `rng`
    size: int,  # number of rows of the training set
    steps: int,
    batch: int,
    at_once: int,  # rows of a batch that are computed at a time
    lr: float,
    rng: torch.Generator,
    rates: Tensor | None,  # (size,) how often rows are visited, in proportion
    device: torch.device,
    warmup: float = 0.05,  # share of the steps with rising learning rate; then a cosine to zero
    weight_decay: float = 0.01,
    clip: float = 1.0,  # gradient norm
) -> nn.Module:
    """Train the float32 `model` in place and return it.

    A batch is computed in parts of `at_once` rows, each with random numbers of its own, so that
    any number of ranks, which share out the parts, makes the same model up to rounding.

    Raises:
        Diverged: a loss that is not finite.
        InputError: a batch is not so many parts for every rank.
    """
    from accelerate import Accelerator

    each, left = divmod(batch, at_once * ranks.count())
    if left or not each:
        raise InputError(
            f"a batch of {batch} cannot be shared out to {ranks.count()} GPUs in parts of "
            f"{at_once}: use a number of GPUs that divides {batch // at_once}"
        )
    accelerator = Accelerator(cpu=device.type == "cpu", gradient_accumulation_steps=each)
    model.train()
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=lr, betas=(0.9, 0.999), weight_decay=weight_decay, fused=True
    )
    wrapped, optimiser = accelerator.prepare(model, optimiser)
    running = torch.zeros((), device=device)
    for step, rows in enumerate(visits(size, batch, steps, rng, rates)):
        optimiser.param_groups[0]["lr"] = lr * pace(step, steps, warmup)
        parts = rows.split(at_once)
        seeds = torch.randint(2**62, (len(parts),), generator=rng).tolist()
        between = rng.get_state()
        for i in range(ranks.rank(), len(parts), ranks.count()):
            rng.manual_seed(seeds[i])  # the objective draws from it
            with accelerator.accumulate(wrapped):
                value = loss(wrapped, parts[i])
                accelerator.backward(value)
                if accelerator.sync_gradients:
                    accelerator.clip_grad_norm_(model.parameters(), clip)
                optimiser.step()
                optimiser.zero_grad()
                running = running + value.detach().float()
        rng.set_state(between)
    if not math.isfinite(float(accelerator.reduce(running))):
        raise Diverged("the training loss is not finite")
    accelerator.free_memory()
    return model.eval()
