"""Copies of repositories on this machine: a folder in the Hub's layout, or the Hub's own cache."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmark.basics.errors import CorruptFile, InputError
from benchmark.basics.files import write_bytes
from benchmark.hub.repos import HubRepo

PART = re.compile(r"(.*)-\d{5}-of-(\d{5})(.*)")  # an ending may hold a hash of the part's own
VARIABLE = "AUTOPHAGY_DATA"  # workers inherit it
PATIENCE = 10  # seconds that a Hub may take to say whether it has a repository


def find_data_dir() -> Path | None:
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


def locate_copy(repo: HubRepo) -> Path:
    """Where the repository's files lie on this machine, or would."""
    own = find_data_dir()
    if own is not None:
        return own / repo.kind / repo.name
    from huggingface_hub import constants

    folder = f"{repo.kind}--{repo.name.replace('/', '--')}"
    return Path(constants.HF_HUB_CACHE) / folder / "snapshots" / repo.revision


def find_copy(repo: HubRepo) -> Path | None:
    """The folder with all of the repository's files, checked; None if one of them is absent.

    Raises:
        CorruptFile: a file is not the pinned one.
    """
    if list_missing(repo):
        return None
    folder = locate_copy(repo)
    for name, expected in repo.sha256:
        check_copy(folder / name, expected)
    return folder


def list_missing(repo: HubRepo) -> list[str]:
    """Paths in the repository, or globs, of what is read of it and is not on this machine: what it
    names, and the other parts of a file in several (`-00000-of-00002`)."""
    folder = locate_copy(repo)
    found = {pattern: _list_files(folder, pattern) for pattern in repo.files}
    missing = [pattern for pattern, files in found.items() if not files]
    missing += [name for name, _ in repo.sha256 if not (folder / name).is_file()]
    for part in filter(None, (PART.fullmatch(name) for files in found.values() for name in files)):
        before, count, ending = part.groups()
        for i in range(int(count)):
            name = f"{before}-{i:05d}-of-{count}"
            if repo.wants(name + ending) and not _list_files(folder, name + "*"):
                missing.append(name + (ending if ending.startswith(".") else "*"))
    return list(dict.fromkeys(missing))


def _list_files(folder: Path, pattern: str) -> list[str]:
    """Relative paths; a link to nothing, as in a cache that was cut short, is no file."""
    files = sorted(file for file in folder.glob(pattern) if file.is_file())
    return [file.relative_to(folder).as_posix() for file in files]


def check_copy(file: Path, expected: str) -> None:
    """Raises CorruptFile unless the file has this SHA-256; asked once for the same file."""
    status = file.resolve().stat()
    key = f"{file.resolve()}|{status.st_size}|{status.st_mtime_ns}"
    stamp = _stamps() / hashlib.sha256(key.encode()).hexdigest()[:32]
    with suppress(OSError, ValueError):  # one that is damaged is written anew
        if json.loads(stamp.read_text("utf-8")) == expected:
            return
    found = hash_file(file)
    if found != expected:
        raise CorruptFile(
            f"{file} has SHA-256 {found[:12]}..., the task needs {expected[:12]}...: delete it "
            f"and run autophagy prefetch again"
        )
    with suppress(InputError):  # a home that cannot be written costs time only
        write_bytes(stamp, json.dumps(expected).encode())


def hash_file(file: Path) -> str:
    """SHA-256 of a file's content."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def describe_files(repo: HubRepo, where: dict[str, str]) -> str:
    """What tells the files that `open_repo` gave from any others, for keys of caches: the pinned
    commit, or name, size and time of change of each local file."""
    if "revision" in where:
        return f"{repo.name}@{where['revision']}"
    files = sorted(f for pattern in repo.files for f in Path(where["path"]).glob(pattern))
    return "|".join(f"{f.resolve()}|{f.stat().st_size}|{f.stat().st_mtime_ns}" for f in files)


def find_home() -> Path:
    """This user's folder of what can be made again."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "autophagy"


def _stamps() -> Path:
    return find_home() / "verified"


def find_source(repo: HubRepo) -> dict[str, str]:
    """Where `load_dataset` and `from_pretrained` read: a local copy, else the pinned commit on
    the Hub, as `path` and `revision`."""
    folder = find_copy(repo)
    if folder is not None:
        return {"path": str(folder)}
    if find_data_dir() is not None:
        raise InputError(describe_absence([repo]))
    return {"path": repo.name, "revision": repo.revision}


def describe_absence(repos: Sequence[HubRepo], why: str = "", suite: str = "") -> str:
    """One sentence: what is missing on this machine, where, and how to get it.

    Args:
        why: the Hub does not give it, where it was asked.
        suite: that needs it, where that is known.
    """
    missing = {repo.title: list_missing(repo)[:1] for repo in repos}
    named = [f"{title} (no {one[0]})" if one else title for title, one in missing.items()]
    own, names = find_data_dir(), ", the ".join(named)
    how = f"run autophagy prefetch --suite {suite or 'SUITE'}"
    if own is not None:
        return (
            f"{own} does not hold all of the {names}: {how} --data-dir {own} where the Hub can be "
            f"reached"
        )
    return (
        f"not on this machine, and {why}: the {names}; {how} where the Hub can be reached, or give "
        f"a folder of copies by --data-dir"
    )


def check_reachable(repos: Iterable[HubRepo], suite: str) -> None:
    """Every repository is on this machine, or the Hub answers for it: asked once, before a run.

    Raises:
        InputError: one of them cannot be had: what is missing and how to get it.
        CorruptFile: a local copy is not the pinned one.
    """
    missing = [repo for repo in repos if find_copy(repo) is None]
    if missing and find_data_dir() is not None:
        raise InputError(describe_absence(missing, suite=suite))
    for repo in missing:
        from huggingface_hub import HfApi

        from benchmark.hub.connection import check_address
        from benchmark.hub.trouble import NO_HUB, TROUBLE, describe_trouble

        check_address()
        try:
            HfApi().repo_info(
                repo.name, revision=repo.revision, repo_type=repo.type, timeout=PATIENCE
            )
        except (*TROUBLE, *NO_HUB) as error:
            raise InputError(describe_absence(missing, describe_trouble(error), suite)) from error


@contextmanager
def open_repo(repo: HubRepo) -> Iterator[dict[str, str]]:
    """`find_source(repo)`; what the libraries raise inside becomes one sentence.

    Raises:
        InputError: the repository cannot be had.
        CorruptFile: its files are not what they should be.
    """
    import datasets
    from safetensors import SafetensorError

    from benchmark.hub.trouble import TROUBLE, describe_trouble

    datasets.disable_progress_bars()
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)
    where = find_source(repo)
    try:
        yield where
    except TROUBLE as error:
        raise InputError(describe_absence([repo], describe_trouble(error))) from error
    except (datasets.exceptions.DatasetsError, SafetensorError, KeyError, ValueError) as error:
        said = next(iter(str(error.__cause__ or error).splitlines()), type(error).__name__)
        raise CorruptFile(
            f"the {repo.title} cannot be read from {where['path']} ({said}): run autophagy "
            f"prefetch again, which checks every file"
        ) from error
    if "revision" in where:
        find_copy(repo)  # what was downloaded just now is checked, too


def fetch_file(repo: HubRepo, name: str) -> Path:
    """One file of the repository on this machine, downloaded if it is not there.

    Raises:
        InputError: it cannot be read.
    """
    from huggingface_hub import hf_hub_download

    with open_repo(repo) as where:
        if "revision" not in where:
            return Path(where["path"]) / name
        return Path(hf_hub_download(where["path"], name, revision=where["revision"]))
