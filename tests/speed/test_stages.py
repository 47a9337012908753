"""Every hot path of a generation at `small` scale."""

import pytest
import torch

from baselines.accumulate_subsample import AccumulateSubsample
from benchmark import Access, Items, Sampling, TrainingSet
from benchmark.basics.cache import FolderCache
from benchmark.basics.seeds import stream
from benchmark.interface.round import Ledger, Limits, Round
from benchmark.lineage.hooks import Hooks
from benchmark.lineage.marks import Written
from benchmark.lineage.store import LineageFolder
from benchmark.lineage.workshop import copy_state
from benchmark.tasks.text import llama
from benchmark.tasks.text.language import make_chooser
from tests.speed import flop

MODALITIES = pytest.mark.parametrize("modality", ["image", "text"])


def test_train_language_model(bench, scale):
    """20 steps."""
    s = scale("text")
    recipe, steps = s.task.generator, 20 if bench.enabled else 2
    shape = (recipe.batch * recipe.length, recipe.width, recipe.width)
    work = steps * 3 * flop.language_forward(recipe, recipe.batch)
    data = TrainingSet(s.crawl)
    bench(lambda: s.generator.train(data, stream("t"), steps=steps), 7, work, shape)


def test_train_denoiser(bench, scale, monkeypatch):
    """40 steps."""
    s = scale("image")
    recipe, steps = s.task.generator, 40 if bench.enabled else 2
    latents = s.generator.publisher.encode(s.crawl)  # a case of its own
    monkeypatch.setattr(s.generator.publisher, "encode", lambda items: latents)
    work = steps * 3 * flop.denoiser_forward(recipe, recipe.batch)
    shape, data = (recipe.batch, recipe.width, recipe.width), TrainingSet(s.crawl)
    bench(lambda: s.generator.train(data, stream("t"), steps=steps), 7, work, shape)


def test_sample_language_model(bench, scale):
    s = scale("text")
    recipe = s.task.generator
    length = recipe.length + s.generator.publisher.margin
    uniform = torch.rand(s.task.n, length, generator=stream("u"))
    work = flop.language_sampling(recipe, s.task.n, length)
    shape = (s.task.n, recipe.width, recipe.width)
    bench(lambda: llama.sample(s.model, uniform, make_chooser(Sampling())), 4, work, shape)


def test_sample_denoiser(bench, scale, monkeypatch):
    s = scale("image")
    recipe, n = s.task.generator, s.task.n
    publisher = s.generator.publisher
    monkeypatch.setattr(publisher, "publish", lambda x, labels: Items(x=x, label=labels))
    work = recipe.sampling_steps * flop.denoiser_forward(recipe, n)
    shape = (n, recipe.width, recipe.width)
    bench(lambda: s.generator.sample(s.model, n, stream("s"), Sampling()), 4, work, shape)


def test_encode_images(bench, scale):
    s = scale("image")
    bench(lambda: s.generator.publisher.encode(s.crawl))


def test_publish_images(bench, scale):
    s = scale("image")
    latents = s.generator.publisher.encode(s.crawl)
    bench(lambda: s.generator.publisher.publish(latents, s.crawl["label"]))


def test_publish_text(bench, scale):
    s = scale("text")
    margin = s.crawl["tokens"][:, : s.generator.publisher.margin]
    tokens = torch.cat([s.crawl["tokens"], margin], 1)
    bench(lambda: s.generator.publisher.publish(tokens))


@MODALITIES
def test_profile(bench, scale, modality):
    s = scale(modality)
    evaluator = s.task.evaluation.build()
    bench(lambda: evaluator.profile(s.generator, s.model, s.crawl, s.era), 4)


@MODALITIES
def test_curate_11_crawls(bench, scale, modality):
    """Subsampling the archive, and the digests that show what a method changed in place."""
    s = scale(modality)
    crawls = [Items(**{k: v.clone() for k, v in s.crawl.columns.items()}) for _ in range(11)]

    def curate() -> TrainingSet:
        granted = {Access.ARCHIVE: tuple(crawls[:-1])}
        limits, ledger = Limits(s.generator.steps * s.generator.batch, 0, 0), Ledger()
        round_ = Round(10, s.task.n, modality, stream("c"), granted, s.generator, ledger, limits)
        hooks = Hooks(AccumulateSubsample, 10, frozenset(granted), crawls[::-1])
        return hooks.curate(round_, ledger, s.generator)

    bench(curate)


@MODALITIES
def test_digest_training_set(bench, scale, modality):
    data = TrainingSet(scale(modality).crawl)
    bench(data.digest)


@MODALITIES
def test_cache_write(bench, scale, modality, tmp_path):
    state, cache, written = copy_state(scale(modality).model), FolderCache(tmp_path), []

    def write() -> None:
        written.append(cache.get("model", str(len(written)), lambda: state))

    bench(write)


@MODALITIES
def test_cache_read(bench, scale, modality, tmp_path):
    state, cache = copy_state(scale(modality).model), FolderCache(tmp_path)
    cache.get("model", "key", lambda: state)
    bench(lambda: cache.get("model", "key", dict))


@MODALITIES
def test_save_generation(bench, scale, modality, tmp_path):
    s = scale(modality)
    store, state = LineageFolder(tmp_path), copy_state(s.model)
    written = Written(s.crawl, s.crawl)
    bench(lambda: store.save(0, {"generation": 0}, written, state))
