"""The same grid in processes, in one process, on a Ray cluster, and on a named device."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
import torch

import benchmark
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
def test_a_killed_worker_costs_nothing_that_is_not_begun_again(
    suite, tmp_path, fragile, monkeypatch
):
    path, mark = fragile
    out = tmp_path / "out"
    words = ("run", path, "--tasks", "*-replace", "--workers", 2, "--out", out)
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
    said = run.communicate(timeout=60)[1]
    assert run.returncode == 130
    assert said.splitlines()[-1] == (
        "autophagy: interrupted; the same command goes on where it stopped"
    )
    assert "Traceback" not in said
    assert psutil.wait_procs(started, timeout=30)[1] == []


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


def test_a_gpus_files_and_results_lie_apart(suite, tmp_path, monkeypatch):
    """Without a GPU: the same code, told that there is one but computing on the CPU."""
    from benchmark.basics import device

    benchmark.run("nothing", tasks="digits-replace", workers=1, out=tmp_path)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.*")}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Some GPU")
    monkeypatch.setattr(device, "current", lambda: torch.device("cpu"))
    monkeypatch.setattr("benchmark.tasks.training.trained.current", device.current)
    results = benchmark.run(
        "nothing", tasks="digits-replace", workers=1, out=tmp_path, device="cuda"
    )
    assert results["nothing"].hardware.endswith(", Some GPU")
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert (tmp_path / "cuda" / "quick" / "nothing.json").exists()
    assert list((tmp_path / "cuda" / "cache").glob("model-*"))
    assert set(results["nothing"].references.values()) == {"own"}
