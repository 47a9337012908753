"""Watermarks: found in what was marked and nowhere else, by its key only, until laundered."""

from functools import partial

import pytest
import torch
from transformers import LlamaConfig, SynthIDTextWatermarkLogitsProcessor, WatermarkDetector
from transformers.generation import WatermarkingConfig, WatermarkLogitsProcessor

from baselines import watermark_green_list as green
from baselines import watermark_synthid as synthid
from baselines._watermark import mark_pixels, pixel_scores, unmarked
from benchmark import Access, Items
from benchmark.basics.seeds import number, stream
from benchmark.interface.round import Ledger, Limits, Round
from benchmark.tasks import assets
from benchmark.tasks.images.recipes import ImageLaundering
from benchmark.tasks.suites import load_task
from benchmark.tasks.text import llama
from benchmark.tasks.text.codec import TextPublisher
from benchmark.tasks.text.recipes import TextLaundering
from tests.tiny import era_of

KEY = number("watermark key", 0)  # as large as the harness's
OTHER = number("watermark key", 1)
VOCABULARY = 512  # of the speeches
TEXTS = {
    "green list": (
        lambda key: partial(green.favour, green.green_list(key, VOCABULARY)),
        partial(green.green_scores, vocabulary=VOCABULARY),
    ),
    "synthid": (synthid.Tournament, synthid.tournament_scores),
}


@pytest.fixture(scope="module")
def digits():
    return era_of(load_task("digits-web").data.build(), 400, 200, "watermark")


@pytest.fixture(scope="module")
def speeches():
    return era_of(load_task("speeches-web").data.build(), 300, 100, "watermark")


@pytest.fixture(scope="module")
def written():
    """What the frozen language model publishes with each mark: name -> 60 texts."""
    model = assets.load_network("speeches-reference.safetensors", llama.build_llama)
    publisher, texts = TextPublisher(64), {}
    for name, (marks, _) in TEXTS.items():
        mark = marks(KEY)
        uniform = torch.rand(60, 64 + publisher.margin, generator=stream(name))
        tokens = llama.sample(
            model, uniform, lambda w, logits, mark=mark: mark(w, logits).softmax(-1)
        )
        texts[name] = publisher.publish(tokens)
    return texts


def rate(scores: torch.Tensor, trusted: torch.Tensor) -> float:
    """Share of the items whose score is above the nominal 1% threshold."""
    return ((scores - trusted.mean()) / trusted.std() > 2.33).double().mean().item()


@pytest.mark.parametrize("name", TEXTS)
def test_marked_text_is_found_and_real_text_is_not(name, written, speeches):
    """After decoding, encoding again and cutting to 64 tokens, as it is published."""
    score = TEXTS[name][1]
    trusted = score(speeches.trusted["tokens"], KEY)
    assert rate(score(written[name]["tokens"], KEY), trusted) > 0.95
    assert rate(score(speeches.real["tokens"], KEY), trusted) < 0.05
    wrong = score(speeches.trusted["tokens"], OTHER)
    assert rate(score(written[name]["tokens"], OTHER), wrong) < 0.1


@pytest.mark.parametrize("name", TEXTS)
def test_replaced_tokens_hide_a_text_mark_the_more_the_more_there_are(name, written, speeches):
    score = TEXTS[name][1]
    trusted = score(speeches.trusted["tokens"], KEY)
    found = []
    for replaced in (0.0, 0.3, 1.0):
        launder = TextLaundering(share=1.0, replaced=replaced).build()
        found.append(rate(score(launder(written[name], stream("l"))["tokens"], KEY), trusted))
    assert found[0] > 0.95
    assert found[0] > found[1] + 0.02 > found[2] + 0.2
    assert found[2] < 0.08


def test_the_green_list_is_that_of_transformers():
    """Its processor, text after text, and its detector."""
    rng = stream("green list")
    texts = torch.randint(1, VOCABULARY, (20, 40), generator=rng)
    texts[:, 20:30] = texts[:, :10]  # repeated bigrams
    logits = torch.randn(20, VOCABULARY, generator=rng)
    processor = WatermarkLogitsProcessor(
        VOCABULARY, "cpu", green.GREEN, green.BIAS, hashing_key=KEY
    )
    ours = green.favour(green.green_list(KEY, VOCABULARY), texts, logits)
    torch.testing.assert_close(ours, processor(texts, logits), rtol=0, atol=0)

    config = WatermarkingConfig(green.GREEN, green.BIAS, hashing_key=KEY)
    model = LlamaConfig(vocab_size=VOCABULARY, bos_token_id=0)
    detector = WatermarkDetector(model, "cpu", config, ignore_repeated_ngrams=True)
    torch.testing.assert_close(
        green.green_scores(texts, KEY, VOCABULARY).double(),
        torch.as_tensor(detector(texts, return_dict=True).z_score).double(),
    )


def test_the_tournament_is_that_of_transformers_and_begins_anew_with_each_batch():
    ours = synthid.Tournament(KEY)
    rng = stream("tournament")
    for _ in range(2):  # two batches
        theirs = SynthIDTextWatermarkLogitsProcessor(
            synthid.NGRAM, ours.keys.tolist(), synthid.TABLE, 0, 1024, torch.device("cpu")
        )
        texts = torch.randint(1, 5, (8, 12), generator=rng)  # few words: contexts repeat
        for t in range(12):
            logits = torch.randn(8, 50, generator=rng)
            torch.testing.assert_close(ours(texts[:, :t], logits), theirs(texts[:, :t], logits))


def test_marked_images_are_found_and_look_the_same(digits):
    marked = mark_pixels(digits.real["image"], KEY)
    trusted = pixel_scores(digits.trusted["image"], KEY)
    assert rate(pixel_scores(marked, KEY), trusted) > 0.98
    assert rate(pixel_scores(digits.real["image"], KEY), trusted) < 0.05
    wrong = pixel_scores(digits.trusted["image"], OTHER)
    assert rate(pixel_scores(marked, OTHER), wrong) < 0.15
    change = marked.float() - digits.real["image"].float()
    assert marked.dtype == torch.uint8
    assert change.abs().max() <= 2
    assert abs(change.mean()) < 1  # of 255; black pixels can only become lighter


def test_jpeg_and_shift_hide_an_image_mark(digits):
    marked = Items(image=mark_pixels(digits.real["image"], KEY), label=digits.real["label"])
    trusted = pixel_scores(digits.trusted["image"], KEY)

    def found(**how: int) -> float:
        items = ImageLaundering(share=1.0, **how).build()(marked, stream("l"))
        return rate(pixel_scores(items["image"], KEY), trusted)

    assert found(quality=95, shift=0) > 0.9
    assert found(quality=75, shift=0) < 0.8
    assert found(quality=95, shift=1) < 0.4  # one in nine is not moved


@pytest.mark.parametrize(
    ("clean", "from_reserve", "marked"), [(80, 0, 0), (45, 10, 0), (3, 10, 37), (0, 10, 40)]
)
def test_what_is_left_is_filled_up_with_the_reserve_then_with_marked_items(
    clean, from_reserve, marked
):
    n, granted = 100, {Access.RESERVE: Items(x=torch.arange(9000, 9010))}
    round_ = Round(1, n, "toy", stream("r"), granted, None, Ledger(), Limits(0, 0, 0))
    scores = torch.linspace(10, 20, n)
    scores[:clean] = 0
    order = torch.randperm(n, generator=stream("order"))
    trusted = torch.tensor([-1.0, 0.0, 1.0])
    items = unmarked(Items(x=torch.arange(n)).take(order), round_, scores[order], trusted).items
    x = items["x"]
    assert len(set(x.tolist())) == len(x) == clean + from_reserve + marked
    assert (x < clean).sum() == clean
    assert (x >= 9000).sum() == from_reserve
    if marked:  # from all over the marked items, not the least marked of them
        assert abs(x[(x >= clean) & (x < n)].double().mean() - n / 2) < 12
