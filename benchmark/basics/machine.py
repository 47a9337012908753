"""What this process may use of the machine it runs on. Needs nothing but Python."""

from __future__ import annotations

import atexit
import math
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

ROOT = Path("/")
CHOICE = "ATEN_CPU_CAPABILITY"  # torch reads it once, at its first operation
X86_64 = ("x86_64", "AMD64")
GPU = "GPU "  # begins the part of a machine's description that names one


def agree_on_instructions(root: Path = ROOT) -> None:
    """Have torch use AVX2 in this process and in those it starts, unless the user decided.

    torch's own kernels (random normal numbers, exponentials, softmax) then give the same numbers on
    processors with and without AVX-512. It costs nothing that could be measured. torch does not
    check the variable, so it is only set where the processor is known to have AVX2.
    """
    if platform.machine() in X86_64 and "avx2" in _described(root, "flags").split():
        os.environ.setdefault(CHOICE, "avx2")


def find_gpu(description: str) -> str:
    """The GPU that a description names (see `processor.describe`), "" if there is none."""
    return next((p.removeprefix(GPU) for p in description.split(", ") if p.startswith(GPU)), "")


def ensure_home() -> None:
    """Give a user without a home, as in containers, a temporary one: libraries keep caches there,
    and some cannot be imported without it."""
    try:
        Path.home()
    except RuntimeError:
        home = os.environ["HOME"] = tempfile.mkdtemp(prefix="autophagy-home-")
        atexit.register(shutil.rmtree, home, ignore_errors=True)


def cores(root: Path = ROOT) -> int:
    """Cores that this process may use: its affinity, bounded by the quota of its control groups."""
    if sys.version_info >= (3, 13):
        allowed = os.process_cpu_count() or 1
    elif hasattr(os, "sched_getaffinity"):  # not on every system
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count() or 1
    # A part of a core is worth a process: two of them do more in 1.5 cores than one.
    return max(1, min([allowed, *map(math.ceil, _quotas(root))]))


def memory(root: Path = ROOT) -> int | None:
    """Bytes that processes started now can have together; None where the system does not say."""
    fields = dict(line.split(":", 1) for line in _lines(root / "proc/meminfo") if ":" in line)
    rooms = list(_rooms(root))
    if "MemAvailable" in fields:
        rooms.append(int(fields["MemAvailable"].split()[0]) * 1024)
    return max(0, min(rooms)) if rooms else None


def workers(needed: int, root: Path = ROOT) -> int:
    """Processes of `needed` bytes each that can compute at a time, one a core: at least 1."""
    room, count = memory(root), cores(root)
    return count if room is None else max(1, min(count, room // needed))


def processor(root: Path = ROOT) -> str:
    """The processor's model, as far as the system names it."""
    name = _described(root, "model name") or platform.processor() or platform.machine()
    numbers = [_described(root, field) for field in ("cpu family", "model")]
    # Virtual machines often hide the name, not the numbers.
    return f"{name} (family {numbers[0]}, model {numbers[1]})" if all(numbers) else name


def _described(root: Path, field: str) -> str:
    """A field of the first processor in /proc/cpuinfo, or "" where there is none."""
    with (
        suppress(OSError),
        (root / "proc/cpuinfo").open(encoding="utf-8", errors="replace") as file,
    ):
        for line in file:  # one processor's fields: a machine has hundreds of them
            name, _, value = line.partition(":")
            if name.strip() == field:
                return " ".join(value.split())
            if not name.strip():
                break
    return ""


def _quotas(root: Path) -> Iterator[float]:
    """Cores that each control group of this process allows, of those that bound them."""
    for group in _groups(root, "cpu"):
        numbers = _numbers(group / "cpu.max")  # version 2
        numbers = numbers or [
            *_numbers(group / "cpu.cfs_quota_us"), *_numbers(group / "cpu.cfs_period_us"),
        ]  # fmt: skip
        if len(numbers) == 2 and min(numbers) > 0:
            yield numbers[0] / numbers[1]


def _rooms(root: Path) -> Iterator[int]:
    """Bytes that are left in each control group of this process, of those that bound them."""
    for group in _groups(root, "memory"):
        for most, used, idle in (
            ("memory.max", "memory.current", "inactive_file"),  # version 2
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            limit, taken = _numbers(group / most), _numbers(group / used)
            if limit and taken:
                fields = dict(line.split() for line in _lines(group / "memory.stat"))
                # Files in memory that nobody uses make room for what is asked.
                yield limit[0] - taken[0] + int(fields.get(idle, 0))


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """Folders of this process's control groups, each with those around it: of version 2, and of
    version 1 that of `controller`.

    In a container the names are often those of the host, and only the outermost folder is there.
    """
    base = root / "sys/fs/cgroup"
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, name = line.split(":", 2)
        if not controllers:
            tops = [base, base / "unified"]
        elif controller in controllers.split(","):
            tops = [base / controllers]
        else:
            continue
        for top in tops:
            own = top / name.strip("/")
            yield from (folder for folder in (own, *own.parents) if folder.is_relative_to(top))


def _numbers(file: Path) -> list[int]:
    """The whole numbers in a file of the kernel; none if it is not there or says "max"."""
    words = " ".join(_lines(file)).split()
    return [int(word) for word in words] if all(w.lstrip("-").isdigit() for w in words) else []


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
