"""What the Space runs: the page over the results dataset named by RESULTS_DATASET.

Without that variable it shows the results that lie beside it.
"""

from __future__ import annotations

import os

from leaderboard.board.source import BoardSource
from leaderboard.page.page import serve_page

if __name__ == "__main__":
    serve_page(
        BoardSource(repo=os.environ.get("RESULTS_DATASET") or None),
        host=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"),
        port=int(os.environ.get("GRADIO_SERVER_PORT", "7860")),
    )
