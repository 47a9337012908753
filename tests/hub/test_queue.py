"""The maintainer's queue over real HTTP: what waits, what is wrong with it, what is next."""

import hashlib
import json
import sys

import pytest

from benchmark.basics.errors import DoesNotLoad, InputError
from benchmark.commands.main import main
from benchmark.hub.pull_requests import send_parts
from benchmark.hub.queue import find_changes
from benchmark.results.schema import load_result
from benchmark.submission import incoming, review
from benchmark.submission.checks import read_submission
from benchmark.submission.compare import Comparison
from benchmark.submission.record import record_state
from benchmark.submission.trust import find_state, load_trust
from benchmark.submission.verify import Verification
from benchmark.submission.waiting import list_waiting
from tests.board import toys
from tests.hub.repo import Blob

TITLE = "Submit tail_quota on quick"
REPO = "org/results"
RESULT = "results/quick/tail_quota.json"
GALLERY = "gallery/quick/tail_quota.json"
FORGED = "results/quick/trust/tail_quota.json"


@pytest.fixture
def dataset(hub):
    """The results dataset, with a card."""
    repo = hub.repos["datasets", REPO]
    repo.store("main", {"README.md": Blob(b"# Results\n")}, "a card")
    return repo


@pytest.fixture
def sent(hub, dataset, parts):
    """A pull request as `autophagy submit` opens it."""
    send_parts(parts, TITLE, REPO, hub.url)
    return dataset


def command(monkeypatch, hub, *words):
    words = [*map(str, words), "--repo", REPO, "--endpoint", hub.url]
    monkeypatch.setattr(sys, "argv", ["autophagy", *words])
    try:
        main()
    except SystemExit as stop:
        return stop.code or 0
    return 0


def change(dataset, num=1, **files):
    """Have the pull request bring other files; None takes one out."""
    now = dataset.refs[f"refs/pr/{num}"].files | files
    dataset.store(f"refs/pr/{num}", {p: blob for p, blob in now.items() if blob}, "another commit")


def test_nothing_waits(hub, dataset, tmp_path, monkeypatch, capsys):
    assert command(monkeypatch, hub, "queue", "--findings", tmp_path) == 0
    assert capsys.readouterr().out.endswith("No pull request of org/results is open.\n")


def test_what_was_sent_waits_with_its_next_command(hub, sent, tmp_path, monkeypatch, capsys):
    (waiting,) = list_waiting(REPO, tmp_path, hub.url)
    assert (waiting.method, waiting.state) == ("tail_quota on quick", "self-reported")
    assert not any("samples" in r for r in hub.requests if "resolve" in r)  # gigabytes stay there
    assert command(monkeypatch, hub, "queue", "--findings", tmp_path) == 0
    out = capsys.readouterr().out
    assert "nobody has looked at it yet" in " ".join(out.split())
    assert "1: autophagy verify --from-pr 1 --repo org/results --comment" in out
    assert command(monkeypatch, hub, "queue", "--findings", tmp_path, "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["num"], row["author"], row["state"]) == (1, "ada", "self-reported")


def test_the_state_is_that_of_the_maintainers_folder_and_never_of_the_request(
    hub, sent, finished, tmp_path
):
    record_state(finished.result, "re-run", "forged", tmp_path / "theirs")
    forged = (tmp_path / "theirs" / FORGED).read_bytes()
    change(sent, **{FORGED: Blob(forged)})
    (waiting,) = list_waiting(REPO, tmp_path / "ours", hub.url)
    assert waiting.state == "self-reported"
    assert not any("/trust/" in request for request in hub.requests if "resolve" in request)
    record_state(finished.result, "re-scored", "it follows", tmp_path / "ours", by="Ada")
    (waiting,) = list_waiting(REPO, tmp_path / "ours", hub.url)
    assert (waiting.state, waiting.reason.split(" (")[0]) == ("re-scored", "it follows")
    record_state(finished.result, "re-run", "it agrees", tmp_path / "ours", by="Ada")
    (waiting,) = list_waiting(REPO, tmp_path / "ours", hub.url)
    assert waiting.next == f"merge {hub.url}/datasets/{REPO}/discussions/1"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({RESULT: None}, "it brings no result"),
        ({"results/quick/other.json": Blob(b"{}")}, "it brings 2 results"),
        ({RESULT: Blob(b"{}")}, "results/quick/tail_quota.json is not a result"),
        ({"README.md": Blob(b"mine")}, "it touches README.md, which is not of the entry"),
        ({"README.md": None}, "it touches README.md"),
        ({"submissions/other/method.py": Blob(b"x")}, "it touches submissions/other/method.py"),
        ({"submissions/tail_quota/card.yaml": None}, "it has no submissions/tail_quota/card.yaml"),
        ({"submissions/tail_quota/card.yaml": Blob(b"name: 3")}, "card.yaml, field 'name'"),
        ({"submissions/tail_quota/method.py": Blob(b"x = 1")}, "method.py must have one class"),
        ({"submissions/tail_quota/README.md": Blob(b"x" * 70_000)}, "65,536 are the most"),
        ({"samples/quick/tail_quota/big.safetensors": Blob(b"x")}, "it touches samples/quick/"),
        ({GALLERY: Blob(b"x" * 2_000_001)}, f"{GALLERY} has 2,000,001 bytes, 2,000,000 are the"),
        ({GALLERY: Blob(b"{}")}, f"{GALLERY} is not a valid gallery"),
    ],
)
def test_what_is_malformed_is_one_sentence(hub, sent, tmp_path, files, said):
    change(sent, **files)
    (waiting,) = list_waiting(REPO, tmp_path, hub.url)
    assert waiting.state == "malformed"
    assert said in waiting.reason
    assert len(waiting.reason.splitlines()) == 1
    assert "/tmp" not in waiting.reason


def test_a_result_without_the_references_that_it_names_is_malformed(hub, sent, tmp_path):
    """Else hours of re-scoring would end in that."""
    brought = [p for p in sent.refs["refs/pr/1"].files if p.startswith("references/")]
    assert brought
    change(sent, **dict.fromkeys(brought))
    (waiting,) = list_waiting(REPO, tmp_path, hub.url)
    assert waiting.state == "malformed"
    assert "scores need the reference 'nothing'" in waiting.reason


def test_one_that_a_gpu_computed_has_no_command_that_could_only_fail(hub, sent, finished, tmp_path):
    result = load_result(finished.result)
    result.hardware += ", GPU NVIDIA H200"
    change(sent, **{RESULT: Blob(result.to_json())})
    (waiting,) = list_waiting(REPO, tmp_path, hub.url)
    assert (waiting.state, "a GPU computed it" in waiting.next) == ("self-reported", True)


def test_an_author_withdraws_by_deleting_the_entry(hub, sent, tmp_path, monkeypatch):
    sent.merge(1)
    files = sent.refs["main"].files
    own = {path for path in files if "tail_quota" in path}
    left = {path: blob for path, blob in files.items() if path not in own}
    sent.open_request(left, "Withdraw", "ada")
    (waiting,) = list_waiting(REPO, tmp_path, hub.url)
    assert (waiting.state, waiting.next.startswith("merge http")) == ("withdrawal", True)
    assert "'tail_quota'" in waiting.reason
    words = ("verify", "--from-pr", 2, "--findings", tmp_path, "--out", tmp_path / "out")
    assert command(monkeypatch, hub, *words, "--comment") == 1
    assert "it withdraws tail" in sent.requests[1].comments[0].replace("\\", "")
    sent.open_request({p: b for p, b in left.items() if p != "README.md"}, "Withdraw", "eve")
    assert list_waiting(REPO, tmp_path, hub.url)[1].state == "malformed"  # more than one entry


def unrelated(hub, dataset):
    """Has no commit in common with the dataset."""
    dataset.refs["refs/pr/1"].parent = None
    return "no commit in common"


def gone(hub, dataset):
    """Was deleted since the list was read."""
    del dataset.refs["refs/pr/1"]
    return "has no pull request 1"


def lost(hub, dataset):
    """One of its files has no content."""
    hub.fail(f"GET .*resolve/{dataset.refs['refs/pr/1'].sha}/.*card.yaml", 404, times=99,
             headers={"X-Error-Code": "EntryNotFound"})  # fmt: skip
    return "are not in org/results any more"


def endless(hub, dataset):
    """A number that no reader thought of."""
    text = dataset.refs["refs/pr/1"].files["submissions/tail_quota/card.yaml"].content
    number = b"hyper_parameters:\n  share: 1" + b":59" * 200 + b".5\n  other:"
    assert b"hyper_parameters:\n" in text
    changed = text.replace(b"hyper_parameters:", number, 1)
    change(dataset, **{"submissions/tail_quota/card.yaml": Blob(changed)})
    return "card.yaml"


def unforeseen(hub, dataset):
    text = dataset.refs["refs/pr/1"].files["submissions/tail_quota/method.py"].content
    change(dataset, **{"submissions/tail_quota/method.py": Blob(text + b"# unforeseen\n")})
    return r"it cannot be read (ZeroDivisionError: by [31mzero)"


@pytest.mark.parametrize("spoil", [unrelated, gone, lost, endless, unforeseen])
def test_one_request_does_not_hide_the_others(hub, sent, tmp_path, monkeypatch, spoil):
    def read(path):
        if (path / "method.py").read_bytes().endswith(b"# unforeseen\n"):
            raise ZeroDivisionError("by \x1b[31mzero")
        return read_submission(path)

    monkeypatch.setattr(incoming, "read_submission", read)
    sent.open_request(sent.refs["refs/pr/1"].files, TITLE, "eve")
    said = spoil(hub, sent)
    one, other = list_waiting(REPO, tmp_path, hub.url)
    assert (one.state, other.state) == ("malformed", "self-reported")
    assert said in one.reason.replace("\ufffd", "")
    assert one.reason.isprintable()


def test_a_dataset_that_moved_on_is_no_change_of_the_request_but_a_clash_is(hub, sent, tmp_path):
    files = sent.refs["main"].files
    sent.store("main", files | {"README.md": Blob(b"# Newer\n")}, "deployed")
    (waiting,) = list_waiting(REPO, tmp_path, hub.url)
    assert waiting.state == "self-reported"
    sent.store("main", sent.refs["main"].files | {RESULT: Blob(b"{}")}, "another entry, merged")
    assert find_changes(REPO, 1, hub.url).clashing == (RESULT,)
    (waiting,) = list_waiting(REPO, tmp_path, hub.url)
    assert f"it cannot be merged, as {RESULT} was changed in the dataset" in waiting.reason


def test_of_two_requests_with_one_entry_the_newer_counts(hub, sent, parts, tmp_path):
    changed = [p for p in parts if not p.path.startswith("gallery/")]
    send_parts(changed, TITLE, REPO, hub.url)  # the same as before: is found
    sent.open_request(sent.refs["refs/pr/1"].files, TITLE, "ada")
    sent.open_request(sent.refs["refs/pr/1"].files, TITLE, "eve")
    states = [(w.request.num, w.state) for w in list_waiting(REPO, tmp_path, hub.url)]
    assert states == [(1, "superseded"), (2, "self-reported"), (3, "self-reported")]


@pytest.fixture
def rerun(monkeypatch, tmp_path):
    """Re-runs that agree, or not, without running anything."""
    found = {"agrees": True, "times": 0}

    def verify(folder, result, *words, **more):
        found["times"] += 1
        assert (folder / "method.py").is_file()
        gap = 0.0 if found["agrees"] else -0.4
        (tmp_path / "record.json").write_text("{}")
        return Verification(Comparison(0.3, 0.3 + gap, gap, gap - 0.01, gap + 0.01), (7, 8),
                            tmp_path / "record.json")  # fmt: skip

    monkeypatch.setattr(review, "verify_claim", verify)
    return found


def test_a_request_is_fetched_rescored_run_again_and_told(
    hub, sent, finished, rerun, tmp_path, monkeypatch, capsys
):
    ours, out = tmp_path / "ours", tmp_path / "out"
    change(sent, **{FORGED: Blob(b"{}")})
    words = ("verify", "--from-pr", 1, "--findings", ours, "--out", out, "--by", "Ada")
    assert command(monkeypatch, hub, *words) == 0
    printed = capsys.readouterr().out
    assert "It agrees: the entry is **re-run**" in printed
    assert "Nothing was posted" in printed
    assert sent.requests[0].comments == []
    trust = load_trust(finished.result, ours)
    assert [step.state for step in trust.steps] == ["re-scored", "re-run"]
    assert find_state(finished.result.read_bytes(), trust).by == "Ada"
    assert not list(out.rglob("trust"))  # what it brought was not fetched
    assert command(monkeypatch, hub, *words, "--comment") == 0
    (comment,) = sent.requests[0].comments
    assert "Ignored, as only maintainers say" in comment
    assert f"`{FORGED}`" in comment
    assert "claimed 0.300, re-run 0.300" in comment
    assert comment.count("| yes |") == 3
    assert str(tmp_path) not in comment
    assert rerun["times"] == 1  # the second time what was found was posted


def test_what_was_found_and_could_not_be_posted_is_posted_by_the_same_command(
    hub, sent, rerun, tmp_path, monkeypatch, capsys
):
    rerun["agrees"] = False
    words = (
        "verify",
        "--from-pr",
        1,
        "--findings",
        tmp_path,
        "--out",
        tmp_path / "out",
        "--reject",
    )
    hub.fail("comment", 503, times=99)
    assert command(monkeypatch, hub, *words, "--comment") == 1
    assert "run the same command again" in capsys.readouterr().err
    hub.faults._due.clear()
    assert command(monkeypatch, hub, *words, "--comment") == 1
    (comment,) = sent.requests[0].comments
    assert "claimed 0.300, re-run -0.100" in comment
    before = len(hub.requests)
    assert command(monkeypatch, hub, *words, "--comment") == 1  # it was rejected: nothing is run
    assert "which is final: submit a new result" in sent.requests[0].comments[1]
    assert not any("samples" in request for request in hub.requests[before:])
    assert rerun["times"] == 1


def test_one_that_does_not_agree_is_rejected_only_if_asked(
    hub, sent, finished, rerun, tmp_path, monkeypatch
):
    rerun["agrees"] = False
    words = ("verify", "--from-pr", 1, "--findings", tmp_path, "--out", tmp_path / "out")
    assert command(monkeypatch, hub, *words, "--comment") == 1
    assert "It does not agree." in sent.requests[0].comments[0]
    assert load_trust(finished.result, tmp_path).steps[-1].state == "re-scored"
    assert command(monkeypatch, hub, *words, "--reject") == 1
    assert load_trust(finished.result, tmp_path).steps[-1].state == "rejected"
    (waiting,) = list_waiting(REPO, tmp_path, hub.url)
    assert waiting.next.startswith("close http")


def test_objections_are_followed_by_a_rejection_that_draws_no_other_seeds(
    hub, sent, finished, rerun, tmp_path, monkeypatch
):
    toys.disagree(finished.result, tmp_path)
    words = ("verify", "--from-pr", 1, "--findings", tmp_path, "--out", tmp_path / "out")
    assert command(monkeypatch, hub, *words, "--reject", "--comment") == 1
    assert "rejected, which is final" in sent.requests[0].comments[0]
    assert rerun["times"] == 0
    assert load_trust(finished.result, tmp_path).steps[-1].state == "rejected"


def test_who_does_not_load_here_is_told(hub, sent, finished, tmp_path, monkeypatch):
    def verify(*_, **__):
        raise DoesNotLoad("method.py needs a package that is not here")

    monkeypatch.setattr(review, "verify_claim", verify)
    words = ("verify", "--from-pr", 1, "--findings", tmp_path, "--out", tmp_path / "out")
    assert command(monkeypatch, hub, *words, "--comment") == 1
    (comment,) = sent.requests[0].comments
    assert "needs a package that is not here" in comment
    assert load_trust(finished.result, tmp_path).steps[-1].state == "re-scored"


def test_samples_that_do_not_follow_end_the_check(hub, sent, rerun, tmp_path, monkeypatch):
    lost = [p for p in sent.refs["refs/pr/1"].files if "samples-02" in p]
    change(sent, **dict.fromkeys(lost))
    words = ("verify", "--from-pr", 1, "--findings", tmp_path, "--out", tmp_path / "out")
    assert command(monkeypatch, hub, *words, "--comment") == 1
    (comment,) = sent.requests[0].comments
    assert "so it was not run again" in comment
    assert "is not there: without it nothing can be recomputed" in comment
    assert str(tmp_path) not in comment


@pytest.fixture
def resent(sent, finished):
    """The entry was merged, and somebody sends another method.py and result under its name."""
    sent.merge(1)
    files = sent.refs["main"].files
    sent.store("main", files | {"results/small/tail_quota.json": Blob(b"{}")}, "of another suite")
    method = files["submissions/tail_quota/method.py"].content + b"# better\n"
    result = load_result(finished.result)
    result.method.source = hashlib.sha256(method).hexdigest()
    changed = {"submissions/tail_quota/method.py": Blob(method), RESULT: Blob(result.to_json())}
    sent.open_request(sent.refs["main"].files | changed, TITLE, "eve")
    return sent


def test_the_name_of_an_entry_in_the_dataset_is_refused_unless_it_is_of_its_author(
    hub, resent, rerun, tmp_path, monkeypatch
):
    taken = (
        "the dataset has an entry 'tail_quota' on quick, small already, of which this replaces "
        "submissions/tail_quota/method.py, results/quick/tail_quota.json; its results on small, of "
        "another method.py, are then refused"
    )
    (waiting,) = list_waiting(REPO, tmp_path, hub.url)
    assert (waiting.state, waiting.reason) == ("self-reported", taken)
    assert "if it is of the same author, add --same-author" in waiting.next
    words = ("verify", "--from-pr", 2, "--findings", tmp_path / "ours", "--out", tmp_path / "out")
    assert command(monkeypatch, hub, *words, "--comment") == 1
    (refusal,) = resent.requests[1].comments
    assert f"cannot be checked: {taken}; the name of somebody else's entry is refused" in refusal
    assert (rerun["times"], list(tmp_path.glob("ours/*"))) == (0, [])
    assert command(monkeypatch, hub, *words, "--comment", "--same-author") == 0
    assert f"Sent by its author: {taken}." in resent.requests[1].comments[1]
    (waiting,) = list_waiting(REPO, tmp_path / "ours", hub.url)
    assert waiting.reason.startswith(f"{taken}; claimed 0.300")


def test_a_new_suite_of_an_entry_needs_its_author_too(hub, sent, finished, tmp_path):
    files = sent.refs["refs/pr/1"].files
    kept = {p: blob for p, blob in files.items() if p.startswith(("submissions/", "README"))}
    sent.store("main", kept | {"results/small/tail_quota.json": Blob(b"{}")}, "of another suite")
    sent.open_request(sent.refs["main"].files | files, TITLE, "eve")
    *_, waiting = list_waiting(REPO, tmp_path, hub.url)
    assert waiting.reason == "the dataset has an entry 'tail_quota' on small already"


def test_a_malformed_request_is_told_so(hub, sent, tmp_path, monkeypatch, capsys):
    change(sent, **{"README.md": Blob(b"mine")})
    words = ("verify", "--from-pr", 1, "--findings", tmp_path, "--out", tmp_path / "out")
    assert command(monkeypatch, hub, *words, "--comment") == 1
    assert "cannot be checked: it touches README.md" in sent.requests[0].comments[0]
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("verify", "--from-pr", 9), "org/results has no pull request 9: autophagy queue lists"),
        (("verify", "submissions/x", "--from-pr", 1), "neither folder nor --result"),
        (("verify",), "give a submission and its --result, or --from-pr N"),
    ],
)
def test_bad_input_is_one_sentence(hub, sent, monkeypatch, capsys, words, said):
    assert command(monkeypatch, hub, *words) == 1
    error = capsys.readouterr().err
    assert said in error
    assert len(error.splitlines()) == 1


def test_trouble_with_the_hub_is_one_sentence(hub, sent, tmp_path):
    for pattern, status, wanted in (
        ("discussions", 503, "problem of its own"),
        ("commits", 403, "may not read org/results"),
        ("tree", 403, "may not read org/results"),
        ("GET /api/datasets/org/results$", 404, "there is no dataset org/results"),
    ):
        hub.fail(pattern, status, times=99)
        with pytest.raises(InputError, match=wanted) as caught:
            list_waiting(REPO, tmp_path, hub.url)
        assert len(str(caught.value).splitlines()) == 1
        hub.faults._due.clear()
