"""The sandbox gives the same numbers and says the same of faults as no sandbox does."""

import json
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from benchmark import Access, Mitigation
from benchmark.basics.errors import InputError, MethodError
from benchmark.interface.find import find_method
from benchmark.interface.names import find_baselines
from benchmark.lineage.loop import run_lineage
from benchmark.lineage.marks import Written
from benchmark.lineage.store import LineageMemory
from benchmark.runs.grid import run
from benchmark.runs.sandbox import Bounds, check_available, find_clock, isolate_method, sandbox
from benchmark.runs.sandbox.hooks import make_class
from benchmark.runs.sandbox.session import Session
from benchmark.tasks import assets
from benchmark.tasks.images.networks import DigitClassifier
from benchmark.tasks.task import Task
from benchmark.tasks.text import llama
from tests import tiny
from tests.cpu_limit import seconds
from tests.system import needs_bubblewrap

pytestmark = needs_bubblewrap
TASKS = tiny.by_name(tiny.TINY)
COMPARED = ("status", "message", "profile", "ledger", "training_set", "trained_on", "kept")


def lineage(
    method: type[Mitigation], task: Task, cache: Any, begun: bool = False
) -> tuple[list[Any], list[str]]:
    """What the records say, but for times, and digests of what was published.

    `begun`: generation 0 is read, not computed, which saves its sandbox.
    """
    store = begin(task, cache) if begun else LineageMemory()
    records = run_lineage(task, method, 0, store, cache)
    published = [store.published[t].digest() for t in sorted(store.published)]
    return [{name: r.get(name) for name in COMPARED} for r in records], published


def begin(task: Task, cache: Any) -> LineageMemory:
    """A lineage of which generation 0 is finished."""
    store, other = LineageMemory(), LineageMemory()
    run_lineage(replace(task, generations=0), Mitigation, 0, other, cache)
    items = other.samples(0)
    store.save(0, other.record(0) or {}, Written(items, items), other.model(0))
    return store


def in_curate(code: str) -> str:
    """A method whose `curate` runs `code`."""
    body = "".join(f"        {line}\n" for line in code.splitlines())
    return f"class Attack(Mitigation):\n    def curate(self, crawl, round):\n{body}"


# --- the same numbers ------------------------------------------------------------------------

EVERYTHING = '''
import random
import numpy as np
import torch
from benchmark import Access, Items, Mitigation, Sampling, TrainingSet

class Everything(Mitigation):
    """Uses every hook, all that a round gives, and every source of random numbers."""
    access = frozenset(Access)

    def __init__(self):
        self.shift = torch.rand(())

    def curate(self, crawl, round):
        assert len(round.archive) == len(round.provenance) - 1 == round.generation
        torch.rand(3), np.random.rand(2), random.gauss(0, 1)
        round.rng.manual_seed(int(torch.randint(1000, (1,), generator=round.rng)))
        further = round.finetune(TrainingSet(crawl, torch.rand(len(crawl))), 1, rate=0.5)
        mine = round.sample(9, Sampling(temperature=0.9), further)
        if round.modality == "text":
            mine = round.sample(9, Sampling(logits=lambda w, x: x + torch.randn(x.shape)), further)
            assert round.logits(mine).shape[0] == 9
        score = round.verify(crawl) + round.log_prob(crawl, further) * torch.rand(())
        score = score + round.features(crawl).float().mean(1) * np.random.rand()
        kept = crawl.take(score.argsort()[: len(crawl) // 2])
        items = Items.concat([kept, round.reserve, mine, *(c.draw(5, round.rng)
                                                           for c in round.archive)])
        rates = torch.rand(len(items), generator=round.rng) + random.random()
        return TrainingSet(items, rates, steps=round.steps - 3)

    def loss(self, per_element, outputs):
        per_element[0] *= self.shift
        return per_element * torch.rand(()) + 1e-3 * outputs.float().square().flatten(2).mean(-1) \
            if outputs.dim() == 3 else per_element + torch.rand(()) * outputs.square()

    def adjust(self, model, round):
        before = round.log_prob(round.reserve)
        assert torch.equal(round.log_prob(round.reserve, round.model), before)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 1e-2 * torch.randn(parameter.shape)
        assert torch.equal(round.log_prob(round.reserve), before)
        assert not torch.equal(round.log_prob(round.reserve, model), before)
        self.model = round.finetune(round.reserve, 1)
        return model

    def sampling(self, round):
        image, mark = round.modality == "image", round.key % 3
        if image and round.generation:
            other = round.finetune(round.sample(12), 1, rate=0.1)
            return Sampling(guidance=0.5, negative=other, pixels=lambda x: x ^ (1 + mark))
        return Sampling(top_k=3_000, logits=lambda written, logits: logits * (1 + mark / 100))
'''


ADOPTED = """
import torch
from benchmark import Access, Mitigation, Sampling

class Stamps(Mitigation):
    access = frozenset({Access.WATERMARK})

    def sampling(self, round):
        if round.generation == 1:
            return Sampling()  # hands out no mark of its own
        torch.rand(round.generation)
        number = 100 + 9 * round.generation + int(torch.randint(9, ()))

        def stamp(images):
            images = images.clone()
            images[:, 0, 0, 0] = number
            return images

        return Sampling(pixels=stamp)
"""


@pytest.mark.slow
def test_others_adopt_the_mark_of_generation_0_there_too(tmp_path, shared_cache):
    file = tmp_path / "stamps.py"
    file.write_text(ADOPTED)
    task = replace(TASKS["digits-web"], adoption=0.5)
    expected = lineage(find_method(file).load(), task, shared_cache)
    assert [r["status"] for r in expected[0]] == ["ok"] * 3
    with isolate_method(file) as method:
        assert lineage(method, task, shared_cache) == expected


@pytest.mark.parametrize(
    ("names", "generations"),
    [(tiny.WEB, 1), (("speeches-web",), 2)],
)
@pytest.mark.slow
def test_a_method_that_uses_everything_gets_the_same_numbers(
    names, generations, tmp_path, shared_cache, monkeypatch
):
    """Generation 0, where only `sampling` is asked, is of the method on one of several tasks."""
    file, said = tmp_path / "everything.py", []
    file.write_text(EVERYTHING)
    send = sandbox.Sandbox.send
    monkeypatch.setattr(
        sandbox.Sandbox,
        "send",
        lambda self, message, deadline: (
            said.append(json.dumps(message.header)),
            send(self, message, deadline),
        )[1],
    )
    plain = find_method(file)
    # Whose first use draws from torch's global generator.
    assets.load_network("digits-verifier.safetensors", DigitClassifier)
    assets.load_network("speeches-verifier.safetensors", llama.build_llama)
    with isolate_method(file) as method:
        assert (method.__name__, method.access) == ("Everything", frozenset(Access))
        for name in names:
            task, begun = replace(TASKS[name], generations=generations), name != names[0]
            expected = lineage(plain.load(), task, shared_cache, begun)
            assert [r["status"] for r in expected[0]] == ["ok"] * (generations + 1)
            assert lineage(method, task, shared_cache, begun) == expected
            # Nothing by which a method could tell the task and switch behaviour.
            assert not any(task.name in text or task.hash[:8] in text for text in said)


# One with a model of its own, one with a loss, and one whose code other baselines share.
BASELINES = {
    "sims": "digits-web",
    "truncated_cross_entropy": "speeches-web",
    "watermark_green_list": "speeches-web",
}


def assert_same(inside: type[Mitigation], outside: type[Mitigation], task: Task, cache: Any):
    for hook in ("curate", "loss", "adjust", "sampling"):
        default = getattr(Mitigation, hook)
        assert (getattr(inside, hook) is default) == (getattr(outside, hook) is default)
    assert lineage(inside, task, cache) == lineage(outside, task, cache)


@pytest.mark.slow
@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_gets_the_same_numbers_in_its_own_sandbox(name, shared_cache):
    method, task = find_method(name), TASKS[BASELINES[name]]
    assert method.file is not None
    with isolate_method(method.file, access=method.access) as cls:
        assert_same(cls, method.load(), task, shared_cache)


FAULTY = """
import torch
from benchmark import Access, Items, Mitigation, Sampling, TrainingSet

class Raises(Mitigation):
    def curate(self, crawl, round):
        raise ValueError("out of ideas")

class Overspends(Mitigation):
    access = frozenset({Access.MODEL})
    def curate(self, crawl, round):
        return TrainingSet(round.sample(10**6))

class Exits(Mitigation):
    def sampling(self, round):
        raise SystemExit("enough")

class Flat(Mitigation):
    def loss(self, per_element, outputs):
        return per_element.mean()

class Loses(Mitigation):
    def adjust(self, model, round):
        return None

class Mute(Exception):
    def __str__(self):
        raise ValueError("no words")

class Unsaid(Mitigation):
    def curate(self, crawl, round):
        raise Mute

class Boom(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        raise AssertionError("boom")

class Backwards(Mitigation):
    def loss(self, per_element, outputs):
        return Boom.apply(per_element)

class Leaves(Mitigation):
    def loss(self, per_element, outputs):
        per_element.register_hook(lambda g: __import__("sys").exit(3))
        return per_element * 1

class Survives(Mitigation):
    def curate(self, crawl, round):
        try:
            round.reserve
        except Exception as error:
            assert type(error).__name__ == "AccessError"
        return TrainingSet(crawl)
"""


# What only the sandbox guards, and what is said of it.
GUARDED = {
    "Exits": "Exits.sampling at generation 1 raised SystemExit: enough",
    "Unsaid": "Unsaid.curate at generation 1 raised Mute: its message cannot be read: "
    "__str__ raises ValueError",
    "Backwards": "Backwards.loss at generation 1, in the backward pass, raised "
    "AssertionError: boom",
    "Leaves": "Leaves.loss at generation 1, in the backward pass, raised SystemExit: 3",
}


QUICK = ("Raises", "Overspends", "Exits", "Leaves")


@pytest.mark.parametrize(
    "names",
    [QUICK, pytest.param(("Flat", "Survives", "Unsaid", "Backwards"), marks=pytest.mark.slow)],
)
def test_faults_are_said_in_the_same_words(names, tmp_path, shared_cache):
    file, task = tmp_path / "faulty.py", tiny.by_name(tiny.TINY)["digits-replace"]
    file.write_text(FAULTY)
    with closing(Session(file, None, Bounds())) as session:

        def isolated_lineage(name: str) -> Any:
            session.class_name = name
            return lineage(make_class(session, session.begin()), task, shared_cache, begun=True)

        for name in names:
            if name in GUARDED:
                assert isolated_lineage(name)[0][-1]["message"] == GUARDED[name]
                continue
            plain = find_method(f"{file}:{name}").load()
            expected = lineage(plain, task, shared_cache, begun=True)
            assert isolated_lineage(name) == expected
            assert (expected[0][-1]["status"] == "ok") == (name == "Survives")


def test_a_file_that_cannot_be_loaded_is_named(tmp_path):
    file = tmp_path / "several.py"
    file.write_text(FAULTY)
    for text, sentence in [
        (FAULTY, r"^several\.py defines several Mitigation classes"),
        ("import mlxtend.data", r"^broken\.py, line 1, does not import: ModuleNotFoundError"),
    ]:
        file = tmp_path / ("several.py" if text is FAULTY else "broken.py")
        file.write_text(text)
        with pytest.raises(InputError, match=sentence), isolate_method(file):
            pass


@pytest.mark.slow
def test_a_class_is_called_as_in_process(tmp_path):
    file = tmp_path / "faulty.py"
    file.write_text("from benchmark import *\nclass One(Mitigation): pass\n")
    for more, name in (("", "faulty"), ("class Two(Mitigation): pass\n", "faulty.One")):
        file.write_text(file.read_text() + more)
        found = [find_method(f"{file}:One", isolate) for isolate in (None, isolate_method)]
        assert [method.name for method in found] == [name] * 2


# --- the command and what needs no attack -------------------------------------------------------


def test_a_run_with_isolation(tmp_path, short_suite):
    file = tmp_path / "mine.py"
    marker = tmp_path / "imported"
    file.write_text(
        f'"""Mine."""\nfrom benchmark import *\ntry:\n    open({str(marker)!r}, "w")\n'
        f"except OSError:\n    pass\nclass Mine(Mitigation):\n"
        f'    """Does nothing.\n\n    And more."""\n'
    )
    options: Any = {"tasks": "digits-web", "workers": 1}
    found = run(file, out=tmp_path / "a", isolated=True, **options)["mine"]
    assert not marker.exists()
    plain = run(file, out=tmp_path / "b", **options)["mine"]
    assert (found.isolated, plain.isolated, marker.exists()) == (True, False, True)
    assert found.method == plain.method
    assert found.method.summary == "Does nothing."
    curves = [r.tasks["digits-web"].lineages[0].generations for r in (found, plain)]
    assert [g.profile for g in curves[0]] == [g.profile for g in curves[1]]


@pytest.mark.slow
def test_what_it_hands_over_does_not_break_the_run(tmp_path, tiny_suite, monkeypatch):
    file = tmp_path / "mine.py"
    code = "import torch\nreturn TrainingSet(Items(tokens=crawl['tokens'] + 10**6))"
    file.write_text("from benchmark import *\n" + in_curate(code))
    words = {"tasks": "speeches-replace", "workers": 1, "isolated": True}
    (failure,) = run(file, out=tmp_path / "a", **words)["mine"].failures
    assert "items whose tokens are 10" in failure

    def unforeseen(task, method, *rest):
        if method.__name__ != "Attack":  # the references
            return run_lineage(task, method, *rest)
        raise RuntimeError("shapes cannot be multiplied\nand more")

    monkeypatch.setattr("benchmark.lineage.loop.run_lineage", unforeseen)
    sentence = r"mine on .*, seed 0: what it returned cannot be used \(RuntimeError: shapes .*ied\)"
    with pytest.raises(MethodError, match=sentence):
        run(file, out=tmp_path / "b", **words)


BUSY = """
import os, time
child, end = os.fork(), time.process_time() + 1
while time.process_time() < end:
    pass
if child == 0:
    os._exit(0)
os.waitpid(child, 0)
return TrainingSet(crawl)
"""


AT_IMPORT = """
import time
from benchmark import *
end = time.process_time() + 1
while time.process_time() < end:
    pass
"""


@pytest.mark.slow
def test_what_a_file_and_a_hook_compute_inside_is_of_their_stage(tmp_path, shared_cache):
    file = tmp_path / "busy.py"
    file.write_text(AT_IMPORT + in_curate(BUSY))
    task = replace(TASKS["speeches-replace"], generations=1)
    with isolate_method(file) as method:
        clock = find_clock(method)
        records = run_lineage(task, method, 0, LineageMemory(), shared_cache, clock)
        assert [record["status"] for record in records] == ["ok", "ok"]
        own = records[1]["seconds"]["curate"]
        assert own > 2.9  # of the file, the hook and its child
        rest = clock() - time.process_time() - own
        assert rest > 0.9  # the file was loaded before, for generation 0
    # Two sandboxes have imported torch, which is not counted.
    before = seconds()
    subprocess.run([sys.executable, "-c", "import torch"], check=True)
    assert own + rest < 4 + seconds() - before


def test_a_class_of_this_process_cannot_be_isolated():
    with pytest.raises(InputError, match="Mitigation is a class of this process"):
        find_method(Mitigation, isolate_method)


def test_without_bubblewrap_nothing_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"not installed: install bubblewrap .*apt-get install"):
        check_available()
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'No permissions to create new namespace' >&2\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(InputError, match=r"cannot start a sandbox here \(No permissions to"):
        find_method(find_baselines()["nothing"], isolate_method)
