"""A method that has nothing to do in a modality is recorded so, never measured as 0."""

import pytest

from benchmark import Mitigation, Round, Sampling
from benchmark.basics.errors import Inapplicable, InputError
from benchmark.interface.find import find_method
from benchmark.lineage.loop import run_lineage
from benchmark.lineage.store import LineageFolder, LineageMemory, finished_records
from benchmark.runs.sandbox.hooks import make_class
from tests.tiny import TINY, by_name

TASKS = by_name(TINY)


class ForText(Mitigation):
    modalities = frozenset({"text"})


class Guided(Mitigation):
    def sampling(self, round: Round) -> Sampling:
        return Sampling(guidance=1.0)


class Both(Mitigation):
    def sampling(self, round: Round) -> Sampling:
        return Sampling(guidance=1.0, temperature=0.9)


class AlsoTrains(Guided):
    def loss(self, per_element, outputs):
        return 2 * per_element


def last(method, task: str, cache) -> dict:
    return run_lineage(TASKS[task], method, 0, LineageMemory(), cache)[-1]


def test_a_method_for_another_modality_is_not_applicable(tmp_path, shared_cache):
    store = LineageFolder(tmp_path)
    records = run_lineage(TASKS["digits-web"], ForText, 0, store, shared_cache)
    (record,) = records
    assert (record["generation"], record["status"]) == (0, "inapplicable")
    assert record["message"] == "ForText is for text: it has nothing to do with image"
    assert "profile" not in record
    assert finished_records(store, 2) == records  # nothing is left to do
    assert run_lineage(TASKS["digits-web"], ForText, 0, store, shared_cache) == records
    assert last(ForText, "speeches-web", shared_cache)["status"] == "ok"


def test_settings_that_do_not_act_are_recognised(shared_cache):
    record = last(Guided, "speeches-web", shared_cache)
    assert (record["generation"], record["status"]) == (0, "inapplicable")
    assert record["message"] == "Guided does nothing but set guidance, which does not act on text"
    for method, task in ((Guided, "digits-web"), (Both, "speeches-web"),
                         (AlsoTrains, "speeches-web"), (Mitigation, "speeches-web")):  # fmt: skip
        assert last(method, task, shared_cache)["status"] == "ok"


class Excused(Mitigation):
    def curate(self, crawl, round):
        raise Inapplicable("I would rather not")


def test_a_hook_cannot_excuse_itself(shared_cache):
    record = last(Excused, "speeches-web", shared_cache)
    assert record["status"] == "failed"
    assert "raised Inapplicable: I would rather not" in record["message"]


def test_modalities_are_names():
    class Wrong(Mitigation):
        modalities = "text"

    with pytest.raises(InputError, match=r"Wrong\.access has modalities that are not a frozenset"):
        find_method(Wrong)


def test_the_sandbox_says_for_which_modalities_a_method_is():
    cls = make_class(None, ["X", "A summary.", [], ["text"], ["sampling"]])
    assert cls.modalities == {"text"}
