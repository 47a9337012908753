"""Why something could not be had from the Hub, in a few words."""

from __future__ import annotations

import httpx2
from huggingface_hub import constants
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

TROUBLE = (HfHubHTTPError, httpx2.HTTPError, OSError)


def why(error: BaseException) -> str:
    """A clause about `error`, one of `TROUBLE`."""
    if isinstance(error, OfflineModeIsEnabled) or constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE is set"
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        if status in (401, 403, 404):
            return f"{constants.ENDPOINT} does not show it (status {status})"
        return f"{constants.ENDPOINT} answers with status {status}"
    if isinstance(error, OSError) and error.errno is not None and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return f"{constants.ENDPOINT} cannot be reached"
