"""Opens the pull request on the results dataset: all that is sent anywhere is sent from here."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar
from urllib.parse import urlsplit

from benchmark.errors import InputError
from benchmark.submission.entry import Part
from benchmark.submission.sentences import TROUBLE, retry_after, sentence

if TYPE_CHECKING:
    from huggingface_hub import HfApi

PATIENCE = 3  # times that a rate limit is waited for
LONGEST = 300.0  # seconds that are waited at a time
REPO = r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}"

T = TypeVar("T")


@dataclass(frozen=True)
class Sent:
    """Where the submission is: a pull request just opened or open already, or merged before.

    `older` are open pull requests of the same entry with other content.
    """

    state: Literal["opened", "open", "merged"]
    url: str
    older: tuple[str, ...] = ()


def check_target(repo: str, endpoint: str | None) -> None:
    """Raises InputError if the names of dataset or Hub are not of the right form."""
    if not re.fullmatch(REPO, repo, re.ASCII):
        raise InputError(f"--repo {repo!r} is not the name of a dataset: give one like ORG/RESULTS")
    parts = urlsplit(endpoint or "https://h")
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise InputError(f"--endpoint {endpoint!r} is not an address: give one like https://HOST")


def send(
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
    from huggingface_hub import HfApi, get_token
    from huggingface_hub.utils import logging

    check_target(repo, endpoint)
    token = get_token()
    if token is None:
        raise InputError("there is no token for the Hub: run hf auth login, or set HF_TOKEN")
    level = logging.get_verbosity()
    logging.set_verbosity_error()  # what goes wrong is said once, below
    api = HfApi(endpoint=endpoint, token=token, library_name="autophagy-bench")
    try:
        return _patiently(lambda: _send(api, parts, title, repo), say)
    except TROUBLE as error:
        raise InputError(sentence(error, repo, api.endpoint)) from error
    finally:
        logging.set_verbosity(level)


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
    for part in parts:
        file, (blob, sha) = found[part.path], part.oids()
        if (file.lfs.sha256 if file.lfs else file.blob_id) != (sha if file.lfs else blob):
            return False
    return True


def _patiently(call: Callable[[], T], say: Callable[[str], None]) -> T:
    """`call()`, begun again after the time that a rate limit asks for, `PATIENCE` times."""
    for _ in range(PATIENCE):
        try:
            return call()
        except TROUBLE as error:
            seconds = retry_after(error)
            if seconds is None or seconds > LONGEST:
                raise
            say(f"The Hub asks to wait {seconds:.0f} s (rate limit).")
            time.sleep(seconds)
    return call()
