"""What a test needs of the system, and the packages that bring it."""

import shutil

import pytest

CHROMIUM = shutil.which("chromium")

needs_bubblewrap = pytest.mark.skipif(
    shutil.which("bwrap") is None,
    reason="bubblewrap is not installed (apt-get install bubblewrap)",
)
