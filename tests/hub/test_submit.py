"""Submitting over real HTTP: what is sent, what goes wrong, and that repeating is safe."""

import re
import sys
from itertools import product
from types import SimpleNamespace

import pytest
from huggingface_hub import constants

from benchmark.basics.errors import InputError
from benchmark.commands.main import main
from benchmark.hub import connection
from benchmark.hub.parts import Part
from benchmark.hub.pull_requests import send_parts
from benchmark.results.gallery import load_gallery
from benchmark.submission import checks
from tests import tiny

TITLE = "Submit tail_quota on quick"
COMMIT = "POST .*/commit/"
BAD = ("ftp://x", "http://[x", "http://h:port", "https://h h")  # addresses


@pytest.fixture
def slept(monkeypatch):
    """The pauses that a rate limit made, which are not made."""
    pauses: list[float] = []
    monkeypatch.setattr(connection, "time", SimpleNamespace(sleep=pauses.append))
    return pauses


def opened(hub):
    return len(hub.repos["datasets", "org/results"].requests)


def test_one_commit_holds_all_of_it_and_the_same_again_finds_it(hub, finished, parts):
    sent = send_parts(parts, TITLE, "org/results", hub.url)
    repo = hub.repos["datasets", "org/results"]
    assert (sent.state, sent.url) == ("opened", f"{hub.url}/datasets/org/results/discussions/1")
    assert repo.commits == 2  # the repository's first and ours
    files = repo.refs["refs/pr/1"].files
    assert {path: blob.content for path, blob in files.items()} == {p.path: p.read() for p in parts}
    assert set(files) == {
        *(f"submissions/tail_quota/{name}" for name in ("method.py", "card.yaml", "README.md")),
        "results/quick/tail_quota.json",
        "gallery/quick/tail_quota.json",
        *(f"references/quick/tail_quota/{name}.json" for name in ("nothing", "clean")),
        *(
            f"samples/quick/tail_quota/{task.name}-seed0-{kind}-{t:02d}.safetensors"
            for task in tiny.PROFILED.tasks
            for kind in ("samples", "model")
            for t in range(task.generations + 1)
        ),
    }
    again = send_parts(parts, TITLE, "org/results", hub.url)
    assert (again.state, again.url) == ("open", sent.url)
    repo.merge(1)
    assert send_parts(parts, TITLE, "org/results", hub.url).state == "merged"
    assert opened(hub) == 1


def test_it_brings_pictures_and_excerpts_of_every_task(parts, tmp_path):
    (stored,) = (part for part in parts if part.path == "gallery/quick/tail_quota.json")
    (tmp_path / "gallery.json").write_bytes(stored.read())
    shown = load_gallery(tmp_path / "gallery.json").tasks
    assert shown["digits-replace"].generations == [0, 1, 2]
    assert [*shown["speeches-replace"].texts] == [0, 1, 2]


def test_a_changed_submission_is_a_new_request_that_names_the_old_one(hub, parts):
    first = send_parts(parts, TITLE, "org/results", hub.url)
    changed = [Part(parts[0].path, b"# other\n"), *parts[1:]]
    second = send_parts(changed, TITLE, "org/results", hub.url)
    assert second.state == "opened"
    assert second.older == (first.url,)
    assert second.url != first.url


def test_another_entry_of_ours_is_another_request(hub, parts):
    send_parts(parts, "Submit tail_quota on small", "org/results", hub.url)
    sent = send_parts(parts, TITLE, "org/results", hub.url)
    assert (sent.state, sent.older) == ("opened", ())


def test_an_invalid_submission_is_not_sent(hub, finished, monkeypatch, capsys):
    broken = checks.Validation([checks.Check("runs", "failed", "it stops")])
    monkeypatch.setattr("benchmark.commands.submit.validate_submission", lambda path: broken)
    words = ("--result", finished.result, "--repo", "org/results", "--endpoint", hub.url)
    monkeypatch.setattr(sys, "argv", ["autophagy", "submit", *map(str, (finished.folder, *words))])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 1
    printed = capsys.readouterr()
    assert "it stops" in printed.out
    assert "the submission is not valid" in printed.err
    assert hub.requests == []


def test_somebody_elses_request_of_the_same_title_is_not_ours(hub, parts):
    send_parts(parts, TITLE, "org/results", hub.url)
    hub.repos["datasets", "org/results"].requests[0].author = "eve"
    sent = send_parts(parts, TITLE, "org/results", hub.url)
    assert (sent.state, sent.older) == ("opened", ())


@pytest.mark.parametrize(
    ("pattern", "how", "said"),
    [
        ("whoami", {"status": 401}, "does not accept the token"),
        ("whoami", {"status": 503}, "problem of its own \\(status 503\\)"),
        ("whoami", {"drop": "before"}, "broke off"),
        ("GET /api/datasets/org/results$", {"status": 401}, "there is no dataset org/results"),
        ("GET /api/datasets/org/results$", {"status": 404}, "there is no dataset org/results"),
        ("discussions", {"status": 500}, "problem of its own \\(status 500\\)"),
        (COMMIT, {"status": 400}, "refused the submission \\(status 400"),
        (COMMIT, {"status": 403}, "may not open a pull request"),
        (COMMIT, {"status": 409}, "changed at the same moment"),
        (COMMIT, {"status": 412}, "changed at the same moment"),
        (COMMIT, {"status": 413}, "too large"),
        (COMMIT, {"status": 502}, "problem of its own \\(status 502\\)"),
        (COMMIT, {"drop": "before"}, "broke off"),
        ("lfs/objects/batch", {"status": 403}, "may not open a pull request"),
        ("PUT /lfs/", {"status": 403, "times": 9}, "may not open a pull request"),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_repeating_mends_it(hub, parts, pattern, how, said):
    hub.fail(pattern, **how)
    with pytest.raises(InputError, match=said) as caught:
        send_parts(parts, TITLE, "org/results", hub.url)
    assert len(str(caught.value).splitlines()) == 1
    assert opened(hub) == 0
    hub.faults._due.clear()
    assert send_parts(parts, TITLE, "org/results", hub.url).state == "opened"
    assert opened(hub) == 1


def test_an_answer_that_is_lost_after_the_commit_opens_no_second_request(hub, parts):
    hub.fail(COMMIT, drop="after")
    with pytest.raises(InputError, match="is found"):
        send_parts(parts, TITLE, "org/results", hub.url)
    assert send_parts(parts, TITLE, "org/results", hub.url).state == "open"
    assert opened(hub) == 1


def test_a_rate_limit_is_waited_for_a_few_times(hub, parts, slept):
    hub.fail(COMMIT, 429, headers={"Retry-After": "7"}, times=2)
    said = []
    assert send_parts(parts, TITLE, "org/results", hub.url, say=said.append).state == "opened"
    assert slept == [7, 7]
    assert said == ["The Hub asks to wait 7 s (rate limit)."] * 2
    hub.fail("whoami", 429, headers={"Retry-After": "1"}, times=99)
    with pytest.raises(InputError, match="limits the rate"):
        send_parts(parts, TITLE, "org/results", hub.url)
    assert slept[2:] == [1, 1, 1]
    hub.faults._due.clear()
    hub.fail("whoami", 429, headers={"Retry-After": "86400"})
    with pytest.raises(InputError, match="limits the rate"):
        send_parts(parts, TITLE, "org/results", hub.url)
    assert len(slept) == 5  # nobody waits a day


def test_tokens_offline_and_addresses(hub, parts, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_TOKEN", "hf_reader")
    with pytest.raises(InputError, match="may not open a pull request"):
        send_parts(parts, TITLE, "org/results", hub.url)
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(InputError, match="does not accept the token"):
        send_parts(parts, TITLE, "org/results", hub.url)
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(InputError, match="there is no token"):
        send_parts(parts, TITLE, "org/results", hub.url)
    monkeypatch.setenv("HF_TOKEN", hub.token)
    with pytest.raises(InputError, match="there is no dataset org/other"):
        send_parts(parts, TITLE, "org/other", hub.url)
    with pytest.raises(InputError, match=r"http://127\.0\.0\.1:1 cannot be reached"):
        send_parts(parts, TITLE, "org/results", "http://127.0.0.1:1")
    for repo, endpoint in (("results", hub.url), ("a/b/c", None), *product(["org/results"], BAD)):
        with pytest.raises(InputError, match="is not"):
            send_parts(parts, TITLE, repo, endpoint)
    for address in BAD:
        monkeypatch.setattr(constants, "ENDPOINT", address)
        with pytest.raises(InputError, match=f"HF_ENDPOINT {re.escape(repr(address))} is not an"):
            send_parts(parts, TITLE, "org/results", None)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match="HF_HUB_OFFLINE is set"):
        send_parts(parts, TITLE, "org/results", hub.url)
    assert opened(hub) == 0


def test_the_command_shows_what_it_would_send_and_sends_nothing(hub, finished, monkeypatch, capsys):
    def run(path):
        raise AssertionError("a dry run runs nothing")

    monkeypatch.setattr("benchmark.commands.submit.validate_submission", run)
    words = ["autophagy", "submit", finished.folder, "--result", finished.result, "--repo"]
    words += ["org/results", "--endpoint", hub.url, "--dry-run"]
    monkeypatch.setattr(sys, "argv", list(map(str, words)))
    with pytest.raises(SystemExit) as stop:
        main()
    assert not stop.value.code
    out = capsys.readouterr().out
    assert "results/quick/tail_quota.json" in out
    assert "24 files" in out
    assert "Beside these gallery/quick/tail_quota.json" in out
    assert "Nothing was sent" in out
    assert hub.requests == []
