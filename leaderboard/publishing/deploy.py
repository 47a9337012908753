"""Puts the leaderboard on a Hub: the Space that shows it, and the dataset that it reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.basics.errors import InputError
from benchmark.hub.commits import Stored, create_repo, mirror_files
from benchmark.hub.connection import ask_hub, check_target
from benchmark.hub.parts import Part
from benchmark.hub.trouble import Purpose
from leaderboard.board.entries import read_board
from leaderboard.board.social import PICTURE, find_picture
from leaderboard.publishing.dataset import publish_dataset
from leaderboard.publishing.social import draw_social_card

if TYPE_CHECKING:
    from huggingface_hub import HfApi

HERE = Path(__file__).parents[1]
AT_ROOT = ("README.md", "requirements.txt", "app.py")  # of the Space
CODE = (".py", ".css", ".js", ".html", ".md", ".yaml", ".json")
DOCUMENT = "findings.md"  # of docs, which a tab shows, with the figures that it names
READ = (
    "*.py",
    "results/shared.html",
    "results/references/*/*.json",
    "tasks/assets/manifest.json",
)  # of benchmark, by what is light
ENDPOINT = "https://huggingface.co"
VARIABLE = "RESULTS_DATASET"  # tells the Space what to read


def assemble_space(
    dataset: str | None = None, space: str | None = None, endpoint: str | None = None
) -> dict[str, bytes]:
    """Path in the Space -> content, for all that the Space consists of.

    Args:
        dataset: named on the Space's card.
        space: ORG/NAME, whose card names its picture, drawn from the results beside this page.
        endpoint: of the Hub that holds it.

    Raises:
        InputError: a file is not there: the leaderboard was installed without its data.
    """
    try:
        files = {name: (HERE / name).read_bytes() for name in AT_ROOT}
        files |= {f"leaderboard/{name}": path.read_bytes() for name, path in _own()}
        files |= {f"benchmark/{name}": path.read_bytes() for name, path in _harness()}
        files |= {f"docs/{path.name}": path.read_bytes() for path in _document()}
    except OSError as error:
        raise InputError(
            f"cannot read {error.filename} ({error.strerror}): deploy from a copy of the repository"
        ) from error
    named = f"datasets:\n- {dataset}\n" if dataset is not None else ""
    board = read_board(HERE)
    if space is not None and board.entries:
        files[PICTURE] = draw_social_card(board)
        named += f"thumbnail: {find_picture(space, endpoint or ENDPOINT)}\n"
    if named:
        _, front, text = files["README.md"].decode().split("---\n", 2)
        files["README.md"] = f"---\n{front}{named}---\n{text}".encode()
    return dict(sorted(files.items()))


def deploy_board(
    space: str,
    dataset: str | None = None,
    endpoint: str | None = None,
    token: str | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> list[Stored]:
    """Create or update the dataset, if one is given, then the Space. Repeating it is safe.

    Returns:
        What was done to each, in this order.

    Raises:
        InputError: whatever prevents it, as one sentence.
    """
    purpose = state_space_purpose(space)
    check_target(purpose, endpoint)
    parts = [
        Part(path, content) for path, content in assemble_space(dataset, space, endpoint).items()
    ]
    done = [publish_dataset(dataset, endpoint, token, say)] if dataset is not None else []

    def update(api: HfApi) -> Stored:
        api.whoami()
        revision = create_repo(api, space, "space")
        if dataset is not None:
            known = api.get_space_variables(space).get(VARIABLE)
            if known is None or known.value != dataset:
                api.add_space_variable(space, VARIABLE, dataset)
        return mirror_files(
            api, space, "space", parts, "Deploy the leaderboard", revision, only=".*"
        )

    return [*done, ask_hub(update, purpose, endpoint, say, token)]


def state_space_purpose(space: str) -> Purpose:
    """For the sentences about a Space."""
    kept = "a commit that was made nevertheless is found"
    return Purpose(space, "Space", "--space", "page", "write to", kept)


def _own() -> Iterator[tuple[str, Path]]:
    """Files of this folder but those at the Space's root."""
    for path in sorted(HERE.rglob("*")):
        name = path.relative_to(HERE)
        hidden = any(part.startswith((".", "__pycache__")) for part in name.parts)
        if path.suffix in CODE and path.is_file() and not hidden and name.as_posix() not in AT_ROOT:
            yield name.as_posix(), path


def _document() -> Iterator[Path]:
    """The document that a tab shows, and its figures."""
    document = HERE.parent / "docs" / DOCUMENT
    if not document.is_file():  # an installation has no docs: the tab says so
        return
    yield document
    for name in re.findall(r"!\[[^]]*\]\(([\w.-]+)\)", document.read_text("utf-8")):
        yield document.with_name(name)


def _harness() -> Iterator[tuple[str, Path]]:
    """Files of `benchmark` that its light modules are or read."""
    folder = Path(str(resources.files("benchmark")))
    for pattern in READ:
        for path in sorted(folder.rglob(pattern)):
            yield path.relative_to(folder).as_posix(), path
