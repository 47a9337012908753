"""Training steps and forward passes for CUDA: compiled, and recorded as CUDA graphs.

The networks of suite `standard` are small: launched one by one, their kernels leave a large GPU
idle nine tenths of the time. Here a whole step (forward, backward, clipping, AdamW) is compiled by
torch.compile, recorded once a process and architecture, and replayed. Recipe and random numbers
are those of `training.fit`: only rounding differs.

A method's loss hook is arbitrary Python, which cannot be recorded: a training with one is launched
kernel by kernel, by `training.fit` itself.
"""

from __future__ import annotations

import copy
import math
import os
import shutil
import sysconfig
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar
from weakref import ReferenceType, ref

import torch
from torch import Tensor, nn

from benchmark.basics.errors import Diverged
from benchmark.tasks.training.objective import StepLoss, laid_out_as

CHUNK = 32  # steps whose random numbers are drawn and copied to the GPU at a time
WARM = 3  # runs before a recording: libraries choose their kernels, the compiler compiles
ARCHITECTURES = 64  # whose steps a process may compile
KEPT = 2  # recordings of each kind kept in a process; each holds a step's activations

Action = Callable[[], object]


class Step:
    """One optimiser step on float32 tensors that stay where they are, as a recording needs it."""

    def __init__(
        self,
        model: nn.Module,
        loss: StepLoss,
        inputs: tuple[Tensor, ...],  # of any step: their shapes and types are what counts
        weight_decay: float,
        clip: float,
    ) -> None:
        self.network = copy.deepcopy(model).requires_grad_(True).train()
        self.parameters: list[Tensor] = list(self.network.parameters())
        self.weights = [p.detach() for p in self.parameters]  # the same memory
        self.inputs = tuple(x.clone() for x in inputs)
        self.clip = clip
        device = loss.device
        self.total = torch.zeros((), device=device)
        self.rate = torch.zeros((), device=device)
        self.optimiser = torch.optim.AdamW(
            self.weights, lr=self.rate, betas=(0.9, 0.98), weight_decay=weight_decay, fused=True,
            capturable=device.type == "cuda",
        )  # fmt: skip
        predict, score = loss.predict, loss.score  # all of `loss` would keep the data on the GPU
        self._loss = compiled(lambda model, *x: score(predict(model, *x), *x), device)
        self._replay = record(self._everything, device)

    def _everything(self) -> None:
        value = self._loss(self.network, *self.inputs)
        self.total += value.detach()
        gradients = torch.autograd.grad(value, self.parameters)
        for weight, gradient in zip(self.weights, gradients, strict=True):
            weight.grad = laid_out_as(weight, gradient)
        nn.utils.clip_grad_norm_(self.weights, self.clip)
        self.optimiser.step()

    @torch.no_grad()
    def start(self, model: nn.Module) -> None:
        """Begin anew from `model`, whose weights are those of the step from now on."""
        own: list[Tensor] = list(model.parameters())
        torch._foreach_copy_(self.weights, own)
        for parameter, weight in zip(own, self.weights, strict=True):
            parameter.data = weight
        for state in self.optimiser.state.values():
            for value in state.values():
                value.zero_()
        self.total.zero_()

    def end(self, model: nn.Module) -> None:
        """Give `model` weights of its own again.

        Raises:
            Diverged: a loss was not finite.
        """
        for parameter, weight in zip(model.parameters(), self.weights, strict=True):
            parameter.data = weight.clone()
        if not math.isfinite(self.total.item()):
            raise Diverged("the training loss is not finite")

    def take(self, inputs: tuple[Tensor, ...], rate: float) -> None:
        """One step at learning rate `rate`."""
        self.rate.fill_(rate)
        torch._foreach_copy_(list(self.inputs), list(inputs))
        self.repeat()

    def repeat(self) -> None:
        """One step more with what was taken last."""
        (self._replay or self._everything)()


def record(action: Action, device: torch.device) -> Action | None:
    """A replay of `action`, after a few runs of it; None on a CPU, which records nothing."""
    if device.type != "cuda":
        return None
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM):
            action()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        action()
    return graph.replay


class Recent:
    """The last few recordings by what they are of; the least recently used one goes."""

    all: ClassVar[list[Recent]] = []

    def __init__(self, count: int) -> None:
        self.count, self.kept = count, OrderedDict[Hashable, Any]()
        self.all.append(self)

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        if key not in self.kept:
            while len(self.kept) >= self.count:
                self.kept.popitem(last=False)
                if torch.cuda.is_initialized():  # or both recordings' memory is held for a while
                    torch.cuda.empty_cache()
            self.kept[key] = make()
        self.kept.move_to_end(key)
        return self.kept[key]


def forget_recordings() -> None:
    """Give back the GPU's memory that recordings hold: a step's activations, a text's caches. To
    record again takes a second or two, since the compiled code stays."""
    for recent in Recent.all:
        recent.kept.clear()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()


_steps, _passes = Recent(KEPT), Recent(1)


def fit(
    model: nn.Module,
    loss: StepLoss,
    rows: Iterator[Tensor],  # of each step
    rates: Iterable[float],  # learning rate of each step
    weight_decay: float,
    clip: float,
    after: Callable[[], None],
) -> nn.Module:
    """`training.fit` by recorded steps of a float32 `model`.

    Raises:
        Diverged: a loss that is not finite.
    """
    step: Step | None = None
    for inputs, rate in zip(_ahead(loss, rows), rates, strict=True):
        if step is None:
            kinds = tuple((x.shape, x.dtype) for x in inputs)
            key = (loss.family, kinds, weight_decay, clip, loss.device)
            step = _steps.get(key, lambda: Step(model, loss, inputs, weight_decay, clip))  # noqa: B023
            step.start(model.train())
        step.take(inputs, rate)
        after()
    if step is not None:
        step.end(model)
    return model.eval()


def _ahead(loss: StepLoss, rows: Iterator[Tensor]) -> Iterator[tuple[Tensor, ...]]:
    """The inputs of each step. While the GPU computes a chunk, the CPU draws the next one."""
    while chunk := [loss.draw(x) for x in islice(rows, CHUNK)]:
        together = [torch.stack(parts) for parts in zip(*chunk, strict=True)]
        if loss.device.type == "cuda":
            together = [x.pin_memory().to(loss.device, non_blocking=True) for x in together]
        for i in range(len(chunk)):
            yield loss.inputs(*(x[i] for x in together))


class Compiled(nn.Module):
    """`model` without gradients, compiled for batches of `rows` items; other batches go through
    `model` itself.

    Its weights, as they are at its first use, are copied into a network that stays, so that a
    process compiles it once.
    """

    def __init__(self, model: nn.Module, family: Hashable, rows: int) -> None:
        super().__init__()
        self.model, self.rows = model, rows
        device = next(model.parameters()).device
        self.shared = _passes.get((family, rows, device), lambda: Pass(model))

    @torch.no_grad()
    def forward(self, x: Tensor, *given: Tensor) -> Any:
        if len(x) != self.rows:
            return self.model(x, *given)
        return self.shared(self, self.model, x, *given)


class Pass:
    """A network that stays, and its compiled forward pass."""

    # What stays must be ordinary tensors, also where it is made inside a hook that computes in
    # inference mode.
    @torch.inference_mode(False)
    def __init__(self, model: nn.Module) -> None:
        self.network = network = copy.deepcopy(model).requires_grad_(False).eval()
        for part in network.modules():
            # What autocast would do in every call; norms, biases and embeddings stay float32.
            if isinstance(part, nn.Conv2d | nn.Linear):
                part.weight.data = part.weight.data.bfloat16()
        device = next(model.parameters()).device
        self.forward = compiled(lambda network, *given: network(*given), device)
        self._owner: ReferenceType[object] | None = None  # weak: each would keep the other

    def __call__(self, owner: object, model: nn.Module, *given: Tensor) -> Any:
        """The pass of `model`, whose weights are taken over when the `owner` changes."""
        if self._owner is None or self._owner() is not owner:
            own: list[Tensor] = list(self.network.parameters())
            torch._foreach_copy_(own, list(model.parameters()))
            self._owner = ref(owner)
        return self.forward(self.network, *given)


def compiled(function: Callable[..., Any], device: torch.device) -> Callable[..., Any]:
    """`function` by torch.compile on a GPU, where what Triton needs is at hand."""
    if device.type != "cuda" or find_lack():
        return function
    # Of one function; a run of several tasks has more architectures than the usual eight.
    torch._dynamo.config.recompile_limit = ARCHITECTURES
    return torch.compile(function, dynamic=False)


def find_lack() -> str:
    """What Triton, which compiles for a GPU, needs and does not find on this machine, in words; ""
    if it has all. It builds a small module for Python, with the compiler that CC names or its own
    choice."""
    named = os.environ.get("CC")
    if named is not None and not shutil.which(named):
        return f"the C compiler that CC names, {named!r}"
    if named is None and not (shutil.which("gcc") or shutil.which("clang")):
        return "a C compiler (gcc or clang)"
    scheme = sysconfig.get_default_scheme().replace("posix_local", "posix_prefix")  # of Debian
    if not Path(sysconfig.get_paths(scheme)["include"], "Python.h").is_file():
        return "Python's headers (such as the package python3-dev)"
    return ""
