"""Measures suite `standard` on one GPU: steps, sampling, a generation in parts, lineages at once.

    python -m tests.speed.gpu --pseudo /tmp/pseudo --out gpu.json     # all, half an hour at most
    python -m tests.speed.gpu pictures --data-dir /data/hub --out gpu.json

`--pseudo` writes data that say nothing about quality (see `tests.speed.pseudo`). Every section runs
in a process of its own, within its limit of seconds, and prints what it measured as it goes.
Numbers of a card that other work shares are not worth keeping. `--toy` rehearses it on a CPU.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn

from benchmark import Sampling, TrainingSet
from benchmark.basics.cache import FolderCache
from benchmark.basics.device import computing_on, peak, title
from benchmark.basics.files import tensor_digest
from benchmark.basics.processor import settle
from benchmark.basics.seeds import stream
from benchmark.hub.copies import use_data_dir
from benchmark.hub.repos import HubRepo
from benchmark.interface.find import find_method
from benchmark.lineage.loop import run_lineage
from benchmark.lineage.store import LineageFolder
from benchmark.tasks.images.pixel import PixelGenerator
from benchmark.tasks.suites import load_suite
from benchmark.tasks.task import Task
from benchmark.tasks.training import graphs
from benchmark.tasks.training.fit import fit
from tests.speed import pseudo
from tests.tiny import era_of

SECTIONS = {
    "stories": 150,
    "pictures": 330,
    "icons": 400,
    "engine": 200,
    "steps": 330,
    "lineages": 240,
    "whole": 200,
}  # at most so many seconds
BATCHES = {"cifar10-replace": (128, 256, 512), "stories-replace": (64, 256)}


@dataclass(frozen=True)
class Size:
    """Steps and items of each measurement."""

    count: int = 26_000  # of pseudo items: n, twice the reserve and what texts lose by their length
    heldout: int = 8_000
    n: int = 20_000
    reserve: int = 2_000
    eager: int = 150  # steps
    replayed: int = 60
    recorded: int = 600
    slow: int = 2_000  # items written or drawn without recording
    at_once: tuple[int, ...] = (1, 2, 4)
    small: int = 2_000  # items of the engine's lineages
    short: int = 60  # steps of theirs


TOY = Size(60, 48, 24, 8, 3, 2, 4, 8, (2,), 24, 2)


class Notes:
    """What was measured, printed and kept line by line: a process may be ended at its limit."""

    def __init__(self, section: str, file: Path) -> None:
        self.section, self.file = section, file
        self.begun = time.perf_counter()

    def __call__(self, **numbers: Any) -> None:
        rounded = {k: float(f"{v:.4g}") if isinstance(v, float) else v for k, v in numbers.items()}
        at = round(time.perf_counter() - self.begun, 1)
        line = json.dumps({"section": self.section, "at": at} | rounded)
        print(line, flush=True)
        with self.file.open("a") as file:
            file.write(line + "\n")


@dataclass
class Setting:
    """What a section measures with."""

    note: Notes
    size: Size
    toy: bool
    device: torch.device
    at_once: list[int] | None = None  # processes, instead of the usual numbers

    def task(self, name: str) -> Task:
        task = next(task for task in load_suite("standard").tasks if task.name == name)
        if self.toy:
            from tests.hub.tiny import toy

            return toy(task)
        if task.modality == "pair":  # of as many icons as there are
            return task
        return _unpinned(replace(task, n=self.size.n, reserve=self.size.reserve))

    def seconds(self, action: Callable[[], Any]) -> float:
        """Wall time of `action`, the GPU's work included."""
        self.wait()
        start = time.perf_counter()
        action()
        self.wait()
        return time.perf_counter() - start

    def wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def memory(self) -> float:
        """The most GB that this process had reserved since it was last asked."""
        if self.device.type != "cuda":
            return 0.0
        most = torch.cuda.max_memory_reserved() / 1e9
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        return most


def _unpinned(value: Any) -> Any:
    """A recipe whose repositories may hold anything: copies made for speed have other checksums."""
    if isinstance(value, HubRepo):
        return replace(value, sha256=())
    if is_dataclass(value):
        own = {field.name: getattr(value, field.name) for field in fields(value)}
        return replace(value, **{name: _unpinned(part) for name, part in own.items()})
    return tuple(map(_unpinned, value)) if isinstance(value, tuple) else value


def train(generator: Any, data: TrainingSet, steps: int, recorded: bool, hook: Any = None
          ) -> nn.Module:  # fmt: skip
    """A model after `steps` steps, without the meter, averaging or anything around them."""
    rng = stream("speed")
    loss = generator.objective(data, hook, rng)
    loss = loss if recorded else replace(loss, family=None)
    torch.manual_seed(0)
    model = generator.blank()
    return fit(model, loss, len(data), steps, generator.batch, generator.lr, rng)


def training(set_: Setting, generator: Any, data: TrainingSet, heldout: Any, flop: float) -> None:
    """Step by step against recorded, with and without a hook; the losses say that both learn."""
    size, rate = set_.size, peak(set_.device)

    def numbers(kind: str, steps: int, seconds: float, **more: Any) -> None:
        each = seconds / steps
        mfu = {} if rate is None else {"mfu": generator.batch * flop / each / rate}
        set_.note(what=f"training, {kind}", ms=1e3 * each, items_a_second=generator.batch / each,
                  **mfu, **more)  # fmt: skip

    short, long = size.eager, size.recorded
    first = set_.seconds(partial(train, generator, data, 2, True))
    set_.note(what="compiling and recording a step", seconds=first)
    train(generator, data, 3, False)
    for kind, recorded in (("launched one by one", False), ("recorded", True)):
        kept: list[nn.Module] = []
        took = set_.seconds(lambda r=recorded, k=kept: k.append(train(generator, data, short, r)))
        loss = generator.loss(kept[0], heldout)
        numbers(kind, short, took, loss_after=loss, memory_gb=set_.memory())
    numbers("recorded, long", long, set_.seconds(partial(train, generator, data, long, True)))

    def hook(per_element: Tensor, outputs: Tensor) -> Tensor:
        return per_element.clamp(max=per_element.detach().mean() * 3)

    took = set_.seconds(partial(train, generator, data, short, True, hook))
    numbers("with a loss hook", short, took)
    if set_.device.type == "cuda":
        dearest(set_, lambda: train(generator, data, 10, True), "a recorded step", 10)


def dearest(set_: Setting, action: Callable[[], Any], what: str, times: int) -> None:
    """The kernels that take the most time."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA]) as found:
        action()
        set_.wait()
    events = sorted(found.key_averages(), key=lambda e: -e.self_device_time_total)
    total = sum(e.self_device_time_total for e in events)
    for e in events[:12]:
        set_.note(what=f"kernel of {what}", name=e.key[:90], calls=e.count / times,
                  share=e.self_device_time_total / total)  # fmt: skip
    set_.note(what=f"all kernels of {what}", ms=total / 1e3 / times)


PARTS = ("frechet_distance", "kernel_distance", "prdc", "vendi", "variance_ratio")


@contextmanager
def timed(set_: Setting, evaluator: Any, generator: Any, into: dict[str, float]) -> Iterator[None]:
    """Inside, the parts of an evaluation add their seconds to `into`."""

    def clocked(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            kept: list[Any] = []
            took = set_.seconds(lambda: kept.append(function(*args, **more)))
            into[name] = into.get(name, 0.0) + took
            return kept[0]

        return call

    with ExitStack() as stack:
        for name in PARTS:
            path = f"benchmark.tasks.profile.{name}"
            from benchmark.tasks import profile

            stack.enter_context(patch(path, clocked(name, getattr(profile, name))))
        for owner, name in ((evaluator, "outputs"), (evaluator, "particular"), (evaluator, "_real"),
                            (generator, "loss")):  # fmt: skip
            stack.enter_context(patch.object(owner, name, clocked(name, getattr(owner, name))))
        yield


def generation(set_: Setting, task: Task) -> None:
    """One generation in parts, by wall time: training with everything around it, items, profile."""
    size = set_.size
    kept: dict[str, Any] = {}
    for turn in ("first process", "again"):
        took = set_.seconds(lambda: kept.update(era=era_of(
            task.data.build(), task.n, task.reserve, "speed")))  # fmt: skip
        set_.note(what=f"reading the data, {turn}", seconds=took)
    era, generator = kept["era"], task.generator.build()
    data = TrainingSet(era.real.take(slice(0, task.n)))
    steps = size.recorded
    kept["model"] = None
    took = set_.seconds(lambda: kept.update(
        model=generator.train(data, stream("speed"), steps=steps)))  # fmt: skip
    set_.note(what="generation: first training, compilation included", steps=steps, seconds=took)
    model = kept["model"]
    took = set_.seconds(lambda: generator.train(data, stream("speed"), steps=steps))
    set_.note(
        what="generation: training",
        steps=steps,
        seconds=took,
        at_all_steps=took * generator.steps / steps,
        meter=generator.meter.take(),
    )
    set_.memory()
    for turn in ("first", "again"):
        took = set_.seconds(lambda: kept.update(items=generator.sample(
            model, task.n, stream("speed"), Sampling())))  # fmt: skip
        set_.note(what=f"generation: items, {turn}", seconds=took, items_a_second=task.n / took,
                  memory_gb=set_.memory())  # fmt: skip
    items = kept["items"]
    evaluator = task.evaluation.build()
    for turn in ("with the lineage's real items", "of every other generation"):
        into: dict[str, float] = {}
        with timed(set_, evaluator, generator, into):
            took = set_.seconds(lambda: kept.update(
                profile=evaluator.profile(generator, model, items, era)))  # fmt: skip
        set_.note(what=f"generation: evaluation, {turn}", seconds=took, memory_gb=set_.memory(),
                  **into)  # fmt: skip
    set_.note(what="profile (not a score)", **kept["profile"])


def stories(set_: Setting) -> None:
    task = set_.task("stories-replace")
    generation(set_, task)
    generator = task.generator.build()
    era = era_of(task.data.build(), task.n, task.reserve, "speed")
    data = TrainingSet(era.real)
    flop = _flop(generator, data)
    training(set_, generator, data, era.heldout, flop)
    model = generator.train(data, stream("speed"), steps=2)
    uniform = torch.rand(set_.size.slow, generator.publisher.length + 16).to(set_.device)
    from benchmark.tasks.text.language import make_chooser

    write = partial(generator.write, model, uniform, make_chooser(Sampling(), generator.start))
    write()
    took = set_.seconds(write)
    set_.note(what="writing alone", seconds=took, texts_a_second=len(uniform) / took)


def pictures(set_: Setting) -> None:
    task = set_.task("cifar10-replace")
    generation(set_, task)
    generator = task.generator.build()
    era = era_of(task.data.build(), task.n, task.reserve, "speed")
    data = TrainingSet(era.real)
    training(set_, generator, data, era.heldout, _flop(generator, data))
    model = generator.train(data, stream("speed"), steps=2)
    slow = set_.size.slow
    with patch.object(PixelGenerator, "ready", lambda self, model: model):
        took = set_.seconds(lambda: generator.sample(model, slow, stream("s"), Sampling()))
    set_.note(what="sampling, launched one by one", items_a_second=slow / took)


def icons(set_: Setting) -> None:
    generation(set_, set_.task("icons-replace"))


def _flop(generator: Any, data: TrainingSet) -> float:
    """Of an item in a training step, as the meter counts."""
    generator.train(data, stream("speed"), steps=1)
    taken = generator.meter.take()
    return taken["flop"] / taken["items"]


def engine(set_: Setting) -> None:
    """Whole lineages, small ones, through cache and storage: that they end, and are read again.

    Recorded but not compiled, which takes minutes and is measured elsewhere.
    """
    with patch.object(graphs, "compiled", _as_it_is):
        _engine(set_)


def _as_it_is(function: Callable[..., Any], device: torch.device) -> Callable[..., Any]:
    return function


def _engine(set_: Setting) -> None:
    size = set_.size
    for name, method in (
        ("stories-web", "truncated_cross_entropy"),
        ("cifar10-replace", "nothing"),
    ):
        _lineage(set_, name, method, size.small, size.short)


def whole(set_: Setting) -> None:
    """A lineage of images at full n, compiled: what comes on top of its parts."""
    _lineage(set_, "cifar10-replace", "nothing", set_.size.n, set_.size.recorded)


def _lineage(set_: Setting, name: str, method: str, n: int, steps: int) -> None:
    """Generations 0 and 1; then the same from what is stored."""
    task = set_.task(name)
    task = replace(task, n=n, reserve=n // 10, generations=1)
    recipe = replace(task.generator, steps=steps)
    foreign = tuple(replace(other, steps=steps) for other in task.foreign)
    task = replace(task, generator=recipe, foreign=foreign)
    with tempfile.TemporaryDirectory() as folder:
        store, cache = LineageFolder(Path(folder) / "l"), FolderCache(Path(folder) / "cache")
        run = partial(run_lineage, task, find_method(method).load(), 0, store, cache)
        start = time.perf_counter()
        records = run()
        took = time.perf_counter() - start
        again = run()
        read = tensor_digest(store.model(1)), store.samples(1).digest()
        states = [r["status"] for r in records]
        if again != records or states != ["ok", "ok"]:
            raise AssertionError(f"{name}: {records}")
    set_.note(what=f"lineage of {name} by {method}", n=n, steps=steps, seconds=took, states=states,
              read=read[0][:8], each=[r["seconds"] for r in records],
              training=[r.get("training") for r in records])  # fmt: skip


def lineages(set_: Setting) -> None:
    """Trainings in several processes at once, all of them recorded before the clock starts."""
    for name in BATCHES:
        for count in set_.at_once or set_.size.at_once:
            _children("one", [["--task", name, "--of", str(count)]] * count)


def steps(set_: Setting) -> None:
    """Recorded steps alone: other batches, several models at once in one process, the dearest
    kernels. Each batch is compiled in a process of its own, all at once; then each measures alone.
    """
    kinds = [(name, batch) for name, batches in BATCHES.items() for batch in batches]
    more = [["--task", name, "--batch", str(batch), "--turn", str(turn), "--of", str(len(kinds))]
            for turn, (name, batch) in enumerate(kinds)]  # fmt: skip
    _children("alone", more)


def _children(section: str, given: list[list[str]]) -> None:
    """Processes of `section`, one for each of the arguments `given`."""
    with tempfile.TemporaryDirectory() as folder:
        begin = [sys.executable, "-m", "tests.speed.gpu", section, *sys.argv[2:]]
        children = [subprocess.Popen([*begin, *more, "--ready", folder]) for more in given]
        while any(child.poll() is None for child in children):
            if any(child.poll() for child in children):
                for child in children:  # the others would wait for it
                    child.kill()
            time.sleep(0.05)
        if failed := [more for child, more in zip(children, given, strict=True) if child.wait()]:
            raise SystemExit(f"{section} {failed} failed")


def _await(ready: Path, what: str, count: int) -> None:
    while len(list(ready.glob(f"{what}-*"))) < count:
        time.sleep(0.05)


def one(set_: Setting, given: argparse.Namespace) -> None:
    """One of several: waits until all have recorded."""
    task = set_.task(given.task)
    generator = task.generator.build()
    data = TrainingSet(era_of(task.data.build(), task.n, task.reserve, "speed").real)
    train(generator, data, 2, True)
    (given.ready / f"recorded-{os.getpid()}").touch()
    _await(given.ready, "recorded", given.of)
    steps = 2 * set_.size.eager
    took = set_.seconds(lambda: train(generator, data, steps, True))
    set_.note(what=f"{given.task}, one of {given.of} processes",
              items_a_second=generator.batch * steps / took, memory_gb=set_.memory())  # fmt: skip


def alone(set_: Setting, given: argparse.Namespace) -> None:
    """Recorded steps of one batch, without the drawing of random numbers: the GPU's part."""
    task = set_.task(given.task)
    recipe: Any = task.generator
    usual = recipe.batch
    generator: Any = replace(recipe, batch=given.batch or usual).build()
    data = TrainingSet(era_of(task.data.build(), task.n, task.reserve, "speed").real)
    flop, rate = _flop(generator, data), peak(set_.device)
    graphs.forget_recordings()
    models = [_recorded(generator, data)]
    (given.ready / f"recorded-{os.getpid()}").touch()
    _await(given.ready, "recorded", given.of)
    _await(given.ready, "measured", given.turn)
    times = set_.size.replayed

    def measured(kind: str) -> None:
        _go_on(models, times)
        took = set_.seconds(lambda: _go_on(models, times)) / times
        mfu = {} if rate is None else {"mfu": flop * generator.batch * len(models) / took / rate}
        set_.note(what=f"{given.task}, {kind}", batch=generator.batch, ms=1e3 * took,
                  items_a_second=generator.batch * len(models) / took, **mfu,
                  memory_gb=set_.memory())  # fmt: skip

    measured("a step alone")
    if generator.batch == usual:
        # Four of the language model never ended on an H200; four of the UNet gained 2% over two.
        models.append(_recorded(generator, data, models[0]))
        measured("steps of 2 models at once")
        del models[1:]
        if set_.device.type == "cuda":
            dearest(set_, lambda: _go_on(models, 5), given.task, 5)
        torch.backends.cudnn.benchmark = True  # until this process ends
        models[:] = [_recorded(generator, data, models[0])]
        measured("a step alone, cuDNN's kernels tried out")
    (given.ready / f"measured-{os.getpid()}").touch()


def _go_on(models: list[graphs.Step], times: int) -> None:
    """So many steps of each, on a GPU in a stream of its own."""
    on_gpu = models[0].total.is_cuda
    beside = [torch.cuda.stream(torch.cuda.Stream()) if on_gpu else nullcontext() for _ in models]
    for _ in range(times):
        for stream_, model in zip(beside, models, strict=True):
            with stream_:
                model.repeat()


def _recorded(generator: Any, data: TrainingSet, like: graphs.Step | None = None) -> graphs.Step:
    """A step of a model of its own, recorded now; compiled as `like` is, if given."""
    loss = generator.objective(data, None, stream("speed"))
    drawn = loss.draw(torch.arange(generator.batch) % len(data))
    inputs = loss.inputs(*(x.to(loss.device) for x in drawn))
    again = graphs.compiled if like is None else lambda function, device: like._loss
    with patch.object(graphs, "compiled", again):
        return graphs.Step(generator.blank().train(), loss, inputs, 0.01, 1.0)


CHILDREN = {"one": one, "alone": alone}  # sections of the processes that sections start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("section", nargs="?", choices=[*SECTIONS, *CHILDREN])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pseudo", type=Path)
    parser.add_argument("--images", type=Path, help="an .npz with `train`, uint8 (N, 32, 32, 3)")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--toy", action="store_true")
    parser.add_argument("--only", nargs="*", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--uncompiled", action="store_true", help="record, but do not compile")
    parser.add_argument("--at-once", nargs="*", type=int)
    parser.add_argument("--task")
    parser.add_argument("--ready", type=Path)
    parser.add_argument("--of", type=int)
    parser.add_argument("--turn", type=int)
    parser.add_argument("--batch", type=int)
    given = parser.parse_args()
    size = TOY if given.toy else Size()
    if given.section is None:
        _all(given, size)
        return
    settle()
    folder = given.data_dir or given.pseudo
    use_data_dir(folder)
    device = "cpu" if given.toy else "cuda"
    note = Notes(given.section, given.out)
    with computing_on(device), ExitStack() as stack:
        if given.uncompiled:
            stack.enter_context(patch.object(graphs, "compiled", _as_it_is))
        set_ = Setting(note, size, given.toy, torch.device(device), given.at_once)
        if given.section in CHILDREN:
            CHILDREN[given.section](set_, given)
        else:
            globals()[given.section](set_)


def _all(given: argparse.Namespace, size: Size) -> None:
    """Each section in a process of its own, at most so many seconds."""
    note = Notes("all", given.out)
    if given.pseudo is not None:
        if given.toy:
            from tests.hub.tiny import write

            if not given.pseudo.exists():
                write(given.pseudo)
        else:
            pseudo.write(given.pseudo, size.count, size.heldout, given.images)
    versions = {"torch": torch.__version__, "cores": os.cpu_count()}
    note(what="machine", card=title("cpu"), **versions)
    for name in given.only:
        call = [sys.executable, "-m", "tests.speed.gpu", name, *sys.argv[1:]]
        with subprocess.Popen(call, start_new_session=True) as process:
            try:
                code = process.wait(SECTIONS[name])
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # its processes, too
                code = -1
        note(what=f"section {name} ended", code=code)


if __name__ == "__main__":
    main()
