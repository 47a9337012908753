"""The board's tests have references of their own: whatever is measured, they stay the same."""

from __future__ import annotations

import pytest

from tests.board import toys


@pytest.fixture(scope="module")
def frozen(tmp_path_factory):
    """The folder of frozen toy references, until the module's tests are over."""
    with toys.frozen(tmp_path_factory.mktemp("frozen")) as folder:
        yield folder
