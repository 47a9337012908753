"""A result is taken only if it is whole, known, of this source, and what its run did."""

import copy
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmark.basics.errors import AutophagyError
from benchmark.submission.checks import read_submission
from benchmark.submission.claim import check_belongs, read_claim
from benchmark.submission.upload import list_parts

FREE = ("hardware", "machine", "created", "versions", "isolated")  # what nobody can check


def accept(run, file):
    """What `submit` does with a result before anything is sent."""
    result = read_claim(file)
    folder, card, written = read_submission(run.folder)
    check_belongs(result, file, folder, card, written.summary)
    return list_parts(folder, result, file)


@pytest.fixture
def claim(finished, tmp_path):
    """A function that asks whether the finished run's result, changed, is accepted."""
    run = finished.copy(tmp_path)

    def changed(document):
        text = document if isinstance(document, str) else json.dumps(document, indent=1)
        run.result.write_text(text + "\n")
        accept(run, run.result)

    changed.document = json.loads(run.result.read_bytes())
    return changed


def test_the_result_as_it_was_written_is_accepted(finished, claim):
    assert len(accept(finished, finished.result)) == 7 + 3 * 2 * 3  # tasks, kinds, generations
    claim(claim.document)


def test_another_form_is_a_change_after_the_run_unless_another_version_wrote_it(claim):
    with pytest.raises(AutophagyError, match=r"changed after the run: .* again with autophagy run"):
        claim(json.dumps(claim.document))
    with pytest.raises(AutophagyError, match=r"is of version .9\.9. of the benchmark"):
        claim(json.dumps(edit(claim.document, "benchmark_version", "9.9")))


def test_a_result_is_found_out_of_the_folder_that_it_lies_in(finished, monkeypatch):
    monkeypatch.chdir(finished.result.parent)
    assert accept(finished, Path(finished.result.name)) == accept(finished, finished.result)


def edit(document, path, value):
    document = copy.deepcopy(document)
    *most, last = path.split("/")
    inside = document
    for key in most:
        inside = inside[int(key) if isinstance(inside, list) else key]
    if isinstance(inside, list):
        inside[int(last)] = value
    else:
        inside[last] = value
    return document


LINEAGE = "tasks/digits-replace/lineages/0"


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("schema_version", 2, "schema version 2"),
        ("benchmark_version", "9.9", "version '9.9' of the benchmark"),
        ("suite", "small", "suite"),
        ("suite", "nowhere", "there is no suite"),
        ("method/source", "0" * 64, "another version of method.py"),
        ("method/name", "other", "is a result of 'other'"),
        ("method/access", [], "different access"),
        ("method/summary", "The best.", "another summary"),
        ("tasks/digits-replace/hash", "0" * 64, "another version of the task"),
        ("tasks/digits-replace/primary", "frechet", "misnames"),
        ("tasks/digits-replace/generations", 1, "misnames"),
        (f"{LINEAGE}/seed", 5, "seeds"),
        ("tasks/digits-replace/lineages", [], "seeds"),
        (f"{LINEAGE}/generations", [], "generations are not 0, 1, 2"),
        (f"{LINEAGE}/generations/1/generation", 2, "generations are not 0, 1, 2"),
        (f"{LINEAGE}/generations/1/status", "failed", "generations are not 0, 1, 2"),
        (f"{LINEAGE}/generations/2/status", "failed", "without a message"),
        (f"{LINEAGE}/generations/2/profile/log_frechet", None, "a metric is missing"),
        (f"{LINEAGE}/generations/2/profile/log_frechet", 3.0, "what its run did not"),
        (f"{LINEAGE}/generations/1/profile", {}, "same metrics"),
        (f"{LINEAGE}/generations/1/ledger/real_items", -5, "negative"),
        (f"{LINEAGE}/generations/1/ledger/real_items", 5, "what its run did not"),
        (f"{LINEAGE}/generations/1/seconds/train", 0.5, "what its run did not"),
        ("references", {}, "which references"),
        ("references/clean", "frozen", "frozen references, but none"),
        ("created", "yesterday", "no date"),
        ("created", "0001-01-01", "no time between 2020 and 2099"),
        ("created", "0001-01-01T00:00:00+00:00", "no time between 2020 and 2099"),
        ("created", "2026-01-02T03:04:05", "no time between 2020 and 2099 with its zone"),
        ("created", "20260102T030405+00:00", "no time between 2020 and 2099 with its zone"),
        ("created", "9999-12-31T23:59:59+00:00", "no time between 2020 and 2099"),
        ("hardware", "a\x1b[31mb", "plainly"),
    ],
)  # fmt: skip
def test_a_wrong_result_is_refused_with_a_reason(claim, path, value, said):
    document = edit(claim.document, path, value)
    with pytest.raises(AutophagyError, match=said):
        claim(document)


def test_a_result_that_is_not_there_is_named(tmp_path):
    with pytest.raises(AutophagyError, match=r"cannot read .*none\.json: No such file"):
        read_claim(tmp_path / "none.json")


def test_a_shortened_lineage_is_refused(claim):
    generations = claim.document["tasks"]["digits-replace"]["lineages"][0]["generations"]
    with pytest.raises(AutophagyError, match="stops at generation 1"):
        claim(edit(claim.document, f"{LINEAGE}/generations", generations[:2]))


def test_damaged_or_missing_files_of_the_run_are_named(finished, tmp_path):
    run = finished.copy(tmp_path)
    (folder,) = (run.out / "quick" / "lineages" / "tail_quota").glob("digits*")
    model = folder / "model-02.safetensors"
    model.write_bytes(model.read_bytes()[:-3])
    with pytest.raises(AutophagyError, match=r"model-02\.safetensors cannot be used"):
        accept(run, run.result)
    (folder / "samples-02.safetensors").unlink()
    with pytest.raises(AutophagyError, match="were pruned"):
        accept(run, run.result)
    shutil.rmtree(folder)
    with pytest.raises(AutophagyError, match="not beside"):
        accept(run, run.result)
    (run.out / "quick" / "nothing.json").unlink()
    with pytest.raises(AutophagyError, match=r"nothing\.json"):
        accept(run, run.result)


def places(value, path=""):
    """The path of everything in a document that can be changed."""
    if path.partition("/")[0] in FREE:
        return
    if path:
        yield path
    inside = enumerate(value) if isinstance(value, list) else ()
    for key, inner in value.items() if isinstance(value, dict) else inside:
        yield from places(inner, f"{path}/{key}" if path else str(key))


odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=10),
    st.just([]),
    st.just({}),
    st.just("\ud800"),
    st.just(10**400),
)
shared = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=250, deadline=None, suppress_health_check=shared)
@given(data=st.data())
def test_no_changed_value_is_accepted_and_none_makes_a_traceback(claim, data):
    path = data.draw(st.sampled_from(sorted(places(claim.document))))
    document = edit(claim.document, path, data.draw(odd))
    if json.dumps(document) == json.dumps(claim.document):
        return
    with pytest.raises(AutophagyError) as caught:
        claim(document)
    assert len(str(caught.value).splitlines()) == 1


@settings(max_examples=150, deadline=None, suppress_health_check=shared)
@given(data=st.data())
def test_no_changed_text_is_accepted_and_none_makes_a_traceback(claim, data):
    text = json.dumps(claim.document, indent=1)
    begin, end = text.index('"method"'), text.index('"versions"')
    where = data.draw(st.integers(begin, end - 5))
    new = data.draw(st.text(max_size=3) | st.sampled_from(["[" * 5000, "{", "1e999", "NaN"]))
    cut = data.draw(st.integers(0, 3))
    changed = text[:where] + new + text[where + cut :]
    if changed == text:
        return
    if data.draw(st.booleans()):
        changed = changed[: where + 10]
    with pytest.raises(AutophagyError):
        claim(changed)
