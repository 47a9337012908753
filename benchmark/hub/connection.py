"""Speaking with a Hub: names are checked, rate limits waited for, trouble said in one sentence."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from benchmark.basics.errors import InputError
from benchmark.hub.trouble import NO_HUB, TROUBLE, Purpose, advise_sender, find_wait

if TYPE_CHECKING:
    from huggingface_hub import HfApi

PATIENCE = 3  # times that a rate limit is waited for
LONGEST = 300.0  # seconds that are waited at a time
REPO = r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}"

T = TypeVar("T")


def check_target(purpose: Purpose, endpoint: str | None) -> None:
    """Raises InputError if the names of repository or Hub are not of the right form."""
    if not re.fullmatch(REPO, purpose.repo, re.ASCII):
        raise InputError(
            f"{purpose.option} {purpose.repo!r} is not the name of a {purpose.kind}: give one like "
            f"ORG/NAME"
        )
    check_address(endpoint)


def check_address(endpoint: str | None = None) -> None:
    """Raises InputError unless the Hub's address, without `endpoint` that of HF_ENDPOINT, is one.
    What the clients raise of others is of many kinds."""
    from huggingface_hub import constants

    text, given = endpoint or constants.ENDPOINT, "--endpoint" if endpoint else "HF_ENDPOINT"
    try:
        parts = urlsplit(text)
        known = parts.scheme in ("http", "https") and parts.hostname
        _ = parts.port
    except ValueError:
        known = None
    if not known or not re.fullmatch(r"[!-~]+", text):
        raise InputError(f"{given} {text!r} is not an address: give one like https://HOST")


def ask_hub(
    call: Callable[[HfApi], T],
    purpose: Purpose,
    endpoint: str | None = None,
    say: Callable[[str], None] = lambda text: None,
    token: str | None = None,
) -> T:
    """`call(api)` with the user's token, begun again after each rate limit.

    Args:
        say: told when a rate limit is waited for.
        token: in place of HF_TOKEN or that of `hf auth login`.

    Raises:
        InputError: whatever prevents it, as one sentence.
    """
    from huggingface_hub import HfApi, get_token
    from huggingface_hub.utils import logging

    check_target(purpose, endpoint)
    token = token or get_token()
    if token is None:
        raise InputError("there is no token for the Hub: run hf auth login, or set HF_TOKEN")
    level = logging.get_verbosity()
    logging.set_verbosity_error()  # what goes wrong is said once, below
    api = HfApi(endpoint=endpoint, token=token, library_name="autophagy-bench")
    try:
        return _patiently(lambda: call(api), say)
    except (*TROUBLE, *NO_HUB) as error:
        raise InputError(advise_sender(error, purpose, api.endpoint)) from error
    finally:
        logging.set_verbosity(level)


def _patiently(call: Callable[[], T], say: Callable[[str], None]) -> T:
    """`call()`, begun again after the time that a rate limit asks for, `PATIENCE` times."""
    for _ in range(PATIENCE):
        try:
            return call()
        except (*TROUBLE, *NO_HUB) as error:
            seconds = find_wait(error)
            if seconds is None or seconds > LONGEST:
                raise
            say(f"The Hub asks to wait {seconds:.0f} s (rate limit).")
            time.sleep(seconds)
    return call()
