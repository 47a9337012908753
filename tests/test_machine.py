"""What a run takes of the machine it is on, and what a result says of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import benchmark
from benchmark.basics import machine
from benchmark.basics.processor import describe, without_denormals
from benchmark.interface.find import find_method
from benchmark.interface.mitigation import Mitigation
from benchmark.runs import backends
from benchmark.runs.grid import execute
from benchmark.runs.jobs import plan
from benchmark.runs.sandbox.command import _environment
from tests.tiny import TOY_TASKS

GB = 10**9
MEMINFO = "MemTotal: 16000000 kB\nMemFree: 100 kB\nMemAvailable: 8000000 kB\n"
INTEL = (
    "processor : 0\ncpu family : 6\nmodel : 143\nmodel name : A  Xeon\nflags : sse avx avx2 fma\n"
)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of a machine whose 8 cores this process may use, with 8 GB available."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    monkeypatch.setattr(os, "process_cpu_count", lambda: 8, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    write(tmp_path, {"proc/meminfo": MEMINFO, "proc/cpuinfo": INTEL})
    return tmp_path


def write(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content, encoding="utf-8")


# --- how many processes ----------------------------------------------------------------------


def test_without_control_groups_every_core_of_the_affinity_computes(root):
    assert machine.cores(root) == 8
    assert machine.workers(GB, root) == 8


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "200000 100000\n"}, 2),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"}, 2),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "5000 100000\n"}, 1),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, 8),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "9900000 100000\n"}, 8),
        (
            {
                "proc/self/cgroup": "0::/user.slice/run.scope\n",
                "sys/fs/cgroup/user.slice/cpu.max": "300000 100000\n",
                "sys/fs/cgroup/user.slice/run.scope/cpu.max": "max 100000\n",
            },
            3,
        ),
        (
            {
                "proc/self/cgroup": "5:memory:/box\n4:cpu,cpuacct:/box\n",
                "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us": "400000\n",
                "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us": "100000\n",
            },
            4,
        ),
        (
            {
                "proc/self/cgroup": "4:cpu:/box\n",
                "sys/fs/cgroup/cpu/box/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/box/cpu.cfs_period_us": "100000\n",
            },
            8,
        ),
        (  # in a container the group has the host's name, its files lie at the top
            {
                "proc/self/cgroup": "4:cpu:/docker/0123\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "100000\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            1,
        ),
    ],
    ids=("two", "one-and-a-half", "a-twentieth", "no-bound", "more-than-there-are", "outer-group",
         "version-1", "version-1-no-bound", "container"),
)  # fmt: skip
def test_a_quota_of_processor_time_bounds_the_workers(root, files, cores):
    write(root, files)
    assert machine.cores(root) == cores
    assert machine.workers(1, root) == cores


@pytest.mark.parametrize(
    ("files", "room"),
    [
        ({}, 8_192_000_000),
        (
            {
                "proc/self/cgroup": "0::/job\n",
                "sys/fs/cgroup/job/memory.max": "4000000000\n",
                "sys/fs/cgroup/job/memory.current": "1500000000\n",
                "sys/fs/cgroup/job/memory.stat": "anon 1\ninactive_file 500000000\n",
            },
            3 * GB,
        ),
        (
            {
                "proc/self/cgroup": "0::/job\n",
                "sys/fs/cgroup/job/memory.max": "max\n",
                "sys/fs/cgroup/job/memory.current": "1500000000\n",
            },
            8_192_000_000,
        ),
        (
            {
                "proc/self/cgroup": "4:memory:/job\n",
                "sys/fs/cgroup/memory/job/memory.limit_in_bytes": "2000000000\n",
                "sys/fs/cgroup/memory/job/memory.usage_in_bytes": "1000000000\n",
                "sys/fs/cgroup/memory/job/memory.stat": "total_inactive_file 0\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "7000000000\n",
            },
            GB,
        ),
        (
            {
                "proc/self/cgroup": "0::/\n",
                "sys/fs/cgroup/memory.max": "1000000000\n",
                "sys/fs/cgroup/memory.current": "2000000000\n",
            },
            0,
        ),
    ],
    ids=("machine", "version-2", "no-bound", "version-1", "full"),
)
def test_what_is_left_of_the_memory_bounds_the_workers(root, files, room):
    write(root, files)
    assert machine.memory(root) == room
    assert machine.workers(GB, root) == max(1, room // GB)


def test_a_system_that_hides_its_memory_does_not_bound_the_workers(root):
    (root / "proc/meminfo").unlink()
    assert machine.memory(root) is None
    assert machine.workers(10**15, root) == 8


def test_one_core_of_this_very_machine_is_one_worker():
    said = "from benchmark.basics import machine; print(machine.cores(), machine.workers(10**9))"
    core = min(os.sched_getaffinity(0))
    command = ["taskset", "-c", str(core), sys.executable, "-c", said]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["1", "1"]


def test_a_run_starts_one_process_a_usable_core(toy_suite, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(machine, "workers", lambda needed: 3)
    monkeypatch.setattr(backends, "local", lambda jobs, work, workers: asked.append(workers) or [])
    with pytest.raises(KeyError):  # nothing was computed
        benchmark.run("anchor", out=tmp_path)
    assert asked == [3]


# --- one choice of instructions, everywhere --------------------------------------------------


def test_avx2_is_chosen_where_the_processor_has_it_and_the_user_did_not_choose(root, monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.delenv(machine.CHOICE, raising=False)
    machine.agree_on_instructions(root)
    assert os.environ.pop(machine.CHOICE) == "avx2"

    monkeypatch.setenv(machine.CHOICE, "default")
    machine.agree_on_instructions(root)
    assert os.environ.pop(machine.CHOICE) == "default"

    write(root, {"proc/cpuinfo": INTEL.replace("avx2", "") + "\nprocessor : 1\nflags : avx2\n"})
    machine.agree_on_instructions(root)
    assert machine.CHOICE not in os.environ

    write(root, {"proc/cpuinfo": INTEL})
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    machine.agree_on_instructions(root)
    assert machine.CHOICE not in os.environ


def has_avx2() -> bool:
    return "avx2" in machine._described(machine.ROOT, "flags").split()


CAPABILITY = "AVX2" if has_avx2() else torch.backends.cpu.get_cpu_capability()
FAST = "import torch; print(torch.backends.cpu.get_cpu_capability())"
LATE = f"import torch; torch.ones(1).exp(); import benchmark; {FAST}; import os; print(os.environ)"


def in_python(program: str, **changes: str) -> str:
    kept = {k: v for k, v in os.environ.items() if k != machine.CHOICE}
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True,
        env=kept | changes,
    )  # fmt: skip
    return found.stdout


def test_import_benchmark_chooses_torchs_instructions():
    assert in_python(f"import benchmark; {FAST}").split() == [CAPABILITY]
    assert in_python(f"import benchmark; {FAST}", ATEN_CPU_CAPABILITY="default").split() == [
        "DEFAULT"
    ]


@pytest.mark.slow
def test_a_process_that_used_torch_before_goes_on_and_its_children_choose():
    before = in_python(FAST).split()
    used, environ = in_python(LATE).split("\n", 1)
    assert [used] == before
    assert ("'ATEN_CPU_CAPABILITY': 'avx2'" in environ) == has_avx2()


def tiny() -> float:
    """A denormal number, or 0 where there are none."""
    return float(torch.tensor([1e-20]) * torch.tensor([1e-20]))


class Fails(Mitigation):
    """Leaves word of how its process computes: its failure is in the result."""

    def sampling(self, round):
        raise RuntimeError(
            f"{torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} thread, "
            f"{tiny()}, process {os.getpid()}"
        )


@pytest.mark.slow  # two processes load torch, transformers and diffusers
def test_workers_compute_alike_with_one_thread_and_without_denormal_numbers(tmp_path):
    jobs = plan([find_method(Fails)], "quick", [TOY_TASKS["digits-replace"]], [0, 1], tmp_path)
    outcomes = execute(jobs, lambda left, do: backends.local(left, do, workers=2))
    words = [o.lineage.message.partition("RuntimeError: ")[2] for o in outcomes if o.lineage]
    assert [w.partition(", process ")[0] for w in words] == [f"{CAPABILITY}, 1 thread, 0.0"] * 2
    assert str(os.getpid()) not in {w.rpartition(" ")[2] for w in words}


TELLS = """\
import torch
from benchmark import Mitigation


class Tells(Mitigation):
    def curate(self, crawl, round):
        tiny = float(torch.tensor([1e-20]) * torch.tensor([1e-20]))
        raise RuntimeError(f"{torch.backends.cpu.get_cpu_capability()} {tiny}")
"""


def test_the_sandbox_computes_as_the_harness_does(tmp_path, lineage):
    from benchmark.runs.sandbox import isolate_method

    file = tmp_path / "tells.py"
    file.write_text(TELLS, encoding="utf-8")
    with isolate_method(file) as method:
        records = lineage(method)
    assert records[-1]["message"].endswith(f"{torch.backends.cpu.get_cpu_capability()} 0.0")


def test_the_sandbox_is_told_what_this_process_uses_not_what_it_was_told(monkeypatch):
    monkeypatch.setenv(machine.CHOICE, "avx512")
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "DEFAULT")
    assert _environment()[machine.CHOICE] == "default"


def test_a_lineage_in_this_process_leaves_its_floats_as_they_were(lineage):
    assert tiny() > 0
    assert lineage(Fails)[0]["message"].split(", ")[2] == "0.0"
    assert tiny() > 0
    with without_denormals():
        lineage(Fails, folder="another")
        assert tiny() == 0


# --- what a result says ----------------------------------------------------------------------


def test_a_result_names_the_machine_that_made_it(tiny_suite, tmp_path):
    result = benchmark.run("nothing", tasks="digits-replace", workers=1, out=tmp_path)["nothing"]
    words = result.hardware.split(", ")
    assert words[0].startswith("Linux ")
    assert machine.processor() in result.hardware
    assert f"{machine.cores()} cores" in words or words[-4] == "1 core"
    assert torch.backends.cpu.get_cpu_capability() in words
    assert f"torch {torch.__version__}" in words
    assert result.hardware == describe()
    assert len(result.hardware) <= 200


def test_a_run_that_went_on_elsewhere_names_both_machines(tiny_suite, tmp_path):
    where = {"tasks": "digits-replace", "workers": 1, "out": tmp_path}
    benchmark.run("nothing", **where)
    (record,) = tmp_path.glob("quick/lineages/nothing/*/gen-01.json")
    from benchmark.basics.files import read_record, write_record

    write_record(record, read_record(record) | {"machine": "A far machine"})
    result = benchmark.run("nothing", **where)["nothing"]
    assert result.hardware == "A far machine and 1 other machine"
    assert [g.machine for g in result.tasks["digits-replace"].lineages[0].generations] == [
        describe(), "A far machine", describe(),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cpuinfo", "name"),
    [
        (INTEL, "A Xeon (family 6, model 143)"),
        ("processor : 0\nBogoMIPS : 50\nFeatures : fp asimd\n", ""),
    ],
    ids=("x86", "arm"),
)
def test_a_processor_is_named_as_far_as_the_system_names_it(root, monkeypatch, cpuinfo, name):
    monkeypatch.setattr("platform.processor", lambda: "")
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    write(root, {"proc/cpuinfo": cpuinfo})
    assert machine.processor(root) == (name or "aarch64")
