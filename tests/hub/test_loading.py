"""The loading code of suite `standard` over real HTTP, in processes of their own, at a toy size."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import constants

import benchmark.tasks.suites
from benchmark import Sampling, run
from benchmark.basics.errors import CorruptFile, InputError
from benchmark.basics.seeds import stream
from benchmark.commands.prefetch import prefetch
from benchmark.hub import copies
from benchmark.hub.prefetch import download_needed, list_needed
from benchmark.hub.repos import list_repos
from benchmark.hub.trouble import Purpose, advise_sender, describe_trouble
from benchmark.tasks.images.tasks import CIFAR10, DINOV2, STABLE_DIFFUSION
from benchmark.tasks.suites import Suite, load_suite
from benchmark.tasks.text.tasks import GPT2, STORIES, WIKITEXT
from tests.hub import LoopbackHub, tiny, tiny_large
from tests.hub.repo import Blob
from tests.test_run import cli
from tests.tiny import era_of

ROOT = Path(__file__).parents[2]
NAMES = [repo.name for repo in (CIFAR10, STORIES, GPT2, DINOV2)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The repositories as local copies in the Hub's layout."""
    return tiny.write(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def served(folder, hub: LoopbackHub):
    """The same repositories on a Hub; gives their revisions by name."""
    return serve(folder, hub, NAMES)


def serve(folder: Path, hub: LoopbackHub, names: list[str]) -> dict[str, str]:
    revisions = {}
    for kind in ("datasets", "models"):
        for name in names:
            root = folder / kind / name
            files = {
                path.relative_to(root).as_posix(): Blob(
                    path.read_bytes(), lfs=path.suffix in (".parquet", ".safetensors")
                )
                for path in root.rglob("*")
                if path.is_file()
            }
            if files:
                commit = hub.create(kind, name).store("main", files, "all")
                revisions[name] = commit.sha
    return revisions


@pytest.fixture
def command(tmp_path, hub):
    """Runs `autophagy` with an empty home: (exit status, output, errors)."""

    def run(*words: object, offline: bool = False, revisions: dict[str, str]):
        given = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "AUTOPHAGY"))}
        given |= {
            "HF_ENDPOINT": hub.url,
            "HF_HOME": str(tmp_path / "home"),
            "XDG_CACHE_HOME": str(tmp_path / "stamps"),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_OFFLINE": str(int(offline)),
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(ROOT),
        }
        line = [sys.executable, "-m", "tests.hub.toy_command", json.dumps(revisions)]
        done = subprocess.run(
            [*line, *map(str, words)], env=given, cwd=tmp_path, capture_output=True, text=True,
            timeout=300, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    return run


def profiles(out: Path) -> list:
    document = json.loads((out / "standard" / "nothing.json").read_text())
    return [
        generation["profile"]
        for name in sorted(document["tasks"])
        for lineage in document["tasks"][name]["lineages"]
        for generation in lineage["generations"]
    ]


RUN = ("run", "nothing", "--suite", "standard", "--tasks", "*-replace", "--workers", "1", "--out")


@pytest.mark.slow
def test_a_run_reads_the_hub_and_a_prefetched_one_needs_none(served, command, hub, tmp_path):
    status, _, said = command(*RUN, "direct", revisions=served)
    assert status == 0, said
    asked = " ".join(hub.requests)
    for name in ("train-00000-of-00001.parquet", "train-00000-of-00004-0.parquet",
                 "tokenizer.json", "model.safetensors", "preprocessor_config.json"):  # fmt: skip
        assert f"/resolve/{served[CIFAR10.name]}" in asked
        assert name in asked

    status, out, said = command("prefetch", "--data-dir", "copies", revisions=served)
    assert status == 0, said
    assert "Downloading 10 of 10 files" in out
    assert "All that suite standard needs is here and checked" in out
    before = len(hub.requests)
    words = (*RUN, "local", "--data-dir", "copies")
    status, _, said = command(*words, offline=True, revisions=served)
    assert status == 0, said
    assert len(hub.requests) == before
    assert profiles(tmp_path / "local") == profiles(tmp_path / "direct")


@pytest.fixture
def asked(hub, tmp_path, monkeypatch) -> None:
    """In this process: that Hub and an empty cache."""
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, hub.url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "stamps"))
    monkeypatch.delenv(copies.VARIABLE, raising=False)


@pytest.fixture
def here(served, asked, tmp_path, monkeypatch) -> Path:
    """In this process: the toy suite, that Hub, an empty cache. Gives a folder for copies."""
    suite = Suite("standard", "toy", tuple(tiny.toys(served).values()), (0,))
    monkeypatch.setitem(benchmark.tasks.suites._SUITES, "standard", lambda: suite)
    return tmp_path / "copies"


def test_a_text_to_image_model_is_read_from_the_hub(asked, hub, tmp_path):
    """Its parts lie in folders of one repository."""
    tiny_large.diffusion(tmp_path / "models" / STABLE_DIFFUSION.name)
    revision = serve(tmp_path, hub, [STABLE_DIFFUSION.name])[STABLE_DIFFUSION.name]
    recipe = tiny_large.toys()["imagenette-replace"].generator
    recipe = replace(recipe, network=replace(recipe.network, revision=revision))
    generator = recipe.build()
    items = generator.sample(generator.blank(), 2, stream("hub"), Sampling())
    assert items["image"].shape == (2, 3, tiny_large.SIZE, tiny_large.SIZE)
    said = " ".join(hub.requests)
    for file in STABLE_DIFFUSION.files:
        if file.endswith("safetensors"):
            assert f"/resolve/{revision}/{file}" in said


@pytest.mark.parametrize("alone", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_without_hub_or_copies_one_sentence_says_what_to_do(
    here, served, command, tmp_path, monkeypatch, capsys, alone
):
    """In this process and in one of its own."""
    if alone:
        status, _, said = command(*RUN, "out", offline=True, revisions=served)
    else:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        status = cli(monkeypatch, *RUN, "out")
        said = capsys.readouterr().err
    assert status == 1
    assert len(said.strip().splitlines()) == 1
    assert "HF_HUB_OFFLINE is set: the dataset uoft-cs/cifar10 at revision" in said
    assert "run autophagy prefetch --suite standard" in said
    assert not (tmp_path / "out").exists()


def test_a_run_begins_only_when_every_repository_can_be_had(here, hub, monkeypatch, tmp_path):
    repos = list_repos(load_suite("standard").tasks)
    copies.check_reachable(repos, "standard")  # the Hub answers
    hub.fail("dinov2", status=503, times=9)
    with pytest.raises(InputError, match=r"status 503: the dataset .* prefetch --suite standard"):
        copies.check_reachable(repos, "standard")
    hub.faults._due.clear()
    hub.fail("TinyStories", drop="before", times=9)
    with pytest.raises(InputError, match="cannot be reached"):
        run("nothing", suite="standard", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    here.mkdir()
    monkeypatch.setenv(copies.VARIABLE, str(here))
    with pytest.raises(InputError, match="copies does not hold all of the dataset uoft-cs/cifar10"):
        copies.check_reachable(repos, "standard")
    copies.check_reachable(list_repos(load_suite("quick").tasks), "quick")
    with pytest.raises(InputError, match="there is no folder"):
        copies.use_data_dir(tmp_path / "nowhere")


@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b"[1]", b'{"error": ""}'])
def test_what_is_no_hub_is_one_sentence(body, here, hub, monkeypatch, tmp_path):
    hub.fail(".*", status=200, body=body, times=999)
    repos = list_repos(load_suite("standard").tasks)
    with pytest.raises(InputError, match=rf"{hub.url} does not answer as a Hub does: the dataset"):
        copies.check_reachable(repos, "standard")
    with pytest.raises(InputError, match=rf"cannot be listed \({hub.url} does not answer as a Hub"):
        prefetch("standard", here)
    monkeypatch.setattr(constants, "ENDPOINT", "http://[x")
    monkeypatch.delenv(copies.VARIABLE, raising=False)
    for ask in (copies.check_reachable, lambda repos, suite: list_needed(repos)):
        with pytest.raises(InputError, match=r"^HF_ENDPOINT 'http://\[x' is not an address"):
            ask(repos, "standard")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left"), "cannot write to the disk: No space left; make r"),
        (
            OSError(errno.EROFS, "Read-only", "/d/f"),
            "cannot write /d/f: Read-only; make room or ch",
        ),
        (PermissionError(errno.EACCES, "Denied", "/d/f"), "cannot use /d/f: Denied; see that you"),
        (ConnectionResetError(errno.ECONNRESET, "reset"), "http://h "),
    ],
)
def test_trouble_with_the_disk_is_not_told_as_that_of_the_connection(error, said):
    advice = advise_sender(error, Purpose("a/b"), "http://h")
    for told in (describe_trouble(error, "http://h"), advice):
        assert said in told
        assert ("http://h" in told) == ("http://h" in said)


def test_prefetching_goes_on_after_a_broken_connection(here, hub, capsys, monkeypatch):
    hub.fail("GET .*model.safetensors", drop="before", times=50)
    with pytest.raises(InputError, match=r"was not downloaded .* run the same command again"):
        prefetch("standard", here)
    capsys.readouterr()
    hub.faults._due.clear()
    prefetch("standard", here)
    out = capsys.readouterr().out
    assert "here, checked" in out  # of what came before
    assert "to download" in out
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    copies.check_reachable(list_repos(load_suite("standard").tasks), "standard")


def test_what_is_not_the_pinned_content_is_refused(here, hub, served, monkeypatch):
    name = "plain_text/test-00000-of-00001.parquet"
    tasks = [t for t in load_suite("standard").tasks if t.name == "cifar10-replace"]
    repo = replace(tasks[0].data.repo, sha256=((name, "0" * 64),))
    with pytest.raises(CorruptFile, match="is not the pinned one on this Hub"):
        list_needed([repo])
    with pytest.raises(InputError, match=r"has no extra-\*\.parquet"):
        list_needed([replace(repo, sha256=(), files=("extra-*.parquet",))])


def test_a_damaged_copy_is_never_read_and_fetched_again(here, capsys):
    prefetch("standard", here)
    file = next((here / "datasets" / STORIES.name / "data").glob("train-*"))
    good = file.read_bytes()
    file.write_bytes(good[: len(good) // 2])
    task = next(t for t in load_suite("standard").tasks if t.name == "stories-replace")
    with pytest.raises(CorruptFile, match="run autophagy prefetch again") as caught:
        era_of(task.data.build(), 24, 8, "damaged")
    assert len(str(caught.value).splitlines()) == 1
    capsys.readouterr()
    prefetch("standard", here)
    assert "Downloading 1 of 10 files" in capsys.readouterr().out
    assert file.read_bytes() == good


def test_a_damaged_file_of_the_hubs_own_cache_is_fetched_again(asked, hub, served):
    """There a copy is a link to a blob, and both have to go."""
    repo = replace(GPT2, revision=served[GPT2.name])
    download_needed(list_needed([repo]))
    file = copies.locate_copy(repo) / "model.safetensors"
    good = file.read_bytes()
    file.resolve().write_bytes(b"spoilt")
    files = list_needed([repo])
    assert [f.path for f in files if not f.here] == ["model.safetensors"]
    assert next(f.size for f in files if not f.here) == len(good)
    download_needed(files)
    assert file.read_bytes() == good
    assert all(f.here for f in list_needed([repo]))


def test_a_pinned_file_is_checked_once_and_again_when_it_changes(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "stamps"))
    read = []
    monkeypatch.setattr(copies, "hash_file", lambda file: read.append(file) or digest(file))
    file = tmp_path / "x.parquet"
    file.write_bytes(b"one")
    pinned = digest(file)
    for _ in range(2):
        copies.check_copy(file, pinned)
    assert len(read) == 1
    (stamp,) = (path for path in (tmp_path / "stamps").rglob("*") if path.is_file())
    stamp.write_bytes(b"")  # cut short
    for _ in range(2):
        copies.check_copy(file, pinned)
    assert len(read) == 2
    file.write_bytes(b"another")
    for _ in range(2):
        with pytest.raises(CorruptFile, match="delete it and run autophagy prefetch again"):
            copies.check_copy(file, pinned)


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_suite_pins_commits_and_other_suites_need_nothing():
    repos = list_repos(load_suite("standard").tasks)
    assert {repo.name for repo in repos} == set(NAMES)
    assert all(len(repo.revision) == 40 for repo in repos)
    for name in ("quick", "small", "stress"):
        assert list_repos(load_suite(name).tasks) == []


def test_prefetching_a_suite_that_ships_with_packages_says_so(capsys):
    prefetch("quick")
    assert "needs nothing from the Hub" in capsys.readouterr().out


def test_copies_are_looked_for_in_the_hubs_layout(folder, monkeypatch, tmp_path):
    own = tmp_path / "copies"
    shutil.copytree(folder, own)
    monkeypatch.setenv(copies.VARIABLE, str(own))
    task = tiny.toys()["cifar10-replace"]
    assert copies.find_copy(task.data.repo) == own / "datasets" / CIFAR10.name
    file = next((own / "datasets" / CIFAR10.name).rglob("test-*"))
    file.unlink()
    assert copies.find_copy(task.data.repo) is None
    file.symlink_to(own / "nowhere")  # as in a cache that was cut short
    assert copies.find_copy(task.data.repo) is None


@pytest.mark.parametrize(
    ("repo", "there", "missing"),
    [
        (WIKITEXT, ["train-00000-of-00002", "validation-00000-of-00001"], "train-00001-of-00002"),
        (CIFAR10, ["train-0", "test-00000-of-00001"], "train-00000-of-00001"),
        (STORIES, ["train-00000-of-00004-a2", "validation-00000-of-00001-b7"], None),
        (STORIES, ["train-00000-of-00004-a2", "validation-00001-of-00002-b7"],
         "validation-00000-of-00002*"),
    ],
)  # fmt: skip
def test_a_copy_without_one_of_its_files_is_none_and_the_file_is_named(
    repo, there, missing, tmp_path, monkeypatch
):
    monkeypatch.setenv(copies.VARIABLE, str(tmp_path))
    folder = tmp_path / "datasets" / repo.name / repo.files[0].partition("/")[0]
    folder.mkdir(parents=True)
    for name in there:
        (folder / f"{name}.parquet").write_bytes(b"")
    if missing is None:
        assert copies.find_copy(repo) == folder.parent
        return
    assert copies.find_copy(repo) is None
    said = f"{tmp_path} does not hold all of the {repo.title} (no {folder.name}/{missing}"
    for ask in (copies.find_source, lambda repo: copies.check_reachable([repo], "large")):
        with pytest.raises(InputError, match=re.escape(said)):
            ask(repo)
