"""The command that starts the sandbox: what is visible in it.

An allow-list of paths, of which those are emptied that hold data: what the tasks' recipes name, the
digits and pictures of scikit-learn, and whatever of the harness's own packages is no code. Nothing
but /scratch can be written; of /proc only the sandbox's own processes are left, and what says which
processor this is.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, files, packages_distributions
from pathlib import Path

import torch

import baselines
import benchmark
from benchmark.basics.machine import CHOICE
from benchmark.tasks import assets
from benchmark.tasks.suites import SUITE_NAMES, load_suite

OWN = (benchmark, baselines)  # seen under HOME only, and only their code
PACKAGES = ("site-packages", "dist-packages")  # names of folders of installed packages
HOME = Path("/bench")
METHOD = Path("/method/method.py")  # whatever its name is outside
SCRATCH = Path("/scratch")
ARITHMETIC = ("ATEN_", "DNNL_", "MKL_", "OMP_", "ONEDNN_", "OPENBLAS_")
INSTRUCTIONS = ("default", "avx2", "avx512")  # that torch can be told to use
PROC = ("cpuinfo",)  # what is left in /proc of the whole machine
DEVICES = ("null", "urandom")
# Real items that other packages ship: digits, and the icons of the same fonts.
SHIPPED = ("sklearn/datasets/data", "sklearn/datasets/images", "material/templates/.icons",
           "playwright/driver")  # fmt: skip
LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib")
LINKER = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d")


def build_command(
    bwrap: str, program: list[str], user: list[str], disk: int, refused: int, method: int | None
) -> list[str]:
    """The arguments that run `program` with this Python inside.

    Args:
        user: the arguments that say which user it begins as.
        disk: bytes that can be written, all of them in /scratch, in memory.
        refused: a descriptor of the filter of system calls.
        method: a descriptor of the method's source.
    """
    arguments = [
        bwrap, *user, "--unshare-all", "--die-with-parent", "--new-session", "--clearenv",
        "--hostname", "sandbox", "--seccomp", str(refused),
    ]  # fmt: skip
    bound: list[Path] = []
    seen = [*map(Path, (*LIBRARIES, *LINKER)), *_python(), *_linked(tuple(_sites()))]
    binds = [word for path in seen for word in _visible(path, bound)]
    arguments += [*_folders(_above(bound)), *binds, *_masks(bound)]
    arguments += _folders([HOME, METHOD.parent])
    for package in OWN:
        folder = Path(str(package.__file__)).parent
        arguments += _show_code(folder, HOME / folder.name)
    if method is not None:
        arguments += ["--perms", "0444", "--ro-bind-data", str(method), str(METHOD)]
    arguments += [*_proc(), "--tmpfs", "/dev"]
    for device in DEVICES:
        arguments += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    arguments += ["--remount-ro", "/dev"]
    arguments += ["--perms", "1777", "--size", str(disk), "--tmpfs", str(SCRATCH)]
    arguments += ["--remount-ro", "/", "--chdir", str(SCRATCH)]
    for name, value in _environment().items():
        arguments += ["--setenv", name, value]
    return [*arguments, "--", *program]


def _proc() -> list[str]:
    """A /proc of the sandbox's own processes that nobody can write to, without what the kernel says
    of the whole machine, by which lineages that run at one time could signal to each other."""
    arguments = ["--proc", "/proc"]
    for path in sorted(Path("/proc").iterdir()):
        if path.name.isdigit() or path.is_symlink() or path.name in PROC:
            continue
        arguments += _emptied(path)
    return [*arguments, "--remount-ro", "/proc"]


def _emptied(path: Path) -> list[str]:
    """An empty folder or a file that cannot be opened in the place of `path`."""
    if path.is_dir():
        return ["--tmpfs", str(path), "--remount-ro", str(path)]
    return ["--ro-bind", "/dev/null", str(path)]


def _environment() -> dict[str, str]:
    """All variables of the sandbox; of the harness's own only those that decide arithmetic, and the
    instructions that torch uses here, whatever was said of them after its first operation. Whoever
    starts the harness says how many threads there are, which must not tell it apart."""
    kept = {k: v for k, v in os.environ.items() if k.startswith(ARITHMETIC)}
    kept = {k: v for k, v in kept.items() if "THREADS" not in k}
    used = torch.backends.cpu.get_cpu_capability().lower()
    if used in INSTRUCTIONS:
        kept[CHOICE] = used
    plain = {
        "HF_HUB_OFFLINE": "1",
        "HOME": str(SCRATCH),
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1",  # torch is told its own number, see `inside`
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


def _above(bound: list[Path]) -> set[Path]:
    """The folders on the way to what is bound that are not themselves part of it."""
    within = set(bound)
    above = {parent for path in bound for parent in path.parents}
    return {p for p in above if not p.is_symlink() and not within.intersection((p, *p.parents))}


def _folders(paths: Iterable[Path]) -> list[str]:
    """Folders that anybody may pass through, whatever they are outside."""
    return [word for p in sorted(paths) for word in ("--perms", "0755", "--dir", str(p))]


def _place(path: Path, bound: list[Path]) -> Path:
    """Where `path` is bound: at its own place, but behind the links that are seen on the way."""
    seen = (p for p in (path, *path.parents) if any(folder in bound for folder in p.parents))
    return path.resolve() if any(p.is_symlink() for p in seen) else path


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
    hidden: set[Path] = set()
    sites = {_place(path, bound) for path in _sites()}
    for folder in map(Path, (*LIBRARIES, sysconfig.get_path("stdlib"))):
        for pattern in (*PACKAGES, "python3*/*-packages"):
            hidden |= {f for f in folder.glob(pattern) if f not in sites and not f.is_symlink()}
    hidden |= {folder / top for folder in sites for top in _hidden_tops()}
    hidden |= {place for folder in sites for place in _shipped(folder)}
    masks = []
    for path in sorted(hidden):
        if path.is_symlink():  # what it leads to is not bound: see `_linked`
            continue
        if path.exists():
            masks += _emptied(path)
    return masks


def _shipped(folder: Path) -> Iterator[Path]:
    """Where what is `SHIPPED` lies that is installed in `folder`: itself, or what links lead to."""
    for part in SHIPPED:
        place = folder / part
        if place.is_dir():
            inside = place.resolve() == folder.resolve() / part
            yield place if inside else place.resolve()
            yield from {file.resolve().parent for file in place.iterdir() if file.is_symlink()}


@cache
def _hidden_tops() -> frozenset[str]:
    """First parts of the paths of what is installed and holds real items, as the recipes of the
    tasks' data say, and of the harness itself: its packages are bound elsewhere, without their
    data."""
    tasks = [task for suite in SUITE_NAMES for task in load_suite(suite).tasks]
    data = {task.data.distribution for task in tasks if task.data.distribution}
    installed = packages_distributions()
    names = [package.__name__ for package in OWN] + ["leaderboard"]
    hidden = data.union(names, *(installed.get(name, []) for name in names))
    return frozenset(top for name in hidden for top in _tops(name))


def _tops(name: str) -> set[str]:
    """First parts of the paths that a distribution installed."""
    try:
        parts = {file.parts[0] for file in files(name) or ()}
    except PackageNotFoundError:
        parts = set()
    return (parts | {name}) - {"..", "__pycache__"}


def _show_code(folder: Path, inside: Path) -> list[str]:
    """Binds the code in a folder of the harness; what else lies there is left out."""
    if all(_is_code(part) for part in folder.rglob("*") if part.is_file()):
        return ["--ro-bind", str(folder), str(inside)]
    arguments = ["--tmpfs", str(inside)]
    for part in sorted(folder.iterdir()):
        if part.is_dir():
            arguments += _show_code(part, inside / part.name)
        elif _is_code(part):
            arguments += ["--ro-bind", str(part), str(inside / part.name)]
    return [*arguments, "--remount-ro", str(inside)]


def _is_code(file: Path) -> bool:
    """Python, and the list of the frozen parts, without which no task has a hash."""
    return file.suffix in (".py", ".pyc") or file == assets.FOLDER / "manifest.json"
