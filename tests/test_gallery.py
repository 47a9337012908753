"""Galleries: what a run published, small; and files of strangers, which may hold anything."""

import base64
import io
import json
import re
import shutil
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from benchmark import Items
from benchmark.basics.errors import AutophagyError, CorruptFile, InputError
from benchmark.interface.find import Method
from benchmark.lineage.marks import Written
from benchmark.lineage.store import LineageFolder
from benchmark.report.samples import make_gallery
from benchmark.results.gallery import Gallery, Shown, encode_picture, group_excerpts, load_gallery
from benchmark.results.schema import (
    GenerationResult,
    LineageResult,
    MethodResult,
    Result,
    TaskResult,
    load_result,
)
from benchmark.runs.jobs import plan
from benchmark.tasks.pairs.language import LENGTH, WORDS
from leaderboard.board.source import HERE
from tests import tiny

TASKS = ("digits-replace", "speeches-replace", "numerals-replace")


@pytest.fixture
def run(tiny_suite, tmp_path):
    """A finished run's result file; its samples are noise."""
    method = Method("noise", "0" * 64, frozenset(), "")
    tasks = [task for task in tiny_suite.tasks if task.name in tiny.REPLACE]
    found = {}
    for job in plan([method], "quick", tasks, [0], tmp_path):
        records = []
        for t in range(job.task.generations + 1):
            records.append(GenerationResult(generation=t, status="ok"))
            items = noise(job.task.modality, torch.Generator().manual_seed(t))
            written = Written(items, items)
            LineageFolder(job.folder).save(t, records[-1].model_dump(), written, {})
        lineages = [LineageResult(seed=0, generations=records)]
        found[job.task.name] = TaskResult(
            hash=job.task.hash, modality=job.task.modality, primary="m", lineages=lineages,
            generations=job.task.generations,
        )  # fmt: skip
    result = Result(
        benchmark_version="0", suite="quick", tasks=found, versions={}, hardware="", created="",
        method=MethodResult(name="noise", summary="", access=[], source="0" * 64),
    )  # fmt: skip
    file = tmp_path / "quick" / "noise.json"
    file.write_bytes(result.to_json())
    return file


def noise(modality, rng):
    if modality == "text":
        return Items(tokens=torch.randint(512, (5, 64), generator=rng))
    if modality == "pair":
        image = torch.randint(256, (5, 1, 28, 84), generator=rng, dtype=torch.uint8)
        return Items(image=image, tokens=torch.randint(len(WORDS), (5, LENGTH), generator=rng))
    image = torch.randint(256, (20, 1, 28, 28), generator=rng, dtype=torch.uint8)
    return Items(image=image, label=torch.arange(20) % 10)


@pytest.fixture
def gallery(run):
    return make_gallery(load_result(run), run)


def test_it_shows_every_generation_and_comes_back_from_its_file(gallery, tmp_path):
    pictures, texts, pairs = (gallery.tasks[name] for name in TASKS)
    assert (pictures.texts, texts.png, pairs.texts) == ({}, "", {})
    assert pictures.generations == [*texts.texts] == pairs.generations == [0, 1, 2]
    with Image.open(io.BytesIO(pictures.picture)) as image:
        assert (image.size, image.mode) == ((280, 84), "L")
        assert len(image.getcolors() or []) > 10  # images, not an empty sheet
    with Image.open(io.BytesIO(pairs.picture)) as image:
        assert image.mode == "P"  # few colours, each named once
        assert image.height % 3 == 0
        assert len(image.convert("RGB").getcolors() or []) > 10
    unmarked = [re.sub("[«»]", "", text) for text in texts.texts.values()]
    assert all(20 < len(text) <= 240 for text in unmarked)
    assert sum(map(len, texts.texts.values())) > sum(map(len, unmarked))  # noise is made-up words
    assert len(set(texts.texts.values())) == 3
    (tmp_path / "g.json").write_bytes(gallery.to_json())
    assert load_gallery(tmp_path / "g.json") == gallery


def test_tasks_without_samples_are_left_out(run):
    shutil.rmtree(next((run.parent / "lineages" / "noise").glob("speeches*")))
    assert list(make_gallery(load_result(run), run).tasks) == ["digits-replace", "numerals-replace"]
    shutil.rmtree(run.parent / "lineages")
    assert make_gallery(load_result(run), run).tasks == {}


def test_a_result_shows_no_samples_of_another_version_of_the_task(run):
    document = json.loads(run.read_text())
    document["tasks"]["digits-replace"]["hash"] = "0" * 64
    left = ["numerals-replace", "speeches-replace"]
    assert list(make_gallery(Result(**document), run).tasks) == left


def test_reading_needs_no_torch(gallery, tmp_path):
    (tmp_path / "g.json").write_bytes(gallery.to_json())
    code = (
        "import sys; sys.modules['torch'] = None; from pathlib import Path;"
        "from benchmark.results.gallery import load_gallery;"
        "print(*load_gallery(Path(sys.argv[1])).tasks)"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "g.json")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.split() == sorted(TASKS)


def png(width=20, height=4, mode="L", **saved) -> bytes:
    content = io.BytesIO()
    Image.new(mode, (width, height)).save(content, "PNG", **saved)
    return content.getvalue()


def huge(width, height) -> bytes:
    """A PNG that only claims to be large."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def pictures(content: bytes | str, **changes):
    text = content if isinstance(content, str) else base64.b64encode(content).decode()
    return {"seed": 0, "generations": [0, 1], "png": text} | changes


def excerpts(**texts: str):
    return {"seed": 0, "texts": {name.removeprefix("t"): text for name, text in texts.items()}}


def load(tmp_path, document, **more):
    """What is read of a file with one task."""
    path = tmp_path / "g.json"
    whole = document if isinstance(document, bytes | str) else {"tasks": {"x": document}} | more
    content = whole if isinstance(whole, bytes) else whole.encode() if isinstance(whole, str) else (
        json.dumps(whole).encode()
    )  # fmt: skip
    path.write_bytes(content)
    return load_gallery(path)


def test_the_plain_case_is_accepted(tmp_path):
    assert load(tmp_path, pictures(png())).tasks["x"].generations == [0, 1]
    shown = load(tmp_path, excerpts(t10="c", t0="a", t2="b")).tasks["x"].texts
    assert list(shown.items()) == [(0, "a"), (2, "b"), (10, "c")]


def test_a_pair_shows_rows_of_pictures_and_excerpts(tmp_path):
    both = pictures(png()) | excerpts(t0="three dogs\na bus", t1="a dog")
    shown = load(tmp_path, both).tasks["x"]
    assert (shown.generations, list(shown.texts)) == ([0, 1], [0, 1])
    assert shown.texts[0].splitlines() == ["three dogs", "a bus"]
    assert load(tmp_path, Gallery(tasks={"x": shown}).to_json()).tasks["x"] == shown


def test_a_drawing_is_kept_coarsely_and_a_photograph_as_it_was():
    wide = np.indices((64, 64)).sum(axis=0)
    drawing = Image.fromarray(np.stack([wide * 2, wide, wide], -1).astype(np.uint8))
    photograph = Image.fromarray(
        np.random.default_rng(0).integers(256, size=(64, 64, 3), dtype=np.uint8)
    )
    for image, slack in ((drawing, 8), (photograph, 0)):
        content = io.BytesIO()
        image.save(content, "PNG")
        text = encode_picture(content.getvalue(), 1)
        with Image.open(io.BytesIO(base64.b64decode(text))) as kept:
            apart = np.asarray(kept.convert("RGB"), int) - np.asarray(image, int)
        assert abs(apart).max() <= slack
        assert encode_picture(base64.b64decode(text), 1) == text


@pytest.mark.slow
def test_every_stored_gallery_comes_back_as_it_was_stored():
    files = sorted(HERE.glob("gallery/*/*.json"))
    assert files
    for file in files:
        document, again = json.loads(file.read_text()), json.loads(load_gallery(file).to_json())
        for of in (*document["tasks"].values(), *again["tasks"].values()):
            if "png" in of:
                with Image.open(io.BytesIO(base64.b64decode(of["png"]))) as image:
                    of["png"] = (image.mode, image.size, image.tobytes())
        assert again == document, file


def test_equal_excerpts_are_grouped_and_failed_lineages_named():
    a, b = Shown(seed=0, texts={0: "x", 2: "y"}), Shown(seed=0, texts={0: "x"})
    found = group_excerpts({"a": a, "b": b, "c": Shown(seed=0, png="p", generations=[0])})
    assert found == {0: {"x": ["a", "b"]}, 2: {"y": ["a"], "": ["b"]}}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (pictures(huge(60_000, 60_000)), "no PNG that can be decoded"),
        (pictures(huge(10_000, 1_000)), "more than 1,000,000 pixels"),
        (pictures(huge(20, 4)), "no PNG that can be decoded"),
        (pictures(png()[:-30]), "no PNG that can be decoded"),
        (pictures(b"<svg onload='alert(1)'/>"), "no PNG that can be decoded"),
        (pictures(b"GIF89a" + bytes(100)), "no PNG that can be decoded"),
        (pictures(""), "rows of pictures and their generations come together"),
        (pictures("data:text/html,<script>"), "base64"),
        (pictures(png(20, 5)), "not 2 rows of images"),
        (pictures(png(), generations=[]), "come together"),
        (pictures(png(), generations=[1, 0]), "do not rise"),
        (pictures(png(), generations=[0, -1]), "greater than or equal to 0"),
        (pictures(png(), seed="0"), "valid integer"),
        (pictures(png(), link="http://x"), "Extra inputs"),
        (excerpts(t0="a" * 1_001), "at most 1000 characters"),
        (excerpts(tx="a"), "valid integer"),
        (excerpts(), "neither pictures nor excerpts"),
        ({"seed": 0}, "neither pictures nor excerpts"),
        ("{", "Invalid JSON"),
        ("[" * 100_000, "Invalid JSON"),
        (b"\xff\xfe", "Invalid JSON"),
        (b" " * 2_000_001, "more than 2,000,000 bytes"),
    ],
)
def test_what_is_no_gallery_is_refused_with_a_reason(tmp_path, document, said):
    with pytest.raises(CorruptFile, match=said) as caught:
        load(tmp_path, document)
    assert len(str(caught.value).splitlines()) == 1
    assert "g.json is not a valid gallery" in str(caught.value)


def test_other_versions_unknown_fields_odd_names_and_absent_files(tmp_path):
    with pytest.raises(CorruptFile, match="Input should be 1"):
        load(tmp_path, excerpts(t0="a"), version=2)
    with pytest.raises(CorruptFile, match="Extra inputs"):
        load(tmp_path, excerpts(t0="a"), extra=1)
    with pytest.raises(CorruptFile, match="pattern"):
        load(tmp_path, json.dumps({"tasks": {"../x": excerpts(t0="a")}}))
    with pytest.raises(InputError, match=r"cannot read the gallery .*none\.json: No such file"):
        load_gallery(tmp_path / "none.json")


def test_only_pixels_come_out_of_a_picture(tmp_path):
    notes = PngInfo()
    notes.add_text("comment", "SECRET")
    noted = png(mode="RGBA", pnginfo=notes, icc_profile=b"SECRET" * 9)
    shown = load(tmp_path, pictures(noted + b"SECRET")).tasks["x"].picture
    assert b"tEXt" in noted
    assert b"iCCP" in noted
    assert not any(word in shown for word in (b"SECRET", b"tEXt", b"iCCP"))
    with Image.open(io.BytesIO(shown)) as image:
        assert image.size == (20, 4)


def test_colours_stay(tmp_path):
    content = io.BytesIO()
    Image.new("RGB", (20, 4), (200, 30, 10)).save(content, "PNG")
    shown = load(tmp_path, pictures(content.getvalue())).tasks["x"].picture
    with Image.open(io.BytesIO(shown)) as image:
        assert image.convert("RGB").getpixel((0, 0)) == (204, 34, 17)  # of 16 levels


def test_characters_that_do_not_show_are_replaced(tmp_path):
    text = "a\nb\x00\x1b[31m\u202e\u2028\x85c <b>&"
    shown = load(tmp_path, excerpts(t0=text)).tasks["x"].texts[0]
    assert shown == "a\nb\ufffd\ufffd[31m\ufffd\ufffd\ufffdc <b>&"


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_spoilt_picture_is_read_or_refused_but_makes_no_traceback(tmp_path, data):
    content = bytearray(png(mode=data.draw(st.sampled_from(["1", "L", "P", "RGBA", "I;16"]))))
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    try:
        load(tmp_path, pictures(bytes(content[:cut] if data.draw(st.booleans()) else content)))
    except AutophagyError:
        return
