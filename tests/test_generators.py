"""The two neural generators: what training, sampling and scoring promise."""

import copy
import functools
import math

import pytest
import torch
import torch.nn.functional as F

from benchmark import Items, Sampling, TrainingSet
from benchmark.basics.errors import Diverged, MethodError
from benchmark.basics.seeds import stream
from benchmark.tasks.text import llama
from benchmark.tasks.text.language import make_chooser
from tests.rounding import assert_same_but_for_rounding
from tests.tiny import TOY_TASKS, era_of

MODALITIES = {"image": "digits-replace", "text": "speeches-replace"}
STEPS = 40


@functools.cache
def trained(modality):
    """(generator, a little trained model, real items, held-out items)."""
    task = TOY_TASKS[MODALITIES[modality]]
    generator = task.generator.build()
    era = era_of(task.data.build(), 120, 12, "generators")
    model = generator.train(TrainingSet(era.real), stream("train"), steps=STEPS)
    return generator, model, era.real, era.heldout


@pytest.fixture(params=MODALITIES)
def setup(request):
    return trained(request.param)


def weights(model: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_training_learns_and_is_reproducible(setup):
    generator, model, real, heldout = setup
    again = generator.train(TrainingSet(real), stream("train"), steps=STEPS)
    assert torch.equal(weights(model), weights(again))
    untrained = generator.train(TrainingSet(real), stream("train"), steps=1)
    assert generator.loss(model, heldout) < 0.95 * generator.loss(untrained, heldout)


def test_another_seed_gives_another_model(setup):
    generator, _model, real, _ = setup
    other = generator.train(TrainingSet(real), stream("other"), steps=1)
    first = generator.train(TrainingSet(real), stream("train"), steps=1)
    assert not torch.equal(weights(other), weights(first))


def test_saved_weights_give_the_same_samples(setup):
    """A continued lineage must not differ from an uninterrupted one."""
    generator, model, _, _ = setup
    loaded = generator.blank()
    loaded.load_state_dict(model.state_dict())
    samples = [generator.sample(m, 20, stream("s"), Sampling()) for m in (model, loaded.eval())]
    assert samples[0].digest() == samples[1].digest()


def test_samples_look_like_real_items(setup):
    generator, model, real, _ = setup
    samples = generator.sample(model, 30, stream("s"), Sampling())
    assert len(samples) == 30
    assert samples.same_kind(real)


def test_zero_weights_leave_items_out(setup):
    """Training with weights 0/1 equals training on loss of the chosen items only."""
    generator, _, real, _ = setup
    chosen = torch.arange(len(real)) < 60
    other = Items.concat([real.take(chosen), real.take(chosen)])  # other items where weight is 0
    models = [
        generator.train(TrainingSet(items, chosen.float()), stream("w"), steps=5)
        for items in (real, other)
    ]
    # Images are encoded in batches, whose composition moves the last bits of the latents.
    assert torch.allclose(weights(models[0]), weights(models[1]), atol=1e-4)
    plain = generator.train(TrainingSet(real), stream("w"), steps=5)
    assert not torch.allclose(weights(models[0]), weights(plain), atol=1e-4)


def test_weights_matter_only_by_their_ratios(setup):
    generator, _, real, _ = setup
    w = torch.rand(len(real), generator=stream("ratio"))
    models = [
        generator.train(TrainingSet(real, w * scale), stream("w"), steps=3) for scale in (1, 4)
    ]
    assert torch.allclose(weights(models[0]), weights(models[1]), atol=1e-5)


def test_the_loss_hook_sees_elements_and_outputs(setup):
    generator, _, real, _ = setup
    seen = []

    def hook(per_element: torch.Tensor, outputs: torch.Tensor) -> torch.Tensor:
        seen.append((per_element.shape, outputs.shape))
        return per_element * 0

    start = generator.train(TrainingSet(real), stream("h"), loss=hook, steps=1)
    end = generator.train(TrainingSet(real), stream("h"), loss=hook, steps=1)
    assert torch.equal(weights(start), weights(end))
    shape, outputs = seen[0]
    assert shape[0] == generator.batch
    assert outputs[: len(shape)] == shape


def test_finetuning_leaves_the_original_alone(setup):
    generator, model, real, _ = setup
    before = weights(model).clone()
    tuned = generator.train(TrainingSet(real), stream("f"), model=model, steps=3)
    assert torch.equal(weights(model), before)
    assert not torch.equal(weights(tuned), before)


def test_the_rate_scales_the_learning_rate(setup):
    generator, model, real, _ = setup
    moved = [
        (
            weights(generator.train(TrainingSet(real), stream("r"), None, model, 3, rate))
            - weights(model)
        )
        for rate in (0.0, 0.1, 1.0)
    ]
    assert not moved[0].any()
    assert 0 < moved[1].norm() < 0.2 * moved[2].norm()


def test_a_model_with_nan_weights_is_reported_as_diverged(setup):
    generator, model, real, _ = setup
    broken = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in broken.parameters():
            parameter.fill_(math.nan)
    with pytest.raises(Diverged):
        generator.sample(broken, 5, stream("nan"), Sampling())
    with pytest.raises(Diverged):
        generator.train(TrainingSet(real), stream("nan"), model=broken, steps=2)


def test_log_prob_and_features_have_one_row_an_item(setup):
    generator, model, real, heldout = setup
    assert generator.log_prob(model, real).shape == (len(real),)
    assert generator.features(model, heldout).shape[0] == len(heldout)
    # The model was trained on `real`: it likes shuffled content less.
    broken = Items(**{k: v.flip(-1) if v.dim() > 1 else v for k, v in real.columns.items()})
    assert generator.log_prob(model, real).mean() > generator.log_prob(model, broken).mean()


@pytest.fixture
def text():
    return trained("text")[:2]


def test_fast_sampling_has_the_models_own_distribution(text):
    """At every step the sampler's probabilities are those of the model's forward pass."""
    _generator, model = text
    steps = []

    def record(written: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        steps.append(logits.log_softmax(-1))
        return logits.softmax(-1)

    uniform = torch.rand(16, 20, generator=stream("u"))
    tokens = llama.sample(model, uniform, record)
    with torch.no_grad():
        reference = llama.logits_of(model, tokens).log_softmax(-1)
    assert torch.allclose(torch.stack(steps, 1), reference, atol=1e-4)


def test_inversion_draws_tokens_with_their_probabilities(text):
    """Chi-squared of 20,000 first tokens against the model's first distribution."""
    _generator, model = text
    uniform = torch.rand(20_000, 1, generator=stream("chi"))
    drawn = llama.sample(model, uniform, make_chooser(Sampling())).flatten()
    with torch.no_grad():
        logits = llama.logits_of(model, torch.zeros(1, 1, dtype=torch.int64))[0, 0]
    logits[llama.START] = -torch.inf
    expected = logits.softmax(-1) * len(drawn)
    often = expected > 20
    observed = torch.bincount(drawn, minlength=len(expected))
    chi2 = ((observed - expected)[often] ** 2 / expected[often]).sum().item()
    freedom = int(often.sum()) - 1
    assert abs(chi2 - freedom) < 5 * (2 * freedom) ** 0.5


@pytest.fixture(scope="module")
def tiny():
    """A model of 6 tokens, whose distributions can be enumerated, with sharp attention."""
    torch.manual_seed(5)
    model = llama.build_llama(6, 16, 2, 2, 32).eval()
    with torch.no_grad():
        for layer in model.model.layers:
            for part in (layer.self_attn.q_proj, layer.self_attn.k_proj, layer.self_attn.v_proj):
                part.weight.mul_(4)
    return model


def written_by_generate(model, n: int, length: int) -> torch.Tensor:
    torch.manual_seed(6)
    start = torch.full((n, 1), llama.START)
    written = model.generate(
        start, attention_mask=torch.ones_like(start), do_sample=True, top_k=0, use_cache=True,
        max_new_tokens=length, pad_token_id=llama.START,
    )  # fmt: skip
    return written[:, 1:]


def written_by_us(model, n: int, length: int) -> torch.Tensor:
    uniform = torch.rand(n, length, generator=stream("tiny"))
    return llama.sample(model, uniform, lambda written, logits: logits.softmax(-1))


def pairs(tokens: torch.Tensor) -> torch.Tensor:
    """Counts of the 36 pairs of neighbours."""
    return torch.bincount((6 * tokens[:, :-1] + tokens[:, 1:]).flatten(), minlength=36).double()


@pytest.mark.parametrize("write", [written_by_us, written_by_generate])
def test_sequences_of_two_have_the_models_exact_distribution(tiny, write):
    first, second = torch.arange(6).repeat_interleave(6), torch.arange(6).repeat(6)
    every = torch.stack([first, second], 1)
    with torch.no_grad():
        logits = tiny(input_ids=F.pad(every[:, :-1], (1, 0), value=llama.START)).logits
    nats = llama.nll(logits, every)
    expected = 30_000 * (-nats.double().sum(1)).exp()
    assert expected.sum() == pytest.approx(30_000, rel=1e-4)
    observed = pairs(write(tiny, 30_000, 2))
    common = expected > 5
    assert common.sum() > 20
    chi2 = ((observed - expected)[common] ** 2 / expected[common]).sum().item()
    freedom = int(common.sum()) - 1
    assert chi2 < freedom + 4 * (2 * freedom) ** 0.5


def test_tokens_follow_the_distribution_of_generate(tiny):
    """Two samples of 5,000 blocks: tokens by place and, away from the start, pairs.

    Pairs of one block depend on each other, so one pair is
    taken of each."""
    length = 20
    ours, theirs = (write(tiny, 5_000, length) for write in (written_by_us, written_by_generate))
    one_hot = [F.one_hot(x, 6).sum(0).double().flatten() for x in (ours, theirs)]
    ends = [pairs(x[:, -2:]) for x in (ours, theirs)]
    for (a, b), freedom in ((one_hot, 5 * length), (ends, 35)):
        seen = a + b > 10
        chi2 = ((a - b)[seen] ** 2 / (a + b)[seen]).sum().item()
        # Places of a block are dependent, which widens the statistic's spread.
        assert chi2 < freedom + 6 * (2 * freedom) ** 0.5
        assert seen.sum() > freedom / 2


def test_the_passes_are_those_of_the_module():
    """Logits and gradients."""
    torch.manual_seed(7)
    model = llama.build_llama(512, 96, 2, 4, 192)
    tokens = torch.randint(1, 512, (16, 64), generator=stream("passes"))
    shifted = F.pad(tokens[:, :-1], (1, 0), value=llama.START)
    results = []
    for logits in (llama.logits_of(model, tokens), model(input_ids=shifted).logits):
        loss = llama.nll(logits, tokens).mean()
        results.append([logits, *torch.autograd.grad(loss, list(model.parameters()))])
    for ours, module in zip(*results, strict=True):
        assert (ours - module).norm() <= 1e-5 * module.norm()


def test_sampling_does_not_depend_on_the_batch_size(text):
    _generator, model = text
    uniform = torch.rand(40, 12, generator=stream("b"))
    drawn = [llama.sample(model, uniform, make_chooser(Sampling()), batch=size) for size in (40, 7)]
    assert_same_but_for_rounding(*(Items(tokens=tokens) for tokens in drawn))


def test_logits_are_those_that_tokens_are_sampled_from(text):
    generator, model = text
    samples = generator.sample(model, 12, stream("l"), Sampling())
    logits = generator.logits(model, samples)
    assert (logits[..., llama.START] == -torch.inf).all()
    nats = llama.nll(logits, samples["tokens"])
    assert torch.allclose(-nats.sum(1), generator.log_prob(model, samples), atol=0.5)
    assert nats.shape == samples["tokens"].shape


def choose(scores: torch.Tensor, **how) -> torch.Tensor:
    written = torch.zeros(len(scores), 0, dtype=torch.int64)
    return make_chooser(Sampling(**how))(written, scores.clone())


def test_temperature_top_k_and_top_p():
    logits = torch.tensor([[9.0, 0.0, math.log(2), math.log(5), math.log(2)]])  # START never
    assert torch.allclose(choose(logits)[0], torch.tensor([0, 0.1, 0.2, 0.5, 0.2]), atol=1e-6)
    assert choose(logits, top_k=1)[0].tolist() == [0, 0, 0, 1, 0]
    assert choose(logits, top_p=0.49)[0].tolist() == [0, 0, 0, 1, 0]
    assert (choose(logits, top_p=0.6)[0] > 0).sum() == 2
    cold = choose(logits, temperature=0.5)[0]
    assert cold[3] == pytest.approx(25 / 34, abs=1e-5)


def test_a_watermark_acts_after_truncation():
    scores = torch.randn(3, 50, generator=stream("wm"))
    favourite = F.one_hot(torch.tensor(7), 50) * 100

    def mark(written: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        return logits + favourite

    kept = choose(scores, top_k=20)[:, 7] > 0
    assert 0 < kept.sum() < 3
    assert ((choose(scores, top_k=20, logits=mark)[:, 7] > 0.99) == kept).all()


@pytest.fixture
def image():
    return trained("image")[:2]


def test_images_have_no_logits(image):
    generator, model = image
    with pytest.raises(MethodError, match="images have no logits"):
        generator.logits(model, generator.sample(model, 2, stream("g"), Sampling()))


def test_guidance_and_temperature_change_images_and_keep_their_labels(image):
    generator, model = image
    plain = generator.sample(model, 20, stream("g"), Sampling())
    for how in (
        Sampling(guidance=1.0),
        Sampling(temperature=0.5),
        Sampling(guidance=1.0, negative=model),
    ):
        changed = generator.sample(model, 20, stream("g"), how)
        assert torch.equal(changed["label"], plain["label"])
        # Steering away from oneself changes nothing.
        assert torch.equal(changed["image"], plain["image"]) == (how.negative is not None)
