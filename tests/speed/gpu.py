"""Measures suite `standard` on one GPU: steps, sampling, a generation in parts, lineages at once.

    python -m tests.speed.gpu --pseudo /tmp/pseudo --out gpu.json     # all, half an hour at most
    python -m tests.speed.gpu pictures --data-dir /data/hub --out gpu.json

`--pseudo` writes data that say nothing about quality (see `tests.speed.pseudo`), where a section
needs them. Every section runs in a process of its own, within its limit of seconds, prints what it
measured as it goes and ends with the process that began it. Numbers of a card that other work
shares are not worth keeping. `--toy` rehearses it on a CPU, `--toy --device cuda --uncompiled` on a
card, in a minute.
"""

from __future__ import annotations

import argparse
import ctypes
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
from benchmark.tasks.task import Task, check_data
from benchmark.tasks.training import graphs
from benchmark.tasks.training.fit import fit
from tests.findings.icons import measure
from tests.pairs import loss_of_part
from tests.speed import pseudo
from tests.tiny import era_of

SECTIONS = {
    "stories": 150,
    "pictures": 330,
    "icons": 420,
    "engine": 200,
    "steps": 330,
    "lineages": 300,
    "whole": 300,
}  # at most so many seconds
BATCHES = {"cifar10-replace": (128, 256, 512), "stories-replace": (64, 256)}
LONG = {
    "stories-replace": 20,
    "cifar10-replace": 2,
}  # times `Size.eager`: some five seconds of steps


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
    at_once: tuple[int, ...] = (1, 4)
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
        if task.modality == "pair":  # of as many icons as there are; another Pillow draws others
            data: Any = task.data
            return replace(task, data=replace(data, sha256=None))
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


def begin(generator: Any, data: TrainingSet, recorded: bool, hook: Any = None, part: str = ""
          ) -> Callable[[int], nn.Module]:  # fmt: skip
    """A function that trains a new model, or of pairs its `part`, by so many steps, without the
    meter, averaging or anything around them."""
    rng = stream("speed")
    torch.manual_seed(0)
    model = generator.blank()
    if part:
        loss = loss_of_part(generator, part, data.items, hook, rng)
        model = getattr(model, part)
    else:
        loss = generator.objective(data, hook, rng)
    loss = loss if recorded else replace(loss, family=None)
    return lambda steps: fit(model, loss, len(data), steps, generator.batch, generator.lr, rng)


def train(generator: Any, data: TrainingSet, steps: int, recorded: bool, hook: Any = None
          ) -> nn.Module:  # fmt: skip
    """A model after `steps` steps."""
    return begin(generator, data, recorded, hook)(steps)


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
                            (generator, "loss"), (generator, "log_prior")):  # fmt: skip
            if hasattr(owner, name):
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
        memory_gb=set_.memory(),
    )
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
    """A generation in parts, each network's steps, and whether both learn by all their steps."""
    task = set_.task("icons-replace")
    generation(set_, task)
    generator, size = task.generator.build(), set_.size
    data = TrainingSet(era_of(task.data.build(), task.n, task.reserve, "speed").real)
    for part in ("painter", "writer"):
        ends: list[nn.Module] = []
        for kind, recorded in (("launched one by one", False), ("recorded", True)):
            begin(generator, data, recorded, part=part)(2)
            go = begin(generator, data, recorded, part=part)
            took = set_.seconds(lambda go=go, ends=ends: ends.append(go(size.eager)))
            set_.note(what=f"training of the {part}, {kind}", ms=1e3 * took / size.eager,
                      items_a_second=generator.batch * size.eager / took,
                      memory_gb=set_.memory())  # fmt: skip
        torch.manual_seed(0)  # as where the steps began
        start = getattr(generator.blank(), part)
        moved, apart = _distance(ends[1], start), _distance(*ends)
        set_.note(what=f"weights of the {part}", moved=moved, apart_by_recording=apart)
        if set_.device.type == "cuda":
            dearest(set_, lambda go=go: go(10), f"a step of the {part}", 10)
    measure(task, partial(set_.note, what="learning"))


@torch.no_grad()
def _distance(one: nn.Module, other: nn.Module) -> float:
    """Mean absolute difference of the weights."""
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    sums = [((a - b).abs().sum(), a.numel()) for a, b in pairs]
    return float(sum(total for total, _ in sums)) / sum(count for _, count in sums)


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


class Told(LineageFolder):
    """A folder of a lineage that says of each generation when it is kept."""

    def __init__(self, folder: Path, note: Notes) -> None:
        super().__init__(folder)
        self._note = note

    def save(self, t: int, *what: Any, **more: Any) -> None:
        super().save(t, *what, **more)
        record = self.record(t) or {}
        self._note(what=f"generation {t} is kept", seconds=record.get("seconds"))


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
        store, cache = Told(Path(folder) / "l", set_.note), FolderCache(Path(folder) / "cache")
        run = partial(run_lineage, task, find_method(method).load(), 0, store, cache,
                      read_clock=time.perf_counter)  # fmt: skip
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
    for name in LONG:
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
    go, steps = begin(generator, data, True), LONG[given.task] * set_.size.eager
    (given.ready / f"recorded-{os.getpid()}").touch()
    _await(given.ready, "recorded", given.of)
    took = set_.seconds(lambda: go(steps))
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
    parser.add_argument("--device", choices=("cpu", "cuda"))
    parser.add_argument("--only", nargs="*", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--uncompiled", action="store_true", help="record, but do not compile")
    parser.add_argument("--at-once", nargs="*", type=int)
    parser.add_argument("--task")
    parser.add_argument("--ready", type=Path)
    parser.add_argument("--of", type=int)
    parser.add_argument("--turn", type=int)
    parser.add_argument("--batch", type=int)
    given = parser.parse_args()
    given.device = given.device or ("cpu" if given.toy else "cuda")
    size = TOY if given.toy else Size()
    if given.section is None:
        _all(given, size)
        return
    _end_with_parent()
    settle()
    folder = given.data_dir or given.pseudo
    use_data_dir(folder)
    note = Notes(given.section, given.out)
    with computing_on(given.device), ExitStack() as stack:
        if given.uncompiled:
            stack.enter_context(patch.object(graphs, "compiled", _as_it_is))
        set_ = Setting(note, size, given.toy, torch.device(given.device), given.at_once)
        if given.section in CHILDREN:
            CHILDREN[given.section](set_, given)
        else:
            globals()[given.section](set_)
        breaks = torch._dynamo.utils.counters["graph_break"]
        note(
            what="parts that were not compiled", breaks={str(k)[:300]: v for k, v in breaks.items()}
        )


def _end_with_parent() -> None:
    """Have the system kill this process when the one that began it ends, however that does."""
    deathsig = 1  # PR_SET_PDEATHSIG, of Linux
    ctypes.CDLL(None).prctl(deathsig, signal.SIGKILL)


def _all(given: argparse.Namespace, size: Size) -> None:
    """Each section in a process of its own, at most so many seconds."""
    note, worst = Notes("all", given.out), 0
    note(what="machine", card=title(given.device), torch=torch.__version__, cores=os.cpu_count(),
         lack=graphs.find_lack())  # fmt: skip
    if "icons" in given.only and not given.toy:
        check_data([Setting(note, size, False, torch.device("cpu")).task("icons-replace")])
    if given.pseudo is not None and set(given.only) - {"icons"}:
        if given.toy:
            from tests.hub.tiny import write

            if not given.pseudo.exists():
                write(given.pseudo)
        else:
            pseudo.write(given.pseudo, size.count, size.heldout, given.images)
    for name in given.only:
        call = [sys.executable, "-m", "tests.speed.gpu", name, *sys.argv[1:]]
        with subprocess.Popen(call, start_new_session=True) as process:
            try:
                code = process.wait(SECTIONS[name])
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # its processes, too
                code = -1
        note(what=f"section {name} ended", code=code)
        worst = worst or abs(code)
    sys.exit(min(worst, 100))


if __name__ == "__main__":
    main()
