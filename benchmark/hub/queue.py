"""Reads pull requests of the results dataset, at a fixed revision, and comments on them."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.basics.errors import InputError
from benchmark.hub.connection import ask_hub
from benchmark.hub.trouble import Purpose

if TYPE_CHECKING:
    from huggingface_hub import HfApi

Say = Callable[[str], None]


class UnfitRequest(InputError):
    """What is wrong is one pull request, not the Hub or the dataset: others can be looked at."""


@dataclass(frozen=True)
class OpenRequest:
    """A pull request that nobody has merged or closed."""

    num: int
    title: str
    author: str
    created: datetime.datetime
    url: str


@dataclass(frozen=True)
class Changes:
    """What a pull request would do to the dataset.

    Attributes:
        revision: the commit that all of this is said of.
        there: path -> bytes of every file at this revision.
        changed: paths that are added, changed or deleted since it left the main branch.
        clashing: those of them that the main branch has changed meanwhile, too.
        known: paths that the main branch has.
    """

    revision: str
    there: dict[str, int]
    changed: tuple[str, ...]
    clashing: tuple[str, ...]
    known: frozenset[str]


def list_requests(
    repo: str, endpoint: str | None = None, say: Say = lambda text: None
) -> list[OpenRequest]:
    """The open pull requests of a dataset, the oldest first.

    Raises:
        InputError: whatever prevents it, as one sentence.
    """

    def read(api: HfApi) -> list[OpenRequest]:
        api.dataset_info(repo)
        found = api.get_repo_discussions(
            repo, repo_type="dataset", discussion_type="pull_request", discussion_status="open"
        )
        return [OpenRequest(r.num, r.title, r.author, r.created_at, r.url) for r in found]

    return sorted(ask_hub(read, _purpose(repo), endpoint, say), key=lambda request: request.num)


def find_changes(
    repo: str, num: int, endpoint: str | None = None, say: Say = lambda text: None
) -> Changes:
    """What the pull request `num` changes, compared with where it left the main branch.

    Raises:
        UnfitRequest: there is no such pull request, or none that belongs to the dataset.
        InputError: whatever else prevents it.
    """

    def read(api: HfApi) -> Changes:
        from huggingface_hub.errors import RevisionNotFoundError

        main = api.dataset_info(repo).sha
        assert main is not None
        try:
            own = api.dataset_info(repo, revision=f"refs/pr/{num}").sha
            assert own is not None
            base = _find_base(api, repo, own, main)
            before, after, now = (_list_files(api, repo, sha) for sha in (base, own, main))
        except RevisionNotFoundError as error:
            known = "autophagy queue lists the open ones"
            raise UnfitRequest(f"{repo} has no pull request {num}: {known}") from error
        changed = _differ(before, after)
        clashing = {path for path in _differ(before, now) if now.get(path) != after.get(path)}
        there = {path: size for path, (_, size) in after.items()}
        both = tuple(path for path in changed if path in clashing)
        return Changes(own, there, changed, both, frozenset(now))

    return ask_hub(read, _purpose(repo), endpoint, say)


def fetch_revision(
    repo: str,
    revision: str,
    paths: Sequence[str],
    folder: Path,
    endpoint: str | None = None,
    say: Say = lambda text: None,
) -> None:
    """Put the files at `paths` of that revision, and no others, into `folder`, by their paths.

    Raises:
        UnfitRequest: the revision or one of the files is gone.
        InputError: whatever else prevents it, as one sentence.
    """

    def fetch(api: HfApi) -> None:
        from huggingface_hub.errors import RemoteEntryNotFoundError, RevisionNotFoundError

        try:
            with _without_bars():
                api.snapshot_download(
                    repo, repo_type="dataset", revision=revision, local_dir=folder,
                    allow_patterns=list(paths),
                )  # fmt: skip
        except (RemoteEntryNotFoundError, RevisionNotFoundError) as error:
            gone = f"files of commit {revision[:12]} are not in {repo} any more"
            raise UnfitRequest(f"{gone}: run the same command again") from error

    ask_hub(fetch, _purpose(repo), endpoint, say)
    # The client is content with what an earlier call left in the folder, if the Hub fails it.
    if lost := [path for path in paths if not (folder / path).is_file()]:
        raise InputError(f"the Hub did not send {lost[0]} of {repo}: run the same command again")


def send_comment(
    repo: str, num: int, text: str, endpoint: str | None = None, say: Say = lambda text: None
) -> str:
    """Write `text` below the pull request; returns its address.

    Raises:
        InputError: whatever prevents it, as one sentence.
    """
    purpose = Purpose(repo, what="comment", act="comment on", kept="look there before repeating it")

    def send(api: HfApi) -> str:
        api.comment_discussion(repo, num, text, repo_type="dataset")
        return f"{api.endpoint}/datasets/{repo}/discussions/{num}"

    return ask_hub(send, purpose, endpoint, say)


@contextmanager
def _without_bars() -> Iterator[None]:
    """Inside, downloads draw no bars: what takes time is said by who asks."""
    from huggingface_hub.utils import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    were_off = are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if not were_off:
            enable_progress_bars()


def _purpose(repo: str) -> Purpose:
    return Purpose(repo, what="question", act="read", kept="nothing was changed")


def _find_base(api: HfApi, repo: str, own: str, main: str) -> str:
    """The newest commit that both branches have."""
    commits = [
        [commit.commit_id for commit in api.list_repo_commits(repo, repo_type="dataset",
                                                              revision=sha)]
        for sha in (own, main)
    ]  # fmt: skip
    known = set(commits[1])
    base = next((commit for commit in commits[0] if commit in known), None)
    if base is None:
        raise UnfitRequest(f"the pull request has no commit in common with {repo}: close it")
    return base


Files = dict[str, tuple[str, int]]  # by path: what the Hub names the content by, and its bytes


def _list_files(api: HfApi, repo: str, revision: str) -> Files:
    from huggingface_hub import RepoFile

    tree = api.list_repo_tree(repo, recursive=True, repo_type="dataset", revision=revision)
    return {file.path: (file.blob_id, file.size) for file in tree if isinstance(file, RepoFile)}


def _differ(one: Files, other: Files) -> tuple[str, ...]:
    """Paths whose content is not the same in both."""
    return tuple(sorted(p for p in one.keys() | other.keys() if one.get(p) != other.get(p)))
