"""What went wrong between here and a Hub: in a clause where files are read, in a sentence that says
what to do where something is sent."""

from __future__ import annotations

import errno
from dataclasses import dataclass

import httpx2
from huggingface_hub import constants
from huggingface_hub.errors import (
    DryRunError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
)

TROUBLE = (HfHubHTTPError, httpx2.HTTPError, OSError)
NO_HUB = (RuntimeError, ValueError, KeyError, TypeError)  # raised where what answers is no Hub
WRAPPERS = (RuntimeError, DryRunError, LocalEntryNotFoundError)
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)  # what only a disk says, even without a name
AGAIN = "nothing is lost: run the same command again"
DEFAULT_WAIT = 60.0  # seconds, where a rate limit does not say


@dataclass(frozen=True)
class Purpose:
    """What was to be done with which repository; without more, a submission.

    Attributes:
        kind: what the repository is.
        option: of the command, which named it.
        what: is sent.
        act: what the token must be allowed to do.
        kept: what comes of it if the answer is lost.
    """

    repo: str
    kind: str = "dataset"
    option: str = "--repo"
    what: str = "submission"
    act: str = "open a pull request on"
    kept: str = "a pull request that was opened nevertheless is found"


def describe_trouble(error: BaseException, endpoint: str | None = None) -> str:
    """A clause about `error`, which came up while speaking with the Hub at `endpoint`."""
    error, endpoint = _root(error), endpoint or constants.ENDPOINT
    if isinstance(error, OfflineModeIsEnabled) or constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE is set"
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        if status in (401, 403, 404):
            return f"{endpoint} does not show it (status {status})"
        return f"{endpoint} answers with status {status}"
    if isinstance(error, httpx2.HTTPError | OSError):
        return _describe_disk(error) or f"{endpoint} cannot be reached"
    return f"{endpoint} does not answer as a Hub does"


def advise_sender(error: BaseException, purpose: Purpose, endpoint: str) -> str:
    """One sentence about `error`, which prevented `purpose`."""
    said, error = describe_trouble(error, endpoint), _root(error)
    if isinstance(error, OfflineModeIsEnabled):
        return f"{said}, so nothing can be sent: unset it and run the same command"
    if isinstance(error, HfHubHTTPError):
        return _advise_on_status(error, purpose, endpoint)
    if isinstance(error, httpx2.ConnectError):
        return f"{said}: check the network; {AGAIN}"
    if isinstance(error, httpx2.TimeoutException):
        return f"{endpoint} took too long to answer; {AGAIN}"
    if _describe_disk(error):
        return f"{said}; {AGAIN}"
    if isinstance(error, httpx2.HTTPError | OSError):
        return f"the connection to {endpoint} broke off; {AGAIN} ({purpose.kept})"
    return f"{said}: check --endpoint; {AGAIN}"


def find_wait(error: BaseException) -> float | None:
    """Seconds to wait if `error` is a rate limit, else None."""
    error = _root(error)
    if not isinstance(error, HfHubHTTPError) or error.response.status_code != 429:
        return None
    try:
        return max(0.0, float(error.response.headers.get("Retry-After", DEFAULT_WAIT)))
    except ValueError:  # a date: not worth reading
        return DEFAULT_WAIT


def _describe_disk(error: BaseException) -> str:
    """A clause about a file or folder of this machine, "" where the trouble is not with one."""
    if not isinstance(error, OSError) or error.errno is None:
        return ""
    if error.errno in FULL:
        where = error.filename or "to the disk"
        return f"cannot write {where}: {error.strerror}; make room or choose another folder"
    if error.filename is None:
        return ""
    return (
        f"cannot use {error.filename}: {error.strerror}; see that you may read and write it, or "
        f"choose another folder"
    )


def _root(error: BaseException) -> BaseException:
    """What the client's wrapper was raised from."""
    while type(error) in WRAPPERS and error.__cause__ is not None:
        error = error.__cause__
    return error


def _advise_on_status(error: HfHubHTTPError, purpose: Purpose, endpoint: str) -> str:
    repo, kind = purpose.repo, purpose.kind
    status = error.response.status_code
    of_token = error.response.request.url.path.endswith("/whoami-v2")
    if status == 401 and of_token:
        return f"{endpoint} does not accept the token: run hf auth login, or set a valid HF_TOKEN"
    if status in (401, 404):
        return (
            f"there is no {kind} {repo} at {endpoint}, or the token may not see it: check "
            f"{purpose.option} and the token"
        )
    if status == 403:
        return (
            f"the token may not {purpose.act} {repo}: make one with write permission "
            f"for it at {endpoint}/settings/tokens"
        )
    if status in (409, 412):
        return f"{repo} was changed at the same moment; {AGAIN}"
    if status == 413:
        return f"{endpoint} finds the {purpose.what} too large for {repo}: ask its maintainer"
    if status == 429:
        return f"{endpoint} limits the rate of requests: wait some minutes; {AGAIN}"
    if status >= 500:
        return f"{endpoint} has a problem of its own (status {status}); {AGAIN}"
    said = " ".join((error.server_message or "no reason given").split())[:200]
    return f"{endpoint} refused the {purpose.what} (status {status}: {said})"
