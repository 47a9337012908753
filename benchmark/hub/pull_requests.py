"""Opens the pull request on the results dataset: all that is sent anywhere is sent from here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from benchmark.hub.connection import ask_hub
from benchmark.hub.parts import Part
from benchmark.hub.trouble import Purpose

if TYPE_CHECKING:
    from huggingface_hub import HfApi


@dataclass(frozen=True)
class Sent:
    """Where the submission is: a pull request just opened or open already, or merged before.

    `older` are open pull requests of the same entry with other content.
    """

    state: Literal["opened", "open", "merged"]
    url: str
    older: tuple[str, ...] = ()


def send_parts(
    parts: Sequence[Part],
    title: str,
    repo: str,
    endpoint: str | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Sent:
    """Open a pull request with `parts` as its one commit, unless one with the same is open.

    Args:
        title: of the pull request; the same for every version of an entry.
        say: told when a rate limit is waited for.

    Raises:
        InputError: whatever prevents it, as one sentence. Nothing is half sent: repeat it.
    """
    return ask_hub(lambda api: _send(api, parts, title, repo), Purpose(repo), endpoint, say)


def _send(api: HfApi, parts: Sequence[Part], title: str, repo: str) -> Sent:
    from huggingface_hub import CommitOperationAdd

    me = api.whoami()["name"]
    api.dataset_info(repo)
    older = []
    requests = api.get_repo_discussions(
        repo,
        repo_type="dataset",
        author=me,
        discussion_type="pull_request",
        discussion_status="open",
    )
    for request in requests:
        if request.title != title:
            continue
        if _holds(api, parts, repo, f"refs/pr/{request.num}"):
            return Sent("open", request.url)
        older.append(request.url)
    files = [CommitOperationAdd(part.path, part.content) for part in parts]
    commit = api.create_commit(
        repo, files, commit_message=title, repo_type="dataset", create_pr=True
    )
    if commit.pr_url is None:  # every file is there already
        return Sent("merged", commit.commit_url)
    return Sent("opened", commit.pr_url, tuple(older))


def _holds(api: HfApi, parts: Sequence[Part], repo: str, revision: str) -> bool:
    """Whether all parts are at `revision`, with the same content."""
    from huggingface_hub import RepoFile

    paths = [part.path for part in parts]
    there = api.get_paths_info(repo, paths, repo_type="dataset", revision=revision)
    found = {f.path: f for f in there if isinstance(f, RepoFile)}
    if any(path not in found for path in paths):
        return False
    return all(part.is_in(found[part.path]) for part in parts)
