"""What is hashed, stored and sent does not depend on how a tensor lies in memory."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from benchmark import Items
from benchmark.basics.cache import FolderCache
from benchmark.basics.files import bytes_of, laid_out, read_tensors, tensor_digest, write_tensors
from benchmark.basics.seeds import stream
from benchmark.interface.items import TrainingSet
from benchmark.lineage.marks import Written
from benchmark.lineage.provenance import Composition
from benchmark.lineage.store import LineageFolder
from benchmark.lineage.workshop import copy_state
from benchmark.runs.sandbox import wire
from benchmark.tasks.suites import load_suite
from benchmark.tasks.training.fit import fit, pace, visits
from tests.hub.tiny import weights

DTYPES = (
    torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64,
    torch.float16, torch.bfloat16, torch.float32, torch.float64,
    torch.float8_e4m3fn, torch.float8_e5m2,
)  # fmt: skip
RARE = (torch.complex64, torch.uint16)


def transposed(x: Tensor) -> Tensor:
    return x.mT.contiguous().mT if x.dim() >= 2 else x


def channels_last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x


def reversed_axes(x: Tensor) -> Tensor:
    axes = tuple(reversed(range(x.dim())))
    return x.permute(axes).contiguous().permute(axes)


def every_other(x: Tensor) -> Tensor:
    return torch.stack([x, x], -1)[..., 0]


def expanded(x: Tensor) -> Tensor:
    """As `x` if all its values are those of its first row, else with strides of another shape."""
    same = x.dim() > 0 and len(x) > 1 and bool((bytes_of(x) == bytes_of(x[:1])).all())
    return x[:1].expand(x.shape) if same else every_other(x)


def odd_strides(x: Tensor) -> Tensor:
    """Dimensions of size one have strides that no layout would give them."""
    strides = [7 if n == 1 else s for n, s in zip(x.shape, x.stride(), strict=True)]
    return x.as_strided(x.shape, strides)


def trained(x: Tensor) -> Tensor:
    return x.requires_grad_() if x.is_floating_point() and x.itemsize > 1 else x


LAYOUTS: tuple[Callable[[Tensor], Tensor], ...] = (
    transposed, channels_last, reversed_axes, every_other, expanded, odd_strides, trained,
)  # fmt: skip


@st.composite
def tensors(draw: st.DrawFn, least: int = 0) -> Tensor:
    """Of any type and shape, from 0-dim to 4-dim, some of them empty, some of equal rows."""
    shape = tuple(draw(st.lists(st.integers(0, 4), min_size=least, max_size=4)))
    dtype = draw(st.sampled_from(DTYPES + RARE))
    rng = torch.Generator().manual_seed(draw(st.integers(0, 5)))
    x = torch.randint(-100, 100, shape, generator=rng)
    if x.dim() and draw(st.booleans()):
        x = x[:1].expand(x.shape).clone()
    return x.abs().to(dtype) if dtype in (torch.uint8, torch.uint16) else x.to(dtype)


@given(tensors(), st.sampled_from(LAYOUTS))
@settings(max_examples=400, deadline=None)
def test_the_digest_is_of_the_values(x: Tensor, layout: Callable[[Tensor], Tensor]):
    assert tensor_digest({"x": layout(x.clone())}) == tensor_digest({"x": x})
    plain = laid_out(layout(x.clone()))
    assert plain.stride() == torch.empty(x.shape).stride()
    assert not plain.requires_grad


@given(tensors(), st.sampled_from(LAYOUTS))
@settings(max_examples=200, deadline=None)
def test_another_value_is_another_digest(x: Tensor, layout: Callable[[Tensor], Tensor]):
    if x.numel() == 0:
        return
    content = bytes_of(x.reshape(1, -1)).clone()
    content[0, -1] ^= 1
    other = content.reshape(-1).view(x.dtype).view(x.shape)
    assert tensor_digest({"x": layout(x.clone())}) != tensor_digest({"x": layout(other)})


def test_the_digest_sees_types_shapes_and_names():
    x = torch.zeros(4, 1)
    digests = {tensor_digest({"x": y}) for y in (x, x.int(), x.bfloat16(), x.flatten(), x.T, x[:0])}
    assert len(digests | {tensor_digest({"y": x}), tensor_digest({})}) == 8


@given(st.lists(st.tuples(tensors(), st.sampled_from(LAYOUTS)), max_size=4))
@settings(max_examples=150, deadline=None)
def test_what_is_stored_is_read_again(tmp_path_factory, drawn):
    made = {f"t{i}": layout(x.clone()) for i, (x, layout) in enumerate(drawn)}
    made |= {f"{name} again": x for name, x in made.items()}  # which share memory
    path = tmp_path_factory.mktemp("layouts") / "x.safetensors"
    write_tensors(path, made)
    read = read_tensors(path)
    assert set(read) == set(made)
    assert all(read[k].dtype == x.dtype and read[k].shape == x.shape for k, x in made.items())
    assert tensor_digest(read) == tensor_digest(made)


@given(tensors(least=1), st.sampled_from(LAYOUTS))
@settings(max_examples=150, deadline=None)
def test_items_tell_nothing_of_their_layout(x: Tensor, layout: Callable[[Tensor], Tensor]):
    one, two = Items(x=x), Items(x=layout(x.clone()))
    assert one["x"].stride() == two["x"].stride()
    assert one.digest() == two.digest()
    assert one.unique().digest() == two.unique().digest()
    composition = Composition(one)
    composition.add(one, torch.zeros(len(one), dtype=torch.int64))
    if len(one):
        assert composition.describe(TrainingSet(two))["trained_on"]["reserve"] == 1


@given(tensors(), st.sampled_from(LAYOUTS))
@settings(max_examples=150, deadline=None)
def test_what_crosses_into_the_sandbox_arrives(x: Tensor, layout: Callable[[Tensor], Tensor]):
    if x.dtype not in wire.PLAIN:
        return
    content = wire.encode_message(wire.Message({}, [layout(x.clone())] * 2))
    header, body = wire.read_lengths(content[: wire.PREFIX.size], 1 << 20)
    start = wire.PREFIX.size
    back = wire.decode_message(content[start : start + header], content[start + header :])
    assert [tensor_digest({"x": y}) for y in back.tensors] == [tensor_digest({"x": x})] * 2
    assert body > 0


class Network(nn.Module):
    """Convolutions of several kernels, one of 1x1, and buffers of other types."""

    def __init__(self) -> None:
        super().__init__()
        self.wide, self.narrow = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 1)
        self.norm = nn.BatchNorm2d(4)  # its counter has no dimension
        self.register_buffer("mask", torch.eye(3, dtype=torch.bool).T)
        self.register_buffer("short", torch.arange(5, dtype=torch.int16))
        self.register_buffer("columns", torch.arange(6.0).view(3, 2).T)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_channels_last_model_goes_through_cache_and_storage(tmp_path, dtype):
    plain = Network().to(dtype)
    model = copy.deepcopy(plain).to(memory_format=torch.channels_last)
    state = copy_state(model)
    assert tensor_digest(state) == tensor_digest(plain.state_dict())
    cache = FolderCache(tmp_path / "cache")
    for _ in range(2):  # made, then read
        kept = cache.get("model", "key", lambda: copy_state(model)).tensors
        blank = Network().to(dtype).to(memory_format=torch.channels_last)
        blank.load_state_dict(kept)
        assert tensor_digest(blank.state_dict()) == tensor_digest(plain.state_dict())
    store = LineageFolder(tmp_path / "lineage")
    items = Items(image=torch.zeros(2, 3, 4, 4).to(memory_format=torch.channels_last))
    store.save(0, {"status": "ok"}, Written(items, items), model.state_dict())
    assert tensor_digest(store.model(0)) == tensor_digest(plain.state_dict())
    assert store.samples(0).digest() == items.digest()


def test_the_unet_of_suite_standard_is_kept_channels_last(tmp_path):
    task = next(t for t in load_suite("standard").tasks if t.name == "cifar10-web")
    tiny = {"widths": (8, 8), "attention": (False, True), "layers": 1, "groups": 4}
    recipe = replace(task.generator, **tiny)
    generator = recipe.build()
    model = generator.blank().to(memory_format=torch.channels_last)
    before = weights(model)
    kept = FolderCache(tmp_path).get("model", "key", lambda: copy_state(model)).tensors
    again = generator.blank().to(memory_format=torch.channels_last)
    again.load_state_dict(FolderCache(tmp_path).get("model", "key", dict).tensors)
    assert torch.equal(weights(again), before)
    assert tensor_digest(kept) == tensor_digest(again.state_dict())


class Turned(nn.Module):
    """A linear map whose gradient lies in memory the other way round than its weight."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1, 4, 8))

    def forward(self, x: Tensor) -> Tensor:
        return torch.bmm(x[None], self.weight.transpose(1, 2))[0]


def test_training_reads_a_gradient_in_its_own_layout():
    torch.manual_seed(0)
    start = Turned()
    x, y = (torch.randn(24, k, generator=stream("layout", k)) for k in (8, 4))

    def loss(model: nn.Module, rows: Tensor) -> Tensor:
        return (model(x[rows]) - y[rows]).square().mean()

    (gradient,) = torch.autograd.grad(loss(start, torch.arange(8)), list(start.parameters()))
    assert gradient.stride() != start.weight.stride()
    ours = fit(copy.deepcopy(start), loss, len(x), 10, 8, 1e-3, stream("fit"))
    theirs = copy.deepcopy(start)
    optimiser = torch.optim.AdamW(
        theirs.parameters(), lr=1e-3, betas=(0.9, 0.98), weight_decay=0.01, foreach=False
    )
    for step, rows in enumerate(visits(len(x), 8, 10, stream("fit"))):
        optimiser.param_groups[0]["lr"] = 1e-3 * pace(step, 10, 0.1)
        optimiser.zero_grad()
        loss(theirs, rows).backward()
        nn.utils.clip_grad_norm_(theirs.parameters(), 1.0)
        optimiser.step()
    assert torch.allclose(weights(ours), weights(theirs), atol=1e-6)
