"""What hooks hand over as numbers, losses and models is taken as it is meant, or refused."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from benchmark import Items, Mitigation, TrainingSet
from benchmark.basics.errors import MethodError
from benchmark.interface.plain_model import plain_model
from benchmark.lineage.hooks import Hooks
from tests import mistakes

FEW = settings(max_examples=60, deadline=None, derandomize=True,
               suppress_health_check=[HealthCheck.too_slow])  # fmt: skip


DTYPES = [torch.int8, torch.int16, torch.int32, torch.int64, torch.bool, torch.uint8, torch.uint16,
          torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.float8_e5m2,
          torch.complex64]  # fmt: skip
LAYOUTS: dict[str, Callable[[torch.Tensor], Any]] = {
    "plain": lambda t: t,
    "column": lambda t: t[:, None],
    "strided": lambda t: torch.stack([t, t], 1)[:, 0],
    "sparse": lambda t: t.to_sparse(),
    "meta": lambda t: t.to("meta"),
    "parameter": lambda t: torch.nn.Parameter(t, requires_grad=t.is_floating_point()),
    "list": lambda t: t.tolist(),
    "array": lambda t: t.numpy(),
    "scalar": lambda t: t[:1].sum(),
}


@st.composite
def numbers(draw: Any, low: int, high: int) -> Any:
    """Some numbers of any dtype, layout and length; `None` where torch has no such tensor."""
    values = draw(st.lists(st.integers(low, high), max_size=12))
    try:
        tensor = torch.tensor(values, dtype=torch.float32).to(draw(st.sampled_from(DTYPES)))
        return LAYOUTS[draw(st.sampled_from(sorted(LAYOUTS)))](tensor)
    except (RuntimeError, TypeError, NotImplementedError):
        return None


def made_or_refused(make: Callable[[], Any]) -> Any:
    """What `make` gives, or None where it refuses in a sentence."""
    try:
        return make()
    except MethodError as error:
        said = str(error)
    assert said.isprintable()
    assert 10 < len(said) < 700
    return None


def as_array(given: Any) -> np.ndarray:
    return (given.detach().to_dense() if torch.is_tensor(given) else torch.as_tensor(given)).numpy()


ITEMS = Items(tokens=torch.arange(30).view(10, 3))


@FEW
@given(numbers(-12, 12))
def test_positions_are_taken_as_they_are_meant_or_refused_in_a_sentence(index):
    taken = made_or_refused(lambda: ITEMS.take(index))
    union = made_or_refused(lambda: Items.concat([ITEMS.take(slice(0, 4)), ITEMS.take(slice(4, 10))]
                                                 ).take(index))  # fmt: skip
    assert (taken is None) == (union is None)
    if taken is None:
        return
    flat = as_array(index)
    mask = flat.dtype == bool
    expected = (
        [i for i, chosen in enumerate(flat) if chosen] if mask else [int(i) % 10 for i in flat]
    )
    assert (taken["tokens"][:, 0] // 3).tolist() == expected
    assert torch.equal(taken["tokens"], union["tokens"])
    assert taken["tokens"].shape == (len(expected), 3)


@FEW
@given(numbers(-2, 300))
def test_weights_are_taken_as_they_are_meant_or_refused_in_a_sentence(weights):
    training = made_or_refused(lambda: TrainingSet(ITEMS, weights))
    if training is None or weights is None:
        return
    kept = training.weights
    assert kept.shape == (10,)
    assert kept.dtype in (torch.float32, torch.float64)
    assert not kept.requires_grad
    assert kept.tolist() == as_array(weights).astype("f8").tolist()


@FEW
@given(st.integers(-148, 127), st.sampled_from([torch.float32, torch.float64]))
def test_only_the_ratios_of_weights_matter_however_small_or_large_they_are(power, dtype):
    weights = torch.linspace(0.5, 1, 10, dtype=torch.float64) * 2.0**power
    kept = TrainingSet(ITEMS, weights.to(dtype)).weights.double()
    assert 0 < float(kept.sum()) < float("inf")
    if power > -100:
        assert torch.allclose(kept / kept.max(), weights / weights.max())


@FEW
@given(numbers(-3, 300))
def test_columns_are_kept_as_they_are_meant_or_refused_in_a_sentence(column):
    made = made_or_refused(lambda: Items(x=column))
    if made is None or column is None:
        return
    assert type(made["x"]) is torch.Tensor
    assert made["x"].is_contiguous()
    assert (made["x"].device.type, made["x"].requires_grad) == ("cpu", False)
    assert len(made) == made["x"].shape[0]


@FEW
@given(st.one_of(st.none(), st.booleans(), st.floats(), st.text(max_size=9), st.integers(-3, 14)))
def test_a_number_of_items_to_draw_is_a_whole_number_from_0_on(k):
    for given_ in (k, np.int64(k), torch.tensor(k)) if type(k) is int else (k,):
        drawn = made_or_refused(lambda k=given_: ITEMS.draw(k, torch.Generator().manual_seed(0)))
        assert (drawn is not None) == (type(k) is int and k >= 0)
        assert drawn is None or len(drawn) == min(k, 10)


# --- losses --------------------------------------------------------------------------------------

PARTS: dict[str, Callable[..., Any]] = {
    "scale": lambda x: x * 0.5,
    "square": lambda x: x.square(),
    "cast": lambda x: x.double(),
    "halve": lambda x: x.bfloat16(),
    "zero": lambda x: x * 0,
    "infinite": lambda x: x / 0,
    "detach": lambda x: x.detach(),
    "mean": lambda x: x.mean(),
    "row": lambda x: x[:1],
    "column": lambda x: x[..., None],
    "flags": lambda x: x > 0,
    "round": lambda x: x.int(),
    "sparse": lambda x: x.to_sparse(),
    "meta": lambda x: x.to("meta"),
    "array": lambda x: x.detach().numpy(),
    "in place": lambda x: x.mul_(2),
    "through": lambda x: mistakes.Through.apply(x, lambda: None),
    "raises": lambda x: mistakes.Through.apply(x, lambda: 1 / 0),
}


@FEW
@given(st.lists(st.sampled_from(sorted(PARTS)), max_size=3), st.booleans())
def test_any_loss_has_the_gradient_that_it_has_alone_or_is_refused_in_a_sentence(parts, outputs):
    def loss(self, per_element, output):
        value = output.clone() if outputs else per_element
        for part in parts:
            value = PARTS[part](value)
        return value

    hooks = Hooks(type("Toy", (Mitigation,), {"loss": loss}), 1, frozenset(), [])
    weight = torch.linspace(-1, 1, 6).view(2, 3).requires_grad_()

    def trained(hook: Any) -> torch.Tensor:
        x = weight * 2
        return torch.autograd.grad(hook(x, x.exp()).mean(), weight)[0]

    found = made_or_refused(lambda: hooks.train(trained))
    try:
        x = weight * 2
        expected = torch.autograd.grad(loss(None, x.clone(), x.exp()).float().mean(), weight)[0]
    except (RuntimeError, TypeError, AttributeError, ZeroDivisionError, NotImplementedError):
        expected = None
    if found is not None:
        assert torch.allclose(found, expected, equal_nan=True)


# --- models --------------------------------------------------------------------------------------


class Toy(nn.Module):
    """A network with all that the generators' have: norms, ties, buffers that are not stored."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(3, 3), nn.LayerNorm(3), nn.Linear(3, 3))
        self.head = nn.Linear(3, 3, bias=False)
        self.head.weight = self.layers[0].weight
        self.register_buffer("shares", torch.ones(3))
        self.register_buffer("rotary", torch.arange(3.0), persistent=False)

    def forward(self, x):
        return self.head(self.layers(x)) * self.shares + self.rotary


CHANGED = mistakes.STORED | {name: change for name, (change, _) in mistakes.REFUSED.items()}


@FEW
@given(st.lists(st.sampled_from(sorted(set(CHANGED) - {"Compiled"})), min_size=1, max_size=3))
def test_a_model_computes_what_it_computed_when_it_was_returned_or_is_refused(changes):
    """Whatever was done to it, one thing after another."""
    torch.manual_seed(0)
    like, x = Toy().eval(), torch.linspace(-1, 1, 6).view(2, 3)
    model: Any = copy.deepcopy(like)
    try:
        for name in changes:
            changed = CHANGED[name](model)
            model = changed if isinstance(changed, nn.Module) else model
        expected = model.eval().to(torch.float32)(x).detach()
    except Exception:  # they do not go together
        expected = None
    plain = made_or_refused(lambda: plain_model(model, like))
    if plain is None:
        return
    assert type(plain) is Toy
    assert {k: v.dtype for k, v in plain.state_dict().items()} == {
        k: v.dtype for k, v in like.state_dict().items()
    }
    if expected is not None and not {"Buffer", "Attribute"} & {*changes}:
        assert torch.allclose(plain(x), expected, atol=0.05)  # as exact as half precision
