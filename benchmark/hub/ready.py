"""Whether a run can have what its tasks need: asked once, before any lineage begins."""

from __future__ import annotations

from collections.abc import Iterable

from benchmark.basics.errors import InputError
from benchmark.hub.copies import absent, copy_of, data_dir
from benchmark.hub.repos import HubRepo, repos_of
from benchmark.tasks.task import Task

PATIENCE = 10  # seconds


def ready(tasks: Iterable[Task]) -> None:
    """Every repository is on this machine, or the Hub answers for it.

    Raises:
        InputError: one of them cannot be had: what is missing and how to get it.
        CorruptFile: a local copy is not the pinned one.
    """
    missing = [repo for repo in repos_of(tasks) if copy_of(repo) is None]
    if not missing:
        return
    if data_dir() is not None:
        raise InputError(absent(missing))
    _ask(missing)


def _ask(repos: list[HubRepo]) -> None:
    from huggingface_hub import HfApi

    from benchmark.hub.trouble import TROUBLE, why

    for repo in repos:
        kind = repo.kind.removesuffix("s")
        try:
            HfApi().repo_info(repo.name, revision=repo.revision, repo_type=kind, timeout=PATIENCE)
        except TROUBLE as error:
            raise InputError(absent(repos, why(error))) from error
