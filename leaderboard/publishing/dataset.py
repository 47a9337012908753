"""The results dataset: the results that come with the benchmark, one flat table, and its card."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.basics.errors import InputError
from benchmark.hub.commits import Stored, create_repo, mirror_files
from benchmark.hub.connection import ask_hub, check_target
from benchmark.hub.parts import Part
from benchmark.hub.trouble import Purpose
from benchmark.submission.trust import FINDING
from leaderboard.board.entries import Board, load_card, read_board
from leaderboard.board.source import HERE, READ
from leaderboard.board.table import export_frame, make_frame

if TYPE_CHECKING:
    from huggingface_hub import HfApi

CARD = """\
---
license: apache-2.0
pretty_name: Autophagy Bench results
language:
- en
tags:
- model-collapse
- benchmark
- leaderboard
{configs}---

# Autophagy Bench: results

How well strategies against model collapse preserve generative models that are trained on the
output of earlier models. Each configuration is the table of one suite, one row a method:

    from datasets import load_dataset

    table = load_dataset("{repo}", "{first}", split="train")

`score` is the mean recovery over the tasks: 0 is no mitigation (`nothing`), 1 is training on real
data only (`clean`). `low` and `high` bound its 95% interval over seeds; a `tier` begins with
the first method that paired tests find worse than the first of the tier above. The others hold the
recovery on each task, what the method used (`real_items`, `items_trained`,
`items_generated`, `forward_passes`, `cpu_seconds`), what it may see (`access`) and how far the
entry was checked (`trust`).

| Folder | Holds |
|---|---|
| `results/SUITE/NAME.json` | every number of an entry, by task, seed and generation |
| `results/SUITE/trust/NAME.json` | what maintainers found out of results of that name (a copy) |
| `results/SUITE/verified/NAME-HASH.json` | what each re-run measured (a copy) |
| `submissions/NAME` | the method, its card and its description |
| `references/SUITE/NAME` | `nothing` and `clean`, where the entry brought its own |
| `gallery/SUITE/NAME.json` | pictures and excerpts by generation |
| `samples/SUITE/NAME` | all samples and models: the numbers follow from them |
| `table/SUITE.parquet` | the tables above, computed from all of this |

Entries arrive as pull requests (`autophagy submit`). This card and the tables are written by
`autophagy deploy`: changes by hand are lost.
"""


def list_own_parts() -> list[Part]:
    """The results, cards and galleries that come with the benchmark."""
    files = {path for pattern in READ for path in HERE.glob(f"{pattern}/*") if path.is_file()}
    plain = {path for path in files if path.suffix in (".json", ".yaml", ".md", ".py")}
    return [Part(path.relative_to(HERE).as_posix(), path) for path in sorted(plain)]


def publish_dataset(
    repo: str,
    endpoint: str | None = None,
    token: str | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Stored:
    """Create or update the dataset in one commit. Entries of others stay as they are; where only
    maintainers' findings may lie, what is not one of them is deleted.

    Raises:
        InputError: whatever prevents it, as one sentence.
    """
    purpose = state_dataset_purpose(repo)
    check_target(purpose, endpoint)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()

        def fetch(api: HfApi) -> str | None:
            api.whoami()
            revision = create_repo(api, repo, "dataset")
            api.snapshot_download(
                repo, repo_type="dataset", revision=revision, local_dir=root,
                allow_patterns=list(READ),
            )  # fmt: skip
            return revision

        revision = ask_hub(fetch, purpose, endpoint, say, token)
        parts = list_own_parts()
        _refuse_taken(root, HERE)
        for part in parts:
            path = root / part.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(part.read())
        parts += describe_dataset(repo, read_board(root, findings=HERE), root)
        title = "Update the table"
        return ask_hub(
            lambda api: mirror_files(api, repo, "dataset", parts, title, revision, FINDING),
            purpose, endpoint, say, token,
        )  # fmt: skip


def _refuse_taken(root: Path, own: Path) -> None:
    """A baseline that is new here may not replace somebody's entry of its name.

    Raises:
        InputError: it would: no author of one is an author of the other.
    """
    for card in sorted(own.glob("submissions/*/card.yaml")):
        there = root / card.relative_to(own)
        if not there.exists():
            continue
        ours, theirs = load_card(card).authors, load_card(there).authors
        if not set(ours) & set(theirs):
            raise InputError(
                f"the dataset has an entry {card.parent.name!r} of {', '.join(theirs)}: give the "
                f"baseline of that name another one"
            )


def describe_dataset(repo: str, board: Board, root: Path) -> list[Part]:
    """The card and the tables of a board; the latter are stored in ROOT/table."""
    suites = [s for s, entries in board.entries.items() if any(not e.reference for e in entries)]
    (root / "table").mkdir(exist_ok=True)
    tables = [
        Part(file, export_frame(make_frame(board, suite), root / file))
        for suite in suites
        for file in [f"table/{suite}.parquet"]
    ]
    return [Part("README.md", write_dataset_card(repo, suites).encode()), *tables]


def write_dataset_card(repo: str, suites: Sequence[str]) -> str:
    """README.md of the dataset; the viewer shows one table a suite, `small` first."""
    ordered = sorted(suites, key=lambda suite: (suite != "small", suite))
    lines = ["configs:"] if ordered else []
    for suite in ordered:
        lines += [f"- config_name: {suite}", f"  data_files: table/{suite}.parquet"]
        lines += ["  default: true"] if suite == ordered[0] else []
    configs = "".join(f"{line}\n" for line in lines)
    first = ordered[0] if ordered else "small"
    return CARD.replace("{configs}", configs).replace("{repo}", repo).replace("{first}", first)


def state_dataset_purpose(repo: str) -> Purpose:
    """For the sentences about the dataset."""
    kept = "a commit that was made nevertheless is found"
    return Purpose(repo, "dataset", "--dataset", "table", "write to", kept)
