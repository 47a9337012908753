"""Cards: what is accepted, what is said of the rest, and that no bytes make a traceback."""

import math
import string

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.basics.errors import InputError
from benchmark.submission.card import MEND, Card, parse_card

GOOD = {
    "name": "mine",
    "summary": "Mixes the old with the new.",
    "authors": ["Ada Lovelace", "Émilie du Châtelet"],
    "paper": "https://arxiv.org/abs/2404.01413",
    "code": None,
    "access": ["ARCHIVE", "RESERVE"],
    "hyper_parameters": {"share": 0.5, "bins": 10, "tuned": False, "kind": "plain"},
    "licence": "Apache-2.0 OR MIT",
}


def card(**changes):
    return parse_card(yaml.safe_dump(GOOD | changes, allow_unicode=True).encode())


def test_a_good_card_is_read_as_it_is():
    read = card()
    assert {name: getattr(read, name) for name in GOOD} == GOOD
    assert read.contact is None


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("name", "Mine", "right form"),
        ("name", "mine\n", "right form"),
        ("name", "../mine", "right form"),
        ("summary", "short", "at least 10"),
        ("summary", "two lines\nof a summary", "control characters"),
        ("summary", "turned \u202earound by a sign", "control characters"),
        ("summary", "a line\u2028separator inside", "line break"),
        ("authors", [], "at least 1"),
        ("authors", "Ada", "valid list"),
        ("authors", ["Ada", "Ada"], "twice"),
        ("authors", [1], "valid string"),
        ("paper", "javascript:alert(1)", "plain http"),
        ("paper", "https://user:secret@host/", "plain http"),
        ("paper", "https://host/<script>", "plain http"),
        ("paper", "https://[bad", "not a link"),
        ("code", "https://h/" + "x" * 300, "at most 300"),
        ("access", ["ARCHIVE", "EVERYTHING"], "not an access"),
        ("access", ["ARCHIVE", "ARCHIVE"], "twice"),
        ("hyper_parameters", {"a": [1, 2]}, "not a number"),
        ("hyper_parameters", {"a": math.inf}, "ordinary size"),
        ("hyper_parameters", {"a": math.nan}, "ordinary size"),
        ("hyper_parameters", {"a": 10**400}, "ordinary size"),
        ("hyper_parameters", {"a": -(10**400)}, "ordinary size"),
        ("hyper_parameters", {"a": None}, "not a number"),
        ("hyper_parameters", {"=cmd()": 1}, "right form"),
        ("hyper_parameters", {f"a{i}": i for i in range(51)}, "at most 50"),
        ("licence", "do what you like!", "right form"),
        ("contact", "x" * 201, "at most 200"),
    ],
)
def test_every_refusal_names_field_problem_and_remedy(field, value, problem):
    with pytest.raises(InputError, match=f"field '{field}' ") as caught:
        card(**{field: value})
    assert problem in str(caught.value)
    assert str(caught.value).endswith(MEND[field])


@pytest.mark.parametrize("field", ["name", "summary", "authors", "access", "licence"])
def test_a_missing_field_is_named(field):
    text = yaml.safe_dump({k: v for k, v in GOOD.items() if k != field})
    with pytest.raises(InputError, match=f"'{field}' is missing"):
        parse_card(text.encode())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "not a list of fields"),
        (b"- a\n- b", "not a list of fields"),
        (b"name: [", "line 1 is not YAML"),
        (b"\xff\xfe", "not UTF-8"),
        (b"name: a\nname: b", "line 1 is not YAML: a field is given twice"),
        (b"name: &a x\nsummary: *a", "anchor"),
        (b"name: !!python/object/apply:os.system [ls]", "tag"),
        (b"x: 1\n" * 4000, "16,384 is the most"),
        (b"[" * 16_000, "nested too deeply"),
        (b"- " * 8_000, "nested too deeply"),
        (b"{a: " * 4_000, "nested too deeply"),
        (b"? {a: 1}\n: 2", "not YAML"),
        (b"a: 1" + b":59" * 200 + b".5", "not YAML: int too large"),  # YAML's base 60
        (b"a: " + b"9" * 5_000, "not YAML"),
        (yaml.safe_dump(GOOD).encode() + b"? 0x" + b"f" * 6_000 + b"\n: 1", "unknown field"),
        (yaml.safe_dump(GOOD | {"pay": "me"}).encode(), "unknown field 'pay'"),
        (yaml.safe_dump(GOOD).encode() + b'"\\ud800": 1\n', "unknown field"),
    ],
)
def test_what_is_no_plain_yaml_is_refused(text, said):
    with pytest.raises(InputError, match=said):
        parse_card(text)


def accepted_or_one_sentence(content):
    """Whatever is accepted keeps every promise of a card."""
    refusal = None
    try:
        read = parse_card(content)
    except InputError as error:
        refusal = str(error)
    if refusal is not None:
        assert refusal.isprintable()  # one line, then, and nothing that a terminal obeys
        assert len(refusal) < 500
        return
    assert isinstance(read, Card)
    assert set(read.name) <= set(string.ascii_lowercase + string.digits + "_-")
    for text in (read.summary, read.licence, read.contact or "", *read.authors):
        assert text.isprintable()
        assert len(text) <= 200
    for link in (read.paper, read.code):
        assert link is None or link.startswith(("https://", "http://"))
    for value in read.hyper_parameters.values():
        assert isinstance(value, str) or math.isfinite(value)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda t: t.encode(errors="replace")))
def test_any_bytes_are_a_card_or_one_sentence(content):
    accepted_or_one_sentence(content)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="[]{}:,-?!&*<=|>%@'\"#~ \n\t01.xe_onft", max_size=60))
def test_any_signs_of_yaml_are_a_card_or_one_sentence(text):
    accepted_or_one_sentence(text.encode())


@settings(max_examples=250, deadline=None)
@given(st.dictionaries(st.sampled_from([*MEND, "extra"]), values, max_size=3))
def test_any_change_of_a_good_card_is_a_card_or_one_sentence(changes):
    accepted_or_one_sentence(yaml.safe_dump(GOOD | changes, allow_unicode=True).encode())
