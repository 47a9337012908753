"""Items: what every other part passes around."""

import pytest
import torch

from benchmark import Items
from benchmark.basics.errors import MethodError
from benchmark.basics.seeds import stream


def items(n: int = 10) -> Items:
    return Items(tokens=torch.arange(n * 3).view(n, 3), label=torch.arange(n))


def test_columns_stay_together():
    taken = items().take(torch.tensor([7, 2]))
    assert taken["label"].tolist() == [7, 2]
    assert taken["tokens"][0].tolist() == [21, 22, 23]
    assert items().take(items()["label"] > 7)["label"].tolist() == [8, 9]


def test_columns_of_different_length_are_refused():
    with pytest.raises(MethodError, match="differ in length"):
        Items(a=torch.zeros(3), b=torch.zeros(4))


def test_draw_is_without_replacement_and_seeded():
    drawn = items().draw(10, stream("a"))["label"]
    assert sorted(drawn.tolist()) == list(range(10))
    assert torch.equal(drawn, items().draw(10, stream("a"))["label"])
    assert not torch.equal(drawn, items().draw(10, stream("b"))["label"])


def test_concat_refuses_other_kinds():
    with pytest.raises(MethodError, match="different kinds"):
        Items.concat([items(), Items(tokens=torch.zeros(2, 3))])
    assert len(Items.concat([items(), items()])) == 20


@pytest.mark.parametrize("joined", [False, True])
def test_a_union_is_taken_from_by_masks_as_by_places(joined):
    union = Items.concat([items(), items().take([7])])
    if joined:
        assert union["label"].tolist()[-1] == 7
    mask = torch.zeros(11, dtype=torch.bool)
    mask[[2, 9, 10]] = True
    assert union.take(mask)["label"].tolist() == [2, 9, 7]
    assert len(union.take(torch.zeros(11, dtype=torch.bool))) == 0


def test_unique_keeps_first_appearance():
    twice = Items.concat([items().take([3, 1]), items()])
    assert twice.unique()["label"].tolist() == [3, 1, 0, 2, 4, 5, 6, 7, 8, 9]


def test_a_slice_does_not_share_memory():
    whole = items()
    whole.take(slice(0, 5))["label"].zero_()
    assert whole["label"].tolist() == list(range(10))


def test_digest_sees_order_dtype_and_content():
    base = items()
    assert base.digest() == items().digest()
    assert base.digest() != base.take(torch.arange(9, -1, -1)).digest()
    assert Items(a=torch.zeros(2)).digest() != Items(a=torch.zeros(2, dtype=torch.int32)).digest()
