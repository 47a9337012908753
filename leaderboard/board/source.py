"""Where results come from: a dataset on the Hub, or the copy that came with the page."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.hub.trouble import NO_HUB, TROUBLE, describe_trouble
from leaderboard.board.entries import Board, Show, read_board
from leaderboard.board.filters import list_task_choices
from leaderboard.board.table import make_frame

HERE = Path(__file__).parents[1]  # holds results/, submissions/ and so on, as the dataset does
READ = ("results/**", "submissions/**", "references/**", "gallery/**")  # no samples, no models


@dataclass(frozen=True)
class _Place:
    """A folder of results; `date` is when the newest of them was put there, if that is known."""

    root: Path
    name: str
    date: datetime.datetime | None = None


class BoardSource:
    """The current board, and a way to renew it while readers look at the old one.

    Args:
        root: results to fall back to, or to show where there is no dataset.
        repo: the results dataset, ORG/NAME; None shows `root`.
        endpoint: of the Hub; None is the usual one.
        own: results that are only previewed.
        show: makes galleries of what their runs kept.

    Raises:
        InputError: one of `own` cannot be shown.
        CorruptFile: likewise.
    """

    def __init__(
        self,
        root: Path = HERE,
        repo: str | None = None,
        endpoint: str | None = None,
        own: Sequence[Path] = (),
        show: Show | None = None,
    ) -> None:
        self._root, self._repo, self._endpoint = root, repo, endpoint
        self._own, self._show = tuple(own), show
        self._trouble = ""
        self._renewing = threading.Lock()
        self._board: Board | None = None
        self._place = self._find() or _Place(root, "the results that came with this page")
        self._board = self._read(self._place)

    @property
    def trouble(self) -> str:
        """Why the dataset could not be read, "" if it could."""
        return self._trouble

    def board(self) -> Board:
        """The board as it was read last."""
        assert self._board is not None
        return self._board

    def refresh(self) -> None:
        """Read the results again. When that fails, the last board stays and `origin` says so."""
        if not self._renewing.acquire(blocking=False):
            return
        try:
            found = self._find()
            if found is not None and found != self._place:
                self._board, self._place = self._read(found), found
        finally:
            self._renewing.release()

    def origin(self) -> str:
        """One sentence: which results these are, how old, and why not those of the dataset."""
        now = datetime.datetime.now(datetime.UTC).isoformat()  # a later date is a wrong clock's
        created = (e.created for of in self.board().entries.values() for e in of if not e.reference)
        newest = max((date for date in created if date <= now), default="")
        words = f"Shown: {self._place.name}"
        if self._place.date is not None:
            words += f", changed {_ago(self._place.date)}"
        words += f"; the newest result is of {newest[:10]}." if newest else "; there is none."
        return f"{words} {self._trouble}".rstrip()

    def _read(self, place: _Place) -> Board:
        """Its board. Of a dataset that anybody may send to, only the results are read: how far
        they are trusted is said by the findings that came with this page."""
        findings = self._root if place.root != self._root else None
        return _rank_all(read_board(place.root, self._own, findings, self._show))

    def _find(self) -> _Place | None:
        """The dataset's newest revision, fetched if need be; None if it cannot be had."""
        if self._repo is None:
            return None
        from huggingface_hub import HfApi, snapshot_download

        repo = self._repo
        api = HfApi(endpoint=self._endpoint, library_name="autophagy-bench")

        def fetched(here: bool) -> Path:
            found = snapshot_download(
                repo,
                repo_type="dataset",
                allow_patterns=list(READ),
                endpoint=self._endpoint,
                local_files_only=here,
            )
            return Path(found)

        try:
            info = api.dataset_info(repo)
            root = fetched(here=False)
        except (*TROUBLE, *NO_HUB) as error:
            said = describe_trouble(error, self._endpoint)
            self._trouble = f"The dataset {repo} cannot be read now ({said})."
            if self._board is not None:
                return None
            try:
                root = fetched(here=True)
            except (*TROUBLE, *NO_HUB):
                return None
            return _Place(root, f"the dataset {repo} as it was read last")
        self._trouble = ""
        name = f"the dataset {repo} at revision {root.name[:7]}"
        return _Place(root, name, info.last_modified)


def _rank_all(board: Board) -> Board:
    """The same board; every table that a reader may ask for is ranked beforehand and kept."""
    for suite in board.entries:
        for tasks in list_task_choices(suite):
            make_frame(board, suite, tasks)
    return board


def _ago(date: datetime.datetime) -> str:
    """Such as "3 hours ago"."""
    seconds = max(0, int((datetime.datetime.now(datetime.UTC) - date).total_seconds()))
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"
