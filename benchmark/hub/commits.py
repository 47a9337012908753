"""Makes a repository on a Hub hold certain files, by one commit or by none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmark.hub.parts import Part

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationCopy, HfApi

UNTOUCHED = (".gitattributes",)  # the Hub's own


@dataclass(frozen=True)
class Stored:
    """What one commit did; nothing if both numbers are 0, and then there was none."""

    url: str
    written: int
    deleted: int


def create_repo(api: HfApi, repo: str, kind: str) -> str | None:
    """Create a repository unless it is there, and return its newest revision.

    A token that may write to it need not be allowed to create others, so this is asked first.
    """
    if not api.repo_exists(repo, repo_type=kind):
        sdk = "gradio" if kind == "space" else None
        api.create_repo(repo, repo_type=kind, space_sdk=sdk, exist_ok=True)
    return api.repo_info(repo, repo_type=kind).sha


def mirror_files(
    api: HfApi,
    repo: str,
    kind: str,
    parts: Sequence[Part],
    title: str,
    revision: str | None,
    only: str | re.Pattern[str] | None = None,
) -> Stored:
    """Commit those of `parts` that differ.

    Args:
        kind: "space" or "dataset".
        revision: what the commit must follow directly; the Hub refuses it (412) after another.
        only: delete all other files whose whole path it matches.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, RepoFile
    from huggingface_hub.constants import REPO_TYPES_URL_PREFIXES

    tree = api.list_repo_tree(repo, recursive=True, repo_type=kind, revision=revision)
    there = {file.path: file for file in tree if isinstance(file, RepoFile)}
    kept = {part.path for part in parts} | set(UNTOUCHED)
    added = [
        CommitOperationAdd(part.path, part.content)
        for part in parts
        if part.path not in there or not part.is_in(there[part.path])
    ]
    gone = [
        CommitOperationDelete(path)
        for path in there
        if only is not None and path not in kept and re.fullmatch(only, path)
    ]
    if added or gone:
        operations: list[CommitOperationAdd | CommitOperationCopy | CommitOperationDelete]
        operations = [*added, *gone]
        api.create_commit(
            repo, operations, commit_message=title, repo_type=kind, parent_commit=revision
        )
    return Stored(f"{api.endpoint}/{REPO_TYPES_URL_PREFIXES[kind]}{repo}", len(added), len(gone))
