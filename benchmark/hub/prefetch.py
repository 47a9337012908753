"""Downloads what tasks need and checks it against the Hub's metadata at the pinned commits."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.hf_api import RepoFile

from benchmark.basics.errors import CorruptFile, InputError
from benchmark.hub.copies import data_dir, place, sha256_of
from benchmark.hub.repos import HubRepo
from benchmark.hub.trouble import TROUBLE, why

ROOM = 1.1  # of what is downloaded, for unfinished parts


@dataclass(frozen=True)
class Needed:
    """One file of a repository, as the Hub describes it; large files have a SHA-256."""

    repo: HubRepo
    path: str
    size: int
    sha256: str | None
    blob: str  # git's SHA-1, of other files

    @property
    def local(self) -> Path:
        """Where it lies, or would."""
        return place(self.repo) / self.path

    def is_here(self) -> bool:
        """Whether it is on this machine with the size and the content that it should have."""
        if not self.local.is_file() or self.local.stat().st_size != self.size:
            return False
        if self.sha256 is not None:
            return sha256_of(self.local) == self.sha256
        content = self.local.read_bytes()
        return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest() == self.blob


def needed(repos: Iterable[HubRepo]) -> list[Needed]:
    """The files of `repos`, from the Hub's metadata.

    Raises:
        InputError: the Hub does not answer for one of them.
        CorruptFile: the Hub names another content than the one that a task is pinned to.
    """
    return [file for repo in repos for file in _files(repo)]


def _files(repo: HubRepo) -> list[Needed]:
    kind = repo.kind.removesuffix("s")
    try:
        tree = HfApi().list_repo_tree(
            repo.name, recursive=True, revision=repo.revision, repo_type=kind
        )
        found = [
            Needed(repo, f.path, f.size, f.lfs.sha256 if f.lfs else None, f.blob_id)
            for f in tree
            if isinstance(f, RepoFile) and repo.wants(f.path)
        ]
    except TROUBLE as error:
        raise InputError(f"the {repo.title} cannot be listed: {why(error)}") from error
    pinned = dict(repo.sha256)
    for file in found:
        if pinned.pop(file.path, file.sha256) != file.sha256:
            raise CorruptFile(f"{file.path} of the {repo.title} is not the pinned one on this Hub")
    lacking = [glob for glob in repo.files if not any(fnmatch(f.path, glob) for f in found)]
    if lacking or pinned:
        names = ", ".join([*lacking, *pinned])
        raise InputError(f"the {repo.title} has no {names} on this Hub")
    return found


def download(files: Iterable[Needed]) -> None:
    """Fetch `files`; one that was interrupted goes on where it stopped.

    Raises:
        InputError: the Hub cannot be reached or the disk not be written, or there is no room.
        CorruptFile: what came is not what the Hub describes.
    """
    files = list(files)
    _check_room(files)
    for file in files:
        repo = file.repo
        try:
            HfApi().hf_hub_download(
                repo.name,
                file.path,
                revision=repo.revision,
                repo_type=repo.kind.removesuffix("s"),
                local_dir=None if data_dir() is None else place(repo),
                force_download=file.local.exists(),  # it is another one, or damaged
            )
        except TROUBLE as error:
            raise InputError(
                f"{file.path} of the {repo.title} was not downloaded ({why(error)}): run the same "
                f"command again, it goes on where it stopped"
            ) from error
        if not file.is_here():
            raise CorruptFile(f"{file.local} is not what the Hub describes: run the command again")


def _check_room(files: list[Needed]) -> None:
    wanted = ROOM * sum(file.size for file in files)
    folder = next((p for f in files for p in f.local.parents if p.is_dir()), Path())
    if wanted > (free := shutil.disk_usage(folder).free):
        raise InputError(
            f"{wanted / 1e6:,.0f} MB are needed in {folder}, {free / 1e6:,.0f} MB are free: make "
            f"room or choose another --data-dir"
        )
