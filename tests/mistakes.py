"""Methods with honest mistakes, one a class: whatever goes wrong must reach no further.

FAILS: name -> what the lineage's sentence says after the class's name (a regular expression).
GOES_ON: what has a plain meaning. SAME: the lineage is that of `nothing`. PAIRS: the lineage is
that of another class, which is without the mistake.
"""

import argparse
import copy
import os
import signal
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize, prune

from benchmark import Access, Items, Mitigation, Sampling, TrainingSet

FAILS: dict[str, str] = {}
GOES_ON: list[str] = []
SAME: list[str] = []
MODEL = frozenset({Access.MODEL, Access.ARCHIVE})


def add(name: str, said: str | list[str], access: Any = frozenset(), **hooks: Any) -> None:
    """A class of this module; `said` is its sentence, or the list that it belongs to."""
    body = {"access": access, "__module__": __name__, "__doc__": f"{name}."} | hooks
    globals()[name] = type(name, (Mitigation,), body)
    if isinstance(said, list):
        said.append(name)
    else:
        FAILS[name] = said


# --- leaving -------------------------------------------------------------------------------------


class Unsayable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")


class Nameless(type):
    @property
    def __name__(cls) -> str:
        raise RuntimeError("no")


class Unnameable(Exception, metaclass=Nameless):
    @property
    def __class__(self):
        raise RuntimeError("no")


class Through(torch.autograd.Function):
    """The identity, whose backward pass does something first."""

    @staticmethod
    def forward(ctx, x, act):
        ctx.act = act
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        ctx.act()
        return gradient, None


def raising(error: Callable[[], BaseException | None]) -> Callable[..., Any]:
    def hook(self, *args):
        if (raised := error()) is not None:
            raise raised

    return hook


def recurse() -> None:
    recurse()


ERRORS: dict[str, tuple[Callable[[], Any], str]] = {
    "Exits": (lambda: sys.exit(0), "SystemExit: 0"),
    "ExitsHard": (lambda: os._exit(3), r"SystemExit: os\._exit\(3\)"),
    "Interrupts": (KeyboardInterrupt, "KeyboardInterrupt: no message"),
    "Closes": (GeneratorExit, "GeneratorExit: no message"),
    "Stops": (StopIteration, "StopIteration: no message"),
    "Unsayably": (Unsayable, "Unsayable: its message cannot be read: __str__ raises RuntimeError"),
    "Unnameably": (Unnameable, "Unnameable: no message"),
    "Loudly": (lambda: ValueError("x" * 10**6), r"ValueError: x{331}\.\.\.x{166}$"),
    "Coloured": (
        lambda: ValueError("\x1b[31m\r\nred\x00\u202e"),
        "ValueError: \ufffd\\[31m red\ufffd\ufffd$",
    ),
    "InGroup": (
        lambda: ExceptionGroup("two", [OSError("a"), KeyError("b")]),
        r"ExceptionGroup: two \(2 sub-exceptions\), the first is OSError: a$",
    ),
    "Memory": (MemoryError, "MemoryError: no message"),
    "Recurses": (recurse, "RecursionError: maximum"),
    "Parses": (lambda: argparse.ArgumentParser().parse_args(["--alpha", "1"]), "SystemExit: 2"),
}
for _name, (_error, _said) in ERRORS.items():
    add(f"{_name}InCurate", rf"\.curate at generation 1 raised {_said}", curate=raising(_error))
PLACES = {
    "__init__": r"\(\) at generation 0 raised ",
    "loss": r"\.loss at generation 1 raised ",
    "adjust": r"\.adjust at generation 1 raised ",
    "sampling": r"\.sampling at generation 0 raised ",
}
for _hook, _where in PLACES.items():
    for _name in ("ExitsHard", "Interrupts", "Unsayably"):
        _error, _said = ERRORS[_name]
        add(f"{_name}In{_hook.strip('_').title()}", _where + _said, **{_hook: raising(_error)})


def backward(error: Callable[[], Any]) -> Callable[..., Any]:
    act = raising(error).__get__(0)
    return lambda self, per_element, outputs: Through.apply(per_element, act)


for _name in ("Exits", "Interrupts", "Unsayably", "Memory"):
    _error, _said = ERRORS[_name]
    add(
        f"{_name}InBackward",
        rf"\.loss at generation 1, in the backward pass, raised {_said}",
        loss=backward(_error),
    )


def mark(error: Callable[..., Any]) -> Callable[..., Any]:
    """Both marks of a Sampling."""
    return lambda self, round: Sampling(logits=lambda *a: error(a[-1]), pixels=error)


MARKS = frozenset({Access.WATERMARK})
for _name, _mark, _said in (
    ("Exits", lambda x: sys.exit(0), "raised SystemExit: 0"),
    ("Mistypes", lambda x: x > 0, "must return a torch"),
    ("Reduces", lambda x: x.sum(), "must return a torch"),
    ("Empties", lambda x: x.to("meta"), r"must return a torch.* got .* meta"),
):
    add(f"{_name}InMark", rf"\.sampling at generation 0, \w+ {_said}", MARKS, sampling=mark(_mark))
add("NoInstance", r"\(\) at generation 0 made a int", __new__=lambda cls: 3)


# --- what hooks return: types, counts, weights, positions, losses --------------------------------


def weigh(make: Callable[[int], Any]) -> Callable[..., Any]:
    return lambda self, crawl, round: TrainingSet(crawl, make(len(crawl)))


def weigh_later(self, crawl, round):
    result = TrainingSet(crawl)
    result.weights = np.ones(len(crawl), dtype=np.int8)
    return result


for _name, _make in {
    "Integers": lambda n: torch.ones(n, dtype=torch.int64),
    "Flags": lambda n: torch.ones(n, dtype=torch.bool),
    "Halves": lambda n: torch.ones(n, dtype=torch.float16),
    "Doubles": lambda n: torch.ones(n, dtype=torch.float64),
    "Eighths": lambda n: torch.ones(n).to(torch.float8_e4m3fn),
    "Lists": lambda n: [1] * n,
    "Arrays": lambda n: np.ones(n)[::-1].astype(">f4"),
    "Gradients": lambda n: nn.Parameter(torch.ones(n)) * 2,
    "Sparse": lambda n: torch.ones(n).to_sparse(),
    "Quantised": lambda n: torch.quantize_per_tensor(torch.ones(n), 0.5, 0, torch.quint8),
    "Small": lambda n: torch.full((n,), 1e-37),
    "Huge": lambda n: torch.full((n,), 3e38),
    "Strided": lambda n: torch.ones(n, 2)[:, 0],
    "Expanded": lambda n: torch.ones(1).expand(n),
}.items():
    add(f"Weights{_name}", GOES_ON, curate=weigh(_make))
add("WeightsLater", GOES_ON, curate=weigh_later)
for _name, (_make, _said) in {
    "Meta": (lambda n: torch.ones(n, device="meta"), "real weights .* meta tensor"),
    "Column": (lambda n: torch.ones(n, 1), r"real weights .* not float32 \(\d+, 1\)"),
    "Long": (lambda n: torch.ones(n + 1), "real weights"),
    "Scalar": (lambda n: 1.0, r"real weights .* not float64 \(\)"),
    "Words": (lambda n: ["a"] * n, "real weights"),
    "Ragged": (lambda n: [[1], [1, 2]], "real weights"),
    "Complex": (lambda n: torch.ones(n, dtype=torch.complex64), "real weights"),
    "Negative": (lambda n: -torch.ones(n, dtype=torch.int8), "weights that are negative or all"),
    "Nan": (lambda n: [float("nan")] * n, "weights that are not finite"),
}.items():
    add(f"Weights{_name}", rf"\.curate at generation 1: .*{_said}", curate=weigh(_make))

for _name, (_result, _said) in {
    "Items": (lambda crawl: crawl, "returned Items: return a TrainingSet"),
    "OfNothing": (lambda crawl: TrainingSet(None), "returned NoneType as items of its"),
    "Steps": (lambda crawl: TrainingSet(crawl, steps=2.5), ": steps must be a whole number, got 2"),
    "NoSteps": (lambda crawl: TrainingSet(crawl, steps=0), "asks for 0 optimiser steps"),
    "Beyond": (lambda crawl: TrainingSet(crawl.take([40])), ": positions 40 to 40: there are 40"),
    "Floats": (lambda crawl: TrainingSet(crawl.take([0.5])), ": positions are int64 and masks"),
    "Row": (lambda crawl: TrainingSet(Items(image=3, label=1)), ": column 'image' is a single"),
}.items():
    add(
        f"Returns{_name}",
        rf"\.curate at generation 1:? ?{_said.lstrip(': ')}",
        curate=lambda self, crawl, round, _result=_result: _result(crawl),
    )


def short(self, crawl, round):
    columns = {"image": crawl["image"].numpy().astype("i4"), "label": crawl["label"].tolist()}
    return TrainingSet(Items(**columns), weights=None)


def swap(self, crawl, round):
    crawl.columns["label"] = crawl["label"].numpy()
    return TrainingSet(crawl)


add("ColumnsOfNumpy", GOES_ON, curate=short)
add("Swaps", r"\.curate at generation 1 changed the items", curate=swap)
add("StepsOfNumpy", GOES_ON,
    curate=lambda self, crawl, round: TrainingSet(crawl, steps=np.int32(2)))  # fmt: skip
add("SamplesNumpy", GOES_ON, sampling=lambda self, round: Sampling(
    np.float32(0.9), torch.tensor(1.0), np.int64(0), np.float64(0)))  # fmt: skip
for _name, _how in {
    "Words": {"temperature": "hot"},
    "Flag": {"top_p": True},
    "Array": {"guidance": np.ones(2)},
    "Half": {"top_k": 0.5},
    "Huge": {"top_k": float("inf")},
    "Mark": {"pixels": 3},
    "Other": {"negative": nn.Linear(1, 1), "guidance": 1.0},
}.items():
    add(f"Samples{_name}", r"\.sampling at generation 0:? (returned|a Linear is no model)",
        sampling=lambda self, round, _how=_how: Sampling(**_how))  # fmt: skip


def lose(change: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, per_element, outputs: change(per_element, outputs)


def no_gradient(x, o):
    with torch.no_grad():
        return x * 0.5


def in_place(x, o):
    x[x > x.mean()] = 0
    return x


def too_late(x, o):
    y = x.exp()
    value = y.square()
    y.zero_()
    return value


for _name, _change in {
    "Doubled": lambda x, o: x.double() * 0.5,
    "Half": lambda x, o: x.to(torch.bfloat16),
    "Zeroed": lambda x, o: x * 0.0,
    "InPlace": in_place,
    "Outputs": lambda x, o: x + 0 * o.mul_(0).sum(),
    "OfOutputs": lambda x, o: o.flatten(1).mean(1, keepdim=True).expand_as(x),
}.items():
    add(f"Loss{_name}", GOES_ON, loss=lose(_change))
for _name, (_change, _said) in {
    "Detached": (lambda x, o: x.detach(), " returned a loss that does not depend"),
    "NoGrad": (no_gradient, " returned a loss that does not depend"),
    "Own": (
        lambda x, o: torch.ones_like(x, requires_grad=True),
        ", in the backward pass, found that the loss does not depend",
    ),
    "TooLate": (too_late, ", in the backward pass, raised RuntimeError: one of the variables"),
    "Mean": (lambda x, o: x.mean(), " must return a torch.float32"),
    "Flags": (lambda x, o: x > 0, " must return a torch.float32"),
    "Number": (lambda x, o: float(x.mean()), " must return a torch.float32 .* got float"),
    "Complex": (lambda x, o: x * 1j, " must return a torch.float32 .* got torch.complex64"),
    "Sparse": (lambda x, o: x.to_sparse(), " must return a torch.float32 .* got torch.sparse_coo"),
    "Meta": (lambda x, o: x.to("meta"), " returned a loss on the meta device"),
    "Infinite": (lambda x, o: x * torch.inf, ": the training loss is not finite"),
}.items():
    add(f"Loss{_name}", rf"\.loss at generation 1{_said}", loss=lose(_change))


# --- models after `adjust` -----------------------------------------------------------------------


def linears(model: nn.Module) -> list[nn.Linear]:
    return [m for m in model.modules() if isinstance(m, nn.Linear)]


class Twice(nn.Module):
    def forward(self, x):
        return 2 * x


class Averages(nn.Module):
    def __init__(self, inside: nn.Module) -> None:
        super().__init__()
        self.inside = inside


def replaced(make: Callable[..., Any]) -> Callable[[nn.Module], None]:
    """The last linear layer's weight, made another."""

    def change(model):
        last = linears(model)[-1]
        weight = last.weight
        del last.weight
        last.weight = make(weight)

    return change


def shared(model):
    first, second = [m for m in linears(model) if m.weight.shape[0] == m.weight.shape[1]][:2]
    second.weight = first.weight


def pruned(model):
    for linear in linears(model):
        prune.l1_unstructured(linear, "weight", amount=0.1)


def pruned_then_scaled(model):
    pruned(model)
    with torch.no_grad():
        linears(model)[-1].weight_orig.mul_(2)


def inferred(model):
    with torch.inference_mode():
        return copy.deepcopy(model)


def plainly(change: Callable[[nn.Module], Any]) -> Callable[..., Any]:
    """A change of the model in place, or another one."""

    def adjust(self, model, round):
        changed = change(model)
        return changed if isinstance(changed, nn.Module) else model

    return adjust


STORED: dict[str, Callable[[nn.Module], Any]] = {
    "Buffer": lambda m: m.register_buffer("seen", torch.zeros(1)),
    "Attribute": lambda m: setattr(m, "alpha", 0.5),
    "Parametrised": lambda m: (
        parametrize.register_parametrization(linears(m)[-1], "weight", Twice()) and None
    ),
    "WeightNormed": lambda m: parametrizations.weight_norm(linears(m)[-1]) and None,
    "OldNormed": lambda m: nn.utils.weight_norm(linears(m)[-1]) and None,
    "Pruned": pruned,
    "PrunedThenScaled": pruned_then_scaled,
    "Parallel": nn.DataParallel,
    "Averaged": torch.optim.swa_utils.AveragedModel,
    "Compiled": lambda m: torch.compile(m, backend="eager"),
    "Frozen": lambda m: m.requires_grad_(False),
    "Double": lambda m: m.double(),
    "Half": lambda m: m.half(),
    "Training": lambda m: m.train(),
    "Copied": copy.deepcopy,
    "Inferred": inferred,
    "Transposed": replaced(lambda w: nn.Parameter(w.detach().T.contiguous().T)),
    "NonLeaf": replaced(lambda w: w * 1.5),
    "Sparse": replaced(lambda w: nn.Parameter(w.detach().to_sparse())),
    "Shared": shared,
}
REFUSED: dict[str, tuple[Callable[[nn.Module], Any], str]] = {
    "Meta": (lambda m: m.to("meta"), "cannot be read as numbers .* meta tensor holds none"),
    "Quantised": (
        lambda m: torch.ao.quantization.quantize_dynamic(m, {nn.Linear}, torch.qint8),
        "(part '[^']+' has another class|adds the part)",
    ),
    "Hooked": (lambda m: m.register_forward_hook(lambda *a: None) and None, "has another hook"),
    "Patched": (lambda m: setattr(m, "forward", lambda *a: None), "has another forward"),
    "Set": (lambda m: setattr(linears(m)[0], "in_features", 3), "has another in_features"),
    "Wrapped": (Averages, "a Averages is no model of the lineage"),
    "Added": (lambda m: setattr(m, "probe", nn.Linear(2, 2)), "adds the part 'probe'"),
    "Missing": (replaced(lambda w: None), r"without its weight '[\w.]+weight'"),
    "Shape": (
        replaced(lambda w: nn.Parameter(w.detach()[:1].clone())),
        r"whose weight '[\w.]+weight' is torch.float32 \(1, \d+\)",
    ),
    "Complex": (
        replaced(lambda w: nn.Parameter(w.detach().to(torch.complex64))),
        r"is torch.complex64",
    ),
}
for _name, _change in STORED.items():
    add(f"Model{_name}", GOES_ON, adjust=plainly(_change))
for _name, (_change, _said) in REFUSED.items():
    add(f"Model{_name}", rf"\.adjust at generation 1: .*{_said}", adjust=plainly(_change))
add("ModelState", r"\.adjust at generation 1: a OrderedDict is no model",
    adjust=lambda self, model, round: model.state_dict())  # fmt: skip
add("ModelUntouched", SAME, MODEL, adjust=lambda self, model, round: round.model)
add("ModelNan", r"\.adjust at generation 1 returned weights that are not finite",
    adjust=plainly(replaced(lambda w: nn.Parameter(w * torch.nan))))  # fmt: skip


class AsksWithModels(Mitigation):
    """Hands models of its own to its round: what can be stored is what is computed with."""

    access = MODEL

    def adjust(self, model, round):
        items = round.sample(3, Sampling(negative=model, guidance=1.0))
        plain = round.log_prob(items, model)
        assert torch.equal(plain, round.log_prob(items, nn.DataParallel(model)))
        assert torch.equal(plain, round.log_prob(items, copy.deepcopy(model).double()))
        return model

    def sampling(self, round):
        if round.generation == 0:
            return Sampling()
        model = round.model
        pruned(model)
        return Sampling(negative=model, guidance=0.5)


GOES_ON.append("AsksWithModels")
add(
    "AsksWithMeta",
    r"\.adjust at generation 1: a model's weight '[\w.]+' cannot be read",
    MODEL,
    adjust=lambda self, model, round: round.finetune(round.archive[0], 1, model.to("meta")),
)
add(
    "NegativeMeta",
    r"\.sampling at generation 0: a model's weight '[\w.]+' cannot be read",
    MODEL,
    sampling=lambda self, round: Sampling(negative=round.model.to("meta"), guidance=1.0),
)


# --- changes in place and shared state -----------------------------------------------------------


def spoil(value: Any) -> None:
    """Change everything about what was handed out, but for items."""
    for part in value if isinstance(value, tuple | list) else [value]:
        if isinstance(part, nn.Module):
            with torch.no_grad():
                for parameter in part.parameters():
                    parameter.mul_(0.7)
        elif isinstance(part, torch.Tensor):
            part.fill_(7)


class Spoils(Mitigation):
    """Changes what it was handed in place, at once and when nobody looks."""

    access = frozenset({*Access})

    def curate(self, crawl, round):
        items = round.sample(4)
        self.held = [round.model, *round.provenance, round.log_prob(items), *items.columns.values()]
        spoil(self.held)
        self.result = TrainingSet(crawl.take(slice(None)), torch.ones(len(crawl)))
        return self.result

    def loss(self, per_element, outputs):
        spoil([*self.held, self.result.weights, *self.result.items.columns.values()])
        value = per_element * 1.0
        with torch.no_grad():
            per_element.zero_(), outputs.zero_()
        return value

    def adjust(self, model, round):
        self.held.append(model)
        spoil(round.model)
        return model

    def sampling(self, round):
        spoil(getattr(self, "held", []))
        spoil(round.model)
        round.ledger.items_generated = -5
        round.generation = 99
        round.limits = None
        self.marked = []
        return Sampling(logits=self.change, pixels=self.change)

    def change(self, *args):
        for tensor in args[:-1]:
            spoil(tensor)
        spoil(self.marked)
        self.marked.append(args[-1].clone())
        spoil(args[-1])
        return self.marked[-1]


class SpoilsLess(Mitigation):
    """The same without a mistake."""

    access = Spoils.access

    def curate(self, crawl, round):
        round.log_prob(round.sample(4)), round.provenance
        return TrainingSet(crawl.take(slice(None)), torch.ones(len(crawl)))

    def loss(self, per_element, outputs):
        return per_element * 1.0

    def sampling(self, round):
        return Sampling(logits=lambda written, logits: logits, pixels=lambda images: images)


def poison(self, round):
    if round.generation == 0:
        spoil(round.model)
    return Sampling()


add("Poisons", SAME, MODEL, sampling=poison)


def spoil_reserve(self, round):
    if round.generation == 0:
        round.reserve.columns["label"].zero_()
    return Sampling()


def no_limits(self, crawl, round):
    round.limits = round.ledger = None
    return TrainingSet(crawl)


add("ForgetsLimits", SAME, curate=no_limits)
add("SpoilsReserve", r"\.sampling at generation 0 changed the items", frozenset({Access.RESERVE}),
    sampling=spoil_reserve)  # fmt: skip


def keep(self, crawl, round):
    self.kept = [crawl, *round.archive, round.reserve]
    return TrainingSet(crawl)


def spoil_items(self, first, second=None):
    if hasattr(self, "kept"):
        next(iter(self.kept[self.which].columns.values())).zero_()
    return Sampling() if second is None else first * 1.0 if torch.is_tensor(second) else first


_access = frozenset({Access.ARCHIVE, Access.RESERVE})
for _number, _hook in enumerate(("loss", "adjust", "sampling")):
    add(f"SpoilsItemsIn{_hook.title()}", rf"\.{_hook} at generation 1 changed the items", _access,
        curate=keep, which=_number, **{_hook: spoil_items})  # fmt: skip


def disturb() -> None:
    """Leave much of the shared state changed."""
    warnings.simplefilter("error")
    np.seterr(all="raise")
    np.random.set_bit_generator(np.random.PCG64(0))
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    torch.use_deterministic_algorithms(True)
    torch.set_flush_denormal(False)
    torch.backends.mkldnn.enabled = False
    os.environ["TMPDIR"] = os.environ["HOME"] = "/nowhere"
    os.chdir("/")
    sys.setrecursionlimit(200)
    sys.argv = sys.path = []
    sys.stdout = None
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_default_device("meta")


class Disturbs(Mitigation):
    """Changes the shared state at the end of every hook."""

    def __init__(self):
        disturb()

    def curate(self, crawl, round):
        result = TrainingSet(crawl)
        disturb()
        return result

    def loss(self, per_element, outputs):
        value = Through.apply(per_element * 1.0, disturb)
        disturb()
        return value

    def adjust(self, model, round):
        disturb()
        return model

    def sampling(self, round):
        disturb()
        return Sampling()


class DisturbsLess(Mitigation):
    """The same without a mistake."""

    def loss(self, per_element, outputs):
        return per_element * 1.0


PAIRS = {"Disturbs": "DisturbsLess", "Spoils": "SpoilsLess"}
