"""Deploying over real HTTP: what the Space and the dataset hold, what goes wrong, repeating."""

import io
import shutil
import sys
from types import SimpleNamespace

import pandas as pd
import pytest
import yaml
from huggingface_hub import constants
from PIL import Image

import leaderboard.publishing.deploy
from benchmark.basics.errors import InputError
from benchmark.commands.main import main
from benchmark.hub import connection
from benchmark.submission.record import record_state
from leaderboard.board.entries import read_board
from leaderboard.board.social import SIZE, make_link_preview
from leaderboard.board.source import HERE
from leaderboard.publishing import dataset as results
from leaderboard.publishing.deploy import VARIABLE, assemble_space, deploy_board
from leaderboard.publishing.social import draw_social_card
from tests.board import toys
from tests.hub.repo import Blob

ACCESS = {"anchor": ("RESERVE",), "verifier_filter": ("VERIFIER",)}
SPACE, DATASET = "org/board", "org/results"
INFO = "GET /api/datasets/org/results$"
COMMIT = "POST .*/commit/"


@pytest.fixture(autouse=True)
def board(tmp_path, monkeypatch):
    """A leaderboard of two results, so that little is sent; returns its folder."""
    folder = tmp_path / "leaderboard"
    (folder / "results" / "small").mkdir(parents=True)
    (folder / "board").mkdir()
    for name in ("README.md", "requirements.txt", "board/table.py"):
        shutil.copy(HERE / name, folder / name)
    (folder / "app.py").write_text("print('the page')\n")
    for name in ("anchor", "verifier_filter"):
        toys.store(folder, toys.result(name, access=ACCESS[name]))
        shutil.copytree(HERE / "submissions" / name, folder / "submissions" / name)
    monkeypatch.setattr(leaderboard.publishing.deploy, "HERE", folder)
    monkeypatch.setattr(leaderboard.publishing.deploy, "READ", ("errors.py",))
    monkeypatch.setattr(leaderboard.publishing.deploy, "draw_social_card", lambda board: b"PNG")
    monkeypatch.setattr(results, "HERE", folder)
    with toys.frozen(tmp_path / "frozen"):
        yield folder


def space(hub):
    return hub.repos["spaces", SPACE]


def table(hub, revision="main"):
    files = hub.repos["datasets", DATASET].refs[revision].files
    return pd.read_parquet(io.BytesIO(files["table/small.parquet"].content))


def test_the_space_is_created_in_one_commit_and_the_same_again_sends_nothing(hub):
    (stored,) = deploy_board(SPACE, endpoint=hub.url)
    assert stored.url == f"{hub.url}/spaces/{SPACE}"
    assert space(hub).sdk == "gradio"
    assert space(hub).commits == 2  # the repository's first and ours
    files = {path: blob.content for path, blob in space(hub).refs["main"].files.items()}
    assert files == assemble_space(space=SPACE, endpoint=hub.url)
    assert set(files) == {
        "README.md", "requirements.txt", "app.py", "social-card.png", "benchmark/basics/errors.py",
        "leaderboard/board/table.py",
        *(f"leaderboard/results/small/{m}.json" for m in ("anchor", "verifier_filter")),
        *(f"leaderboard/submissions/{m}/card.yaml" for m in ("anchor", "verifier_filter")),
    }  # fmt: skip
    assert space(hub).variables == {}
    (again,) = deploy_board(SPACE, endpoint=hub.url)
    assert (again.written, again.deleted, space(hub).commits) == (0, 0, 2)


def test_what_left_the_folder_leaves_the_space_and_what_changed_is_sent(hub, board):
    deploy_board(SPACE, endpoint=hub.url)
    files = space(hub).refs["main"].files
    files[".gitattributes"] = files["old.txt"] = files["README.md"]
    (board / "app.py").write_text("print('another page')\n")
    (board / "board" / "table.py").unlink()
    (stored,) = deploy_board(SPACE, endpoint=hub.url)
    assert (stored.written, stored.deleted) == (1, 2)
    now = space(hub).refs["main"].files
    assert not {"old.txt", "leaderboard/board/table.py"} & set(now)
    assert ".gitattributes" in now
    assert now["app.py"].content == b"print('another page')\n"
    assert space(hub).commits == 3


def test_the_dataset_gets_results_table_and_card_and_the_space_is_told(hub):
    data, _ = deploy_board(SPACE, DATASET, hub.url)
    repo = hub.repos["datasets", DATASET]
    assert (data.url, repo.commits) == (f"{hub.url}/datasets/{DATASET}", 2)
    files = repo.refs["main"].files
    assert set(files) == {
        "README.md", "table/small.parquet",
        *(f"results/small/{m}.json" for m in ("anchor", "verifier_filter")),
        *(f"submissions/{m}/card.yaml" for m in ("anchor", "verifier_filter")),
    }  # fmt: skip
    assert set(table(hub)["method"]) == {"nothing", "anchor", "verifier_filter", "clean"}
    _, front, text = files["README.md"].content.decode().split("---\n", 2)
    config = {"config_name": "small", "data_files": "table/small.parquet", "default": True}
    assert yaml.safe_load(front)["configs"] == [config]
    assert f'load_dataset("{DATASET}", "small", split="train")' in text
    assert space(hub).variables == {VARIABLE: DATASET}
    card = space(hub).refs["main"].files["README.md"].content.decode()
    assert yaml.safe_load(card.split("---\n")[1])["datasets"] == [DATASET]
    before = len(hub.requests)
    again = deploy_board(SPACE, DATASET, hub.url)
    assert [(s.written, s.deleted) for s in again] == [(0, 0), (0, 0)]
    assert not any("POST" in r and "create" not in r for r in hub.requests[before:])


def test_the_viewer_reads_the_table(hub, tmp_path):
    from datasets import load_dataset

    deploy_board(SPACE, DATASET, hub.url)
    for path, blob in hub.repos["datasets", DATASET].refs["main"].files.items():
        (tmp_path / "copy" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "copy" / path).write_bytes(blob.content)
    found = load_dataset(str(tmp_path / "copy"), "small", cache_dir=str(tmp_path / "cache"))
    assert list(found) == ["train"]
    assert found["train"].num_rows == 4
    assert found["train"][0]["method"] == "clean"


def test_entries_of_others_stay_and_are_in_the_table(hub, board):
    repo = hub.repos["datasets", DATASET]
    deploy_board(SPACE, DATASET, hub.url)
    files = repo.refs["main"].files
    finding = "results/small/trust/anchor.json"
    record_state(board / "results/small/anchor.json", "re-scored", "it follows")
    ours = board / finding
    files[finding] = files["samples/small/anchor/x.safetensors"] = files["README.md"]
    stray = "results/small/verified/anchor-0123456789ab.json"
    files[stray] = files["README.md"]
    (board / "results/small/anchor.json").unlink()  # in the dataset only: somebody's entry
    deploy_board(SPACE, DATASET, hub.url)
    now = repo.refs["main"].files
    assert now[finding].content == ours.read_bytes()  # what others say of trust does not stay
    assert stray not in now
    assert {"results/small/anchor.json", "samples/small/anchor/x.safetensors"} <= set(now)
    assert table(hub).set_index("method")["trust"]["anchor"] == "re-scored"
    deploy_board(SPACE, DATASET, hub.url)
    assert "anchor" in set(table(hub)["method"])
    assert not any("samples/" in request for request in hub.requests if "resolve" in request)


def test_a_new_baseline_does_not_replace_somebody_s_entry_of_its_name(hub, board):
    deploy_board(SPACE, DATASET, hub.url)
    deploy_board(SPACE, DATASET, hub.url)  # ours, of an earlier day
    card = "submissions/anchor/card.yaml"
    files = hub.repos["datasets", DATASET].refs["main"].files
    own = (board / card).read_bytes()
    files[card] = theirs = Blob(own.replace(b"Autophagy Bench", b"Somebody Else"))
    with pytest.raises(InputError, match="has an entry 'anchor' of Somebody Else"):
        deploy_board(SPACE, DATASET, hub.url)
    assert hub.repos["datasets", DATASET].refs["main"].files[card] is theirs


@pytest.mark.parametrize(
    ("pattern", "how", "said"),
    [
        ("whoami", {"status": 401}, "does not accept the token"),
        ("whoami", {"drop": "before"}, "broke off"),
        ("repos/create", {"status": 403}, "may not write to org/board"),
        (INFO, {"status": 401}, "no dataset org/results .* check --dataset"),
        (INFO, {"status": 404}, "no dataset org/results .* check --dataset"),
        ("POST /api/spaces/org/board/v", {"status": 404}, "no Space org/board .* check --space"),
        ("variables", {"status": 503}, "problem of its own \\(status 503\\)"),
        ("spaces/.*/commit/", {"status": 400}, "refused the page \\(status 400"),
        ("datasets/.*/commit/", {"status": 400}, "refused the table \\(status 400"),
        (COMMIT, {"status": 409}, "changed at the same moment"),
        (COMMIT, {"status": 412}, "changed at the same moment"),
        ("spaces/.*/commit/", {"status": 413}, "finds the page too large"),
        (COMMIT, {"drop": "before"}, "broke off"),
        (COMMIT, {"drop": "after"}, "a commit that was made nevertheless is found"),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_repeating_mends_it(hub, board, pattern, how, said):
    shutil.rmtree(board / "results")  # reading them takes time
    hub.fail(pattern, **how)
    with pytest.raises(InputError, match=said) as caught:
        deploy_board(SPACE, DATASET, hub.url)
    assert len(str(caught.value).splitlines()) == 1
    deploy_board(SPACE, DATASET, hub.url)
    assert space(hub).commits == 2
    assert hub.repos["datasets", DATASET].commits == 2


def test_a_change_in_between_is_not_overwritten(hub, monkeypatch):
    deploy_board(SPACE, DATASET, hub.url)
    repo = hub.repos["datasets", DATASET]
    described = results.describe_dataset

    def meanwhile(*words):
        repo.store("main", {**repo.refs["main"].files, "other.md": Other}, "a merged request")
        return described(*words)

    Other = repo.refs["main"].files.pop("README.md")  # noqa: N806
    monkeypatch.setattr(results, "describe_dataset", meanwhile)
    with pytest.raises(InputError, match="changed at the same moment"):
        deploy_board(SPACE, DATASET, hub.url)
    assert "other.md" in repo.refs["main"].files


def test_a_rate_limit_is_waited_for(hub, monkeypatch):
    slept: list[float] = []
    monkeypatch.setattr(connection, "time", SimpleNamespace(sleep=slept.append))
    hub.fail(COMMIT, 429, headers={"Retry-After": "7"}, times=2)
    said: list[str] = []
    deploy_board(SPACE, endpoint=hub.url, say=said.append)
    assert slept == [7, 7]
    assert len(said) == 2
    hub.fail("whoami", 429, headers={"Retry-After": "1"}, times=99)
    with pytest.raises(InputError, match="limits the rate"):
        deploy_board(SPACE, endpoint=hub.url)


def test_tokens_offline_and_addresses(hub, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_TOKEN", "hf_reader")
    with pytest.raises(InputError, match="may not write to org/board"):
        deploy_board(SPACE, endpoint=hub.url)
    deploy_board(SPACE, endpoint=hub.url, token=hub.token)
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(InputError, match="there is no token"):
        deploy_board(SPACE, endpoint=hub.url)
    monkeypatch.setenv("HF_TOKEN", hub.token)
    for words, said in (
        (("board", None, hub.url), "--space 'board' is not the name of a Space"),
        ((SPACE, "results", hub.url), "--dataset 'results' is not the name of a dataset"),
        ((SPACE, None, "ftp://x"), "--endpoint 'ftp://x' is not"),
        ((SPACE, None, "http://127.0.0.1:1"), "cannot be reached"),
    ):
        with pytest.raises(InputError, match=said):
            deploy_board(*words)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match="HF_HUB_OFFLINE is set"):
        deploy_board(SPACE, DATASET, hub.url)


def test_a_folder_without_the_page_is_said(hub, board):
    (board / "app.py").unlink()
    with pytest.raises(InputError, match=r"app\.py \(No such file .*copy of the repository"):
        deploy_board(SPACE, endpoint=hub.url)
    assert hub.requests == []


def command(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["autophagy", "deploy", *words])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code or 0


def test_the_command_shows_what_it_would_send_sends_it_and_says_so(hub, monkeypatch, capsys):
    words = ("--space", SPACE, "--dataset", DATASET, "--endpoint", hub.url)
    assert command(monkeypatch, *words, "--dry-run") == 0
    out = capsys.readouterr().out
    assert "leaderboard/results/small/anchor.json" in out
    assert "10 files" in out
    assert "4 files" in out
    assert "Nothing was sent" in out
    assert hub.requests == []
    assert command(monkeypatch, *words) == 0
    out = capsys.readouterr().out.replace("\n", " ")
    assert f"Wrote 10 files, deleted 0: {hub.url}/spaces/{SPACE}" in out
    assert f"Wrote 6 files, deleted 0: {hub.url}/datasets/{DATASET}" in out
    assert command(monkeypatch, *words) == 0
    assert f"Nothing has changed: {hub.url}/spaces/{SPACE}" in capsys.readouterr().out
    assert command(monkeypatch, "--space", "board", "--dry-run") == 1
    assert "is not the name of a Space" in capsys.readouterr().err


def test_who_shows_a_link_finds_a_picture_of_our_own_results(hub, board):
    deploy_board(SPACE, DATASET, hub.url)
    files = space(hub).refs["main"].files
    front = yaml.safe_load(files["README.md"].content.decode().split("---\n")[1])
    assert front["thumbnail"] == f"{hub.url}/spaces/{SPACE}/resolve/main/social-card.png"
    head = make_link_preview({"SPACE_ID": SPACE, "HF_ENDPOINT": hub.url})
    assert f'<meta property="og:image" content="{front["thumbnail"]}">' in head
    for name in ("og:title", "og:description", "og:image:width", "og:image:alt", "og:url"):
        assert head.count(f'<meta property="{name}"') == 1
    assert "og:image" not in make_link_preview({})  # an address that leads nowhere is not given
    assert "og:image" not in make_link_preview({"SPACE_ID": '"><script>'})
    shutil.rmtree(board / "results")  # nothing to draw
    assert "social-card.png" not in assemble_space(DATASET, SPACE)


def test_the_picture_is_drawn_from_the_results_and_small(board):
    drawn = draw_social_card(read_board(board))
    with Image.open(io.BytesIO(drawn)) as picture:
        assert picture.size == SIZE
        shades = picture.convert("RGB").getcolors(1_000_000)
    assert {(0, 114, 178), (213, 94, 0)} <= {colour for _, colour in shades}  # both methods
    assert len(drawn) < 300_000  # sites refuse large ones
    assert drawn == draw_social_card(read_board(board))


def test_the_card_of_the_space_is_one_that_a_hub_takes():
    front = yaml.safe_load((HERE / "README.md").read_text().split("---\n")[1])
    assert (front["sdk"], front["app_file"]) == ("gradio", "app.py")
    assert front["python_version"] == "3.12"  # text: 3.1 is not 3.10
    assert len(front["short_description"]) <= 60
    pinned = (HERE / "requirements.txt").read_text()
    assert f"gradio=={front['sdk_version']}\n" in pinned
    assert "torch" not in pinned
