"""Downloads what tasks need and checks it against the Hub's checksums at the pinned commits."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, RepoFile
from huggingface_hub.utils import logging, tqdm

from benchmark.basics.errors import CorruptFile, InputError
from benchmark.hub.connection import check_address
from benchmark.hub.copies import find_data_dir, locate_copy
from benchmark.hub.repos import HubRepo
from benchmark.hub.trouble import NO_HUB, TROUBLE, describe_trouble

ROOM = 1.1  # of what is downloaded, for unfinished parts


@dataclass(frozen=True)
class Needed:
    """One file of a repository; `here` if it lies on this machine as the Hub describes it."""

    repo: HubRepo
    path: str
    size: int
    here: bool


class _Silent(tqdm):  # a listing is over before its bar is read
    def __init__(self, *words: Any, **named: Any) -> None:
        super().__init__(*words, **(named | {"disable": True}))


def list_needed(repos: Iterable[HubRepo]) -> list[Needed]:
    """The files of `repos`, from the Hub's metadata. Copies that differ from it are deleted.

    Raises:
        InputError: the Hub does not answer for one of them.
        CorruptFile: the Hub names another content than the one that a task is pinned to.
    """
    return [file for repo in repos for file in _list_files(repo)]


def _list_files(repo: HubRepo) -> list[Needed]:
    with _asking(f"the {repo.title} cannot be listed ({{}})"):
        _check_pinned(repo)
        for copy in _find_damaged(repo):
            for file in {copy, copy.resolve()}:  # in the Hub's cache a link and a blob
                file.unlink()
        found = _snapshot(repo)(dry_run=True, tqdm_class=_Silent)
    lacking = [glob for glob in repo.files if not any(fnmatch(f.filename, glob) for f in found)]
    if lacking:
        raise InputError(f"the {repo.title} has no {', '.join(lacking)} on this Hub")
    files = [
        Needed(repo, f.filename, f.file_size or 0, (locate_copy(repo) / f.filename).is_file())
        for f in found
    ]
    return sorted(files, key=lambda file: file.path)


def download_needed(files: Iterable[Needed]) -> None:
    """Fetch those of `files` that are not here; what was interrupted goes on where it stopped.

    Raises:
        InputError: the Hub cannot be reached or the disk not be written, or there is no room.
        CorruptFile: what came is not what the Hub describes.
    """
    left = [file for file in files if not file.here]
    _check_room(left)
    for repo in dict.fromkeys(file.repo for file in left):
        again = "run the same command again, it goes on where it stopped"
        with _asking(f"the {repo.title} was not downloaded ({{}}): {again}"):
            _snapshot(repo)()
            damaged = _find_damaged(repo)
        absent = [
            f.path for f in left if f.repo == repo and not (locate_copy(repo) / f.path).is_file()
        ]
        if damaged or absent:
            raise CorruptFile(f"{locate_copy(repo)} is not what the Hub describes: {again}")


def _snapshot(repo: HubRepo) -> Callable[..., Any]:
    return partial(
        HfApi().snapshot_download,
        repo.name,
        repo_type=repo.type,
        revision=repo.revision,
        allow_patterns=list(repo.files),
        local_dir=None if find_data_dir() is None else locate_copy(repo),
    )


def _check_pinned(repo: HubRepo) -> None:
    """Raises CorruptFile unless the Hub has the very files that the task is pinned to."""
    if not repo.sha256:
        return
    there = HfApi().get_paths_info(
        repo.name, [path for path, _ in repo.sha256], revision=repo.revision, repo_type=repo.type
    )
    found = {f.path: f.lfs.sha256 for f in there if isinstance(f, RepoFile) and f.lfs}
    for path, expected in repo.sha256:
        if found.get(path) != expected:
            raise CorruptFile(f"{path} of the {repo.title} is not the pinned one on this Hub")


def _find_damaged(repo: HubRepo) -> list[Path]:
    """Copies on this machine with another content than the Hub's."""
    if not locate_copy(repo).is_dir():
        return []
    found = HfApi().verify_repo_checksums(
        repo.name, repo_type=repo.type, revision=repo.revision, local_dir=locate_copy(repo)
    )
    return [
        locate_copy(repo) / other["path"] for other in found.mismatches if repo.wants(other["path"])
    ]


@contextmanager
def _asking(said: str) -> Iterator[None]:
    """What goes wrong inside is said once: `said` with the trouble in its place."""
    check_address()
    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    except (*TROUBLE, *NO_HUB) as error:
        raise InputError(said.format(describe_trouble(error))) from error
    finally:
        logging.set_verbosity(level)


def _check_room(files: list[Needed]) -> None:
    wanted = ROOM * sum(file.size for file in files)
    folders = (p for f in files for p in locate_copy(f.repo).parents if p.is_dir())
    folder = next(folders, Path())
    if wanted > (free := shutil.disk_usage(folder).free):
        raise InputError(
            f"{wanted / 1e6:,.0f} MB are needed in {folder}, {free / 1e6:,.0f} MB are free: make "
            f"room or choose another --data-dir"
        )
