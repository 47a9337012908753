"""The same grid in processes, in one process, on a Ray cluster, and on a named device."""

import faulthandler
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FunctionType, SimpleNamespace

import psutil
import pytest
import torch

import benchmark
from benchmark.basics import device
from benchmark.basics.errors import InputError, Interrupted, WorkerLost
from benchmark.interface.find import find_method
from benchmark.runs import backends, grid
from benchmark.runs.jobs import Outcome, plan
from benchmark.tasks.suites import load_suite
from tests.system import needs_bubblewrap
from tests.test_run import MAIN, cli, without_times

# Waits to be killed the first time that it is asked for generation 1 of a text task.
FRAGILE = """
import os
import time
from pathlib import Path
from benchmark import Mitigation, TrainingSet

class Fragile(Mitigation):
    def curate(self, crawl, round):
        mark = Path({mark!r})
        if round.modality == "text" and not mark.exists():
            half = mark.with_name("half")
            half.write_text(str(os.getpid()))
            half.rename(mark)
            time.sleep(600)
        return TrainingSet(crawl.take(slice(0, len(crawl) // 2)))
"""


@pytest.fixture
def fragile(tmp_path: Path) -> tuple[Path, Path]:
    """A method's file, and the file in which it names the process to kill."""
    mark, path = tmp_path / "process", tmp_path / "fragile.py"
    path.write_text(FRAGILE.format(mark=str(mark)))
    return path, mark


def kill_when_named(mark: Path) -> threading.Thread:
    def wait() -> None:
        while not mark.exists():
            time.sleep(0.05)
        os.kill(int(mark.read_text()), signal.SIGKILL)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


@pytest.mark.pool
def test_what_a_killed_process_was_at_is_begun_again(tmp_path, monkeypatch):
    """In processes that are sent the code, and so load no torch as those of the next test do."""
    known = {"_end_with": lambda parent: None}
    sent = FunctionType(backends._attended.__code__, known)
    sent.__module__ = "__main__"
    monkeypatch.setattr(backends, "_attended", sent)

    def work(job):
        file = tmp_path / f"{job} {os.getpid()}"
        begun_before = list(tmp_path.glob(f"{job} *"))
        file.touch()
        if job == "killed" and not begun_before:
            os.kill(os.getpid(), signal.SIGKILL)
        return SimpleNamespace(job=job)

    outcomes = list(backends.local(["one", "killed", "other"], work, workers=2))
    assert sorted(outcome.job for outcome in outcomes) == ["killed", "one", "other"]
    assert len(list(tmp_path.glob("killed *"))) == 2
    assert not list(tmp_path.glob(f"* {os.getpid()}"))


@pytest.mark.pool
@pytest.mark.slow
def test_at_what_this_process_died_is_done_in_another_one(tiny_suite, tmp_path):
    """A method that crashes ends a command with one worker once, and fails then."""
    file = tmp_path / "crashes.py"
    file.write_text(
        "import os, signal\nfrom benchmark import Mitigation\nclass Crashes(Mitigation):\n"
        "    def curate(self, crawl, round):\n        os.kill(os.getpid(), signal.SIGSEGV)\n"
    )
    given = {"tasks": "digits-replace", "workers": 1, "out": tmp_path / "out"}
    child = os.fork()
    if child == 0:
        faulthandler.disable()
        benchmark.run(file, **given)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGSEGV
    found = benchmark.run(file, **given)["crashes"]
    assert found.failures == [
        "crashes on digits-replace, seed 0: crashes at generation 1 ended its process: SIGSEGV(-11)"
    ]
    assert not list(tmp_path.rglob(backends.AT_WORK))


@pytest.mark.parametrize("where", ["joblib", "a daemon"])
def test_where_no_process_can_be_started_this_one_works(where, tmp_path, monkeypatch):
    if where == "joblib":
        monkeypatch.setattr("joblib.parallel.mp", None)
    else:
        monkeypatch.setattr(multiprocessing.current_process(), "_config", {"daemon": True})
    jobs = [SimpleNamespace(folder=tmp_path / name) for name in "ab"]
    done = list(backends.local(jobs, lambda job: (job.folder.name, os.getpid()), workers=2))
    assert done == [("a", os.getpid()), ("b", os.getpid())]


@pytest.mark.pool
@pytest.mark.slow
def test_a_killed_worker_costs_nothing_that_is_not_begun_again(
    tiny_suite, tmp_path, fragile, monkeypatch
):
    path, mark = fragile
    out = tmp_path / "out"
    words = ("run", path, "--tasks", "speeches-replace", "--workers", 2, "--out", out)
    thread = kill_when_named(mark)
    assert cli(monkeypatch, *words) == 0
    thread.join()
    # What came of two workers and of this process is what this process alone makes.
    assert cli(monkeypatch, *words[:-3], 1, "--out", tmp_path / "alone") == 0
    files = [folder / "quick" / "fragile.json" for folder in (out, tmp_path / "alone")]
    assert without_times(files[0]) == without_times(files[1])


@pytest.mark.slow
def test_a_ray_cluster_that_loses_a_worker_ends_with_the_numbers_of_this_process(
    toy_suite, tmp_path, fragile, monkeypatch
):
    """Two nodes of one processor each; the process of one is killed in the middle of a lineage."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster

    path, mark = fragile
    small = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
    cluster = Cluster(initialize_head=True, head_node_args=small | {"include_dashboard": False})
    try:
        cluster.add_node(**small)
        thread = kill_when_named(mark)
        benchmark.run(
            path, tasks="*-replace", out=tmp_path / "ray", backend="ray", address=cluster.address
        )
        thread.join()
    finally:
        cluster.shutdown()
    benchmark.run(path, tasks="*-replace", out=tmp_path / "local", workers=1)
    for name in ("fragile", "nothing", "clean"):
        files = [tmp_path / out / "quick" / f"{name}.json" for out in ("ray", "local")]
        assert without_times(files[0]) == without_times(files[1])


@pytest.mark.parametrize("name", backends.DEATHS)
def test_a_node_that_is_gone_costs_its_lineages_only(name, tmp_path, monkeypatch):
    ray = pytest.importorskip("ray")
    death = getattr(ray.exceptions, name)
    error = death.__new__(death)  # each takes other arguments
    one, two = (plan_one(seed, tmp_path) for seed in (0, 1))

    def get(job):
        if job is one:
            raise error
        return Outcome(job, None)

    task = SimpleNamespace(remote=lambda job: job)
    for function, fake in {
        "is_initialized": lambda: True,
        "remote": lambda **_: lambda work: task,
        "wait": lambda left: (left[:1], left[1:]),
        "get": get,
    }.items():
        monkeypatch.setattr(ray, function, fake)
    lost, other = backends.on_ray([one, two], work=lambda job: Outcome(job, None))
    assert isinstance(lost.error, WorkerLost)
    assert f"seed 0: its worker died 4 times ({name})" in str(lost.error)
    assert (other.job, other.error) == (two, None)


@pytest.mark.parametrize(("needed", "enough"), [({"gpus": 0.25}, False), ({"processors": 3}, False),
                                                ({"processors": 2}, True)])  # fmt: skip
def test_what_no_node_of_a_ray_cluster_started_here_has_is_not_waited_for(
    needed, enough, tmp_path, monkeypatch
):
    ray, job = pytest.importorskip("ray"), plan_one(0, tmp_path)
    task = SimpleNamespace(remote=lambda job: job)
    two = [{"Alive": True, "Resources": {"CPU": 2.0}}, {"Alive": False, "Resources": {"GPU": 8.0}}]
    for function, fake in {
        "is_initialized": lambda: False,
        "init": lambda **_: None,
        "nodes": lambda: two,
        "remote": lambda **_: lambda work: task,
        "wait": lambda left: (left[:1], left[1:]),
        "get": lambda job: Outcome(job, None),
        "shutdown": lambda: None,
    }.items():
        monkeypatch.setattr(ray, function, fake)
    if enough:
        assert list(backends.on_ray([job], work=None, **needed)) == [Outcome(job, None)]
        return
    with pytest.raises(InputError, match=r"needs .* this machine has 2 and 0: ask for less by"):
        list(backends.on_ray([job], work=None, **needed))
    (outcome,) = backends.on_ray([job], work=None, address="10.0.0.1:6379", **needed)
    assert outcome.job is job  # it may grow


@pytest.mark.parametrize(("isolated", "workers"), [(False, 8), (True, 5)])
def test_memory_is_set_aside_for_a_sandbox_too(
    isolated, workers, tiny_suite, tmp_path, monkeypatch
):
    monkeypatch.setattr("benchmark.basics.machine.memory", lambda root: 10 * 10**9)
    monkeypatch.setattr("benchmark.basics.machine.cores", lambda root: 16)
    found = []

    def stop(jobs, work, workers):
        found.append(workers)
        raise KeyboardInterrupt

    monkeypatch.setattr(backends, "local", stop)
    with pytest.raises(Interrupted):
        benchmark.run("clean", tasks="digits-replace", out=tmp_path, isolated=isolated)
    assert found == [workers]


def plan_one(seed, out):
    task = load_suite("quick").tasks[0]
    return plan([find_method("nothing")], "quick", [task], [seed], out)[0]


@pytest.mark.slow
def test_ctrl_c_ends_a_ray_run_and_all_that_it_started(tmp_path, fragile):
    path, mark = fragile
    words = ["--tasks", "speeches-replace", "--backend", "ray", "--out", str(tmp_path / "out")]
    run = subprocess.Popen(
        [sys.executable, "-c", MAIN.format(size="toy"), "run", str(path), *words],
        env=os.environ | {"RAY_USAGE_STATS_ENABLED": "0"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not mark.exists():
        assert run.poll() is None
        time.sleep(0.05)
    started = psutil.Process(run.pid).children(recursive=True)
    assert int(mark.read_text()) in {process.pid for process in started}
    os.killpg(run.pid, signal.SIGINT)
    said = run.communicate(timeout=180)[1]
    assert run.returncode == 130
    assert said.splitlines()[-1] == (
        "autophagy: interrupted; the same command goes on where it stopped"
    )
    assert "Traceback" not in said
    assert psutil.wait_procs(started, timeout=180)[1] == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--backend", "slurm"], "there is no backend 'slurm': choose one of local, ray"),
        (["--address", "10.0.0.1:6379"], "--address and --gpus-per-lineage are for --backend ray"),
        (["--gpus-per-lineage", "0.5"], "--address and --gpus-per-lineage are for --backend ray"),
        (["--device", "tpu"], "there is no device 'tpu': choose one of cpu, cuda"),
        (["--device", "cuda"], "no CUDA GPU is usable here"),
        (["--device", "tpu", "--backend", "ray"], "there is no device 'tpu'"),
    ],
)
def test_what_is_not_there_is_one_sentence(
    words, sentence, tiny_suite, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert cli(monkeypatch, "run", "nothing", *words, "--out", tmp_path / "out") == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert len(said.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_without_ray_the_sentence_says_how_to_get_it(tiny_suite, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    words = ("--backend", "ray", "--out", tmp_path)
    assert cli(monkeypatch, "run", "nothing", *words) == 1
    said = capsys.readouterr().err
    assert said == ("autophagy: the backend ray needs Ray: pip install 'autophagy-bench[ray]'\n")


def test_the_cpu_asked_for_by_name_is_the_default(tiny_suite, tmp_path):
    benchmark.run("nothing", tasks="digits-replace", workers=1, out=tmp_path)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.safetensors")}
    result = benchmark.run("nothing", tasks="digits-replace", workers=1, device="cpu", out=tmp_path)
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.safetensors")} == before
    assert "GPU" not in result["nothing"].hardware


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same code, told that there is a GPU but computing on the CPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Some GPU")
    monkeypatch.setattr(device, "current", lambda: torch.device("cpu"))
    monkeypatch.setattr("benchmark.tasks.training.trained.current", device.current)


def test_a_gpus_files_and_results_lie_apart(suite, tmp_path, gpu):
    benchmark.run("nothing", tasks="digits-replace", workers=1, out=tmp_path)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.*")}
    results = benchmark.run(
        "nothing", tasks="digits-replace", workers=1, out=tmp_path, device="cuda"
    )
    assert results["nothing"].hardware.endswith(", GPU Some GPU")
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert (tmp_path / "cuda" / "quick" / "nothing.json").exists()
    assert list((tmp_path / "cuda" / "cache").glob("model-*"))
    assert set(results["nothing"].references.values()) == {"own"}


ASKS = """
from benchmark import Access, Mitigation, TrainingSet

class Asks(Mitigation):
    access = frozenset({Access.MODEL})

    def curate(self, crawl, round):
        keep = round.log_prob(crawl).argsort() < len(crawl)  # all of it
        return TrainingSet(crawl.take(keep))
"""
FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
FAILED = torch.AcceleratorError("CUDA error: device-side assert triggered\nmore")
NO_HANDLE = RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`")
COMPILING = ValueError("backend='inductor' raised")
COMPILING.__cause__ = FULL
MEMORY = "the GPU's memory was full; run the same command again with fewer --workers"
PROCESS = "the GPU failed, and with it all that its process had left to do (CUDA error: device-side"


@pytest.mark.parametrize(
    ("what", "isolated", "error", "said"),
    [
        ("log_prob", False, FULL, MEMORY),  # asked by a hook
        ("log_prob", False, NO_HANDLE, MEMORY),
        ("log_prob", False, FAILED, PROCESS),
        ("train", False, RuntimeError("Triton Error [CUDA]: out of memory"), MEMORY),
        ("sample", False, COMPILING, MEMORY),
        pytest.param("log_prob", True, FULL, MEMORY, marks=(needs_bubblewrap, pytest.mark.slow)),
        ("train", False, FULL, MEMORY),  # by the harness
        ("sample", False, FAILED, PROCESS),
    ],
)
def test_a_gpu_that_is_full_or_fails_costs_no_lineage(
    what, isolated, error, said, tiny_suite, tmp_path, gpu, monkeypatch, capsys
):
    """The lineage is not failed: the same command goes on where it stopped."""
    path, out = tmp_path / "asks.py", tmp_path / "out"
    path.write_text(ASKS)
    words = ("run", path, "--tasks", "digits-replace", "--workers", 1, "--out", out)
    words += ("--device", "cuda", *(["--isolated"] if isolated else []))
    generator = type(tiny_suite.choose("digits-replace")[0].generator.build())
    calls, real = [], getattr(generator, what)

    def full(*args, **more):
        calls.append(what)
        if len(calls) == 2:  # a generation is finished
            raise error
        return real(*args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(generator, what, full)
        assert cli(monkeypatch, *words) == 1
    (line,) = capsys.readouterr().err.strip().splitlines()[-1:]
    assert line.startswith("autophagy: ")
    assert f" on digits-replace, seed 0: {said}" in line
    assert cli(monkeypatch, *words) == 0
    assert {p.name for p in (out / "cuda" / "quick").glob("*.json")} >= {"asks.json"}


def test_what_a_method_raises_on_a_cpu_is_its_own(tiny_suite, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    path = tmp_path / "asks.py"
    raises = "        import torch\n        raise torch.OutOfMemoryError('mine')\n"
    path.write_text(ASKS.replace("        keep", raises + "        keep"))
    result = benchmark.run(path, tasks="digits-replace", workers=1, out=tmp_path / "out")["asks"]
    assert "Asks.curate" in result.failures[0]
    assert "raised OutOfMemoryError: mine" in result.failures[0]


@pytest.mark.parametrize(("gigabytes", "workers"), [(8, 1), (24, 1), (40, 2), (141, 4)])
def test_no_more_processes_than_a_gpus_memory_holds(gigabytes, workers, gpu, monkeypatch):
    card = SimpleNamespace(total_memory=gigabytes * 10**9)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: card)
    chosen = grid._backend("local", None, None, "cuda", None, 1, False)
    assert chosen.keywords["workers"] == workers
    assert grid._backend("local", 3, None, "cuda", None, 1, False).keywords["workers"] == 3


def test_more_ranks_than_gpus_are_refused(gpu, tmp_path):
    said = "--ranks 4 needs 4 GPUs, one for each process: 1 can be used here"
    with pytest.raises(InputError, match=said):
        benchmark.run("nothing", "large", device="cuda", ranks=4, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_says_once_that_it_computes_uncompiled(
    tiny_suite, tmp_path, gpu, monkeypatch, capsys
):
    recipe = type(tiny_suite.choose("digits-replace")[0].generator)
    monkeypatch.setattr(recipe, "compiled", True, raising=False)
    monkeypatch.setenv("CC", "absent-cc")
    words = ("run", "nothing", "--tasks", "digits-replace", "--workers", 1, "--out", tmp_path)
    said = "Triton needs the C compiler that CC names, 'absent-cc'."
    for where, times in (("cuda", 1), ("cpu", 0)):
        assert cli(monkeypatch, *words, "--device", where) == 0
        assert capsys.readouterr().out.count(said) == times
