"""Copies of repositories on this machine: a folder in the Hub's layout, or the Hub's own cache."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.basics.errors import CorruptFile, InputError
from benchmark.basics.files import write_bytes
from benchmark.hub.repos import HubRepo, repos_of

if TYPE_CHECKING:
    from benchmark.tasks.task import Task

VARIABLE = "AUTOPHAGY_DATA"  # workers inherit it
BLOCK = 1 << 20


def data_dir() -> Path | None:
    """The folder of local copies that `--data-dir` names, if it was given."""
    given = os.environ.get(VARIABLE)
    return Path(given) if given else None


def use_data_dir(folder: Path | None) -> None:
    """Makes this process and its workers read local copies in `folder`.

    Raises:
        InputError: there is no such folder.
    """
    if folder is None:
        return
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}: --data-dir names one of local copies")
    os.environ[VARIABLE] = str(folder.absolute())


def place(repo: HubRepo) -> Path:
    """Where the repository's files lie on this machine, or would."""
    own = data_dir()
    if own is not None:
        return own / repo.kind / repo.name
    from huggingface_hub import constants

    folder = f"{repo.kind}--{repo.name.replace('/', '--')}"
    return Path(constants.HF_HUB_CACHE) / folder / "snapshots" / repo.revision


def copy_of(repo: HubRepo) -> Path | None:
    """The folder with all of the repository's files, checked; None if one of them is absent.

    Raises:
        CorruptFile: a file is not the pinned one.
    """
    folder = place(repo)
    if not all(any(folder.glob(pattern)) for pattern in repo.files):
        return None
    for name, expected in repo.sha256:
        check(folder / name, expected)
    return folder


def check(file: Path, expected: str) -> None:
    """Raises CorruptFile unless the file has this SHA-256; asked once for the same file."""
    status = file.resolve().stat()
    key = f"{file.resolve()}|{status.st_size}|{status.st_mtime_ns}"
    stamp = _stamps() / hashlib.sha256(key.encode()).hexdigest()[:32]
    if stamp.is_file() and json.loads(stamp.read_text("utf-8")) == expected:
        return
    found = sha256_of(file)
    if found != expected:
        raise CorruptFile(
            f"{file} has SHA-256 {found[:12]}..., the task needs {expected[:12]}...: delete it "
            f"and run autophagy prefetch again"
        )
    with suppress(InputError):  # a home that cannot be written costs time only
        write_bytes(stamp, json.dumps(expected).encode())


def sha256_of(file: Path) -> str:
    """SHA-256 of a file's content."""
    sha = hashlib.sha256()
    with file.open("rb") as content:
        while block := content.read(BLOCK):
            sha.update(block)
    return sha.hexdigest()


def _stamps() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "autophagy" / "verified"


def source_of(repo: HubRepo) -> dict[str, str]:
    """Where `load_dataset` and `from_pretrained` read: a local copy, else the pinned commit on
    the Hub, as `path` and `revision`."""
    folder = copy_of(repo)
    if folder is not None:
        return {"path": str(folder)}
    if data_dir() is not None:
        raise InputError(absent([repo]))
    return {"path": repo.name, "revision": repo.revision}


def absent(repos: Sequence[HubRepo], why: str = "") -> str:
    """One sentence: what is missing on this machine, where, and how to get it."""
    own, names = data_dir(), ", the ".join(repo.title for repo in repos)
    how = f"run autophagy prefetch --suite {_suite_of(repos)}"
    if own is not None:
        return (
            f"{own} does not hold all of the {names}: {how} --data-dir {own} where the Hub can be "
            f"reached"
        )
    return (
        f"not on this machine, and {why}: the {names}; {how} where the Hub can be reached, or give "
        f"a folder of copies by --data-dir"
    )


def _suite_of(repos: Sequence[HubRepo]) -> str:
    """The first suite that needs all of them."""
    from benchmark.tasks.suites import SUITE_NAMES, load_suite

    wanted = {repo.name for repo in repos}
    suites = (name for name in SUITE_NAMES if wanted <= _names(load_suite(name).tasks))
    return next(suites, "standard")


def _names(tasks: Iterable[Task]) -> set[str]:
    return {repo.name for repo in repos_of(tasks)}


@contextmanager
def reading(repo: HubRepo) -> Iterator[dict[str, str]]:
    """`source_of(repo)`; what the libraries raise inside becomes one sentence.

    Raises:
        InputError: the repository cannot be had.
        CorruptFile: its files are not what they should be.
    """
    import datasets
    from safetensors import SafetensorError

    from benchmark.hub.trouble import TROUBLE, why

    datasets.disable_progress_bars()
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)
    where = source_of(repo)
    try:
        yield where
    except TROUBLE as error:
        raise InputError(absent([repo], why(error))) from error
    except (datasets.exceptions.DatasetsError, SafetensorError, KeyError, ValueError) as error:
        said = next(iter(str(error.__cause__ or error).splitlines()), type(error).__name__)
        raise CorruptFile(
            f"the {repo.title} cannot be read from {where['path']} ({said}): run autophagy "
            f"prefetch again, which checks every file"
        ) from error
    if "revision" in where:
        copy_of(repo)  # what was downloaded just now is checked, too


def file_of(repo: HubRepo, name: str) -> Path:
    """One file of the repository on this machine, downloaded if it is not there.

    Raises:
        InputError: it cannot be read.
    """
    from huggingface_hub import hf_hub_download

    with reading(repo) as where:
        if "revision" not in where:
            return Path(where["path"]) / name
        return Path(hf_hub_download(where["path"], name, revision=where["revision"]))
