"""`python -m benchmark.precision`: the same lineages in float32."""

import sys

import pytest
import torch

import benchmark
from benchmark import precision
from benchmark.generators import training


def test_recoveries_in_float32_beside_those_in_bf16(toy_suite, tmp_path, monkeypatch, capsys):
    usual = benchmark.run(
        "anchor",
        tasks="speeches-replace",
        seeds=[0, 1],
        workers=1,
        out=tmp_path,
        own_references=True,
    )
    file = tmp_path / "quick" / "anchor.json"
    words = ["precision", str(file), "--out", str(tmp_path / "exact"), "--workers", "2"]
    monkeypatch.setattr(sys, "argv", words)
    precision.main()
    assert training.ARITHMETIC is torch.bfloat16
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    (score,) = (row for row in rows if row[:1] == ["anchor"])
    (speeches,) = (row for row in rows if row[:1] == ["speeches-replace"])
    for row in (score[1:], speeches[1:]):
        before, after, difference, low, _, high = (0.0 if x == "to" else float(x) for x in row)
        assert after - before == pytest.approx(difference, abs=0.002)
        assert low < difference < high
    exact = precision.again(usual, tmp_path / "exact", workers=1)  # finished: it only reads
    for task, entry in exact["anchor"].tasks.items():
        for ours, theirs in zip(entry.lineages, usual["anchor"].tasks[task].lineages, strict=True):
            one, other = (x.curve(entry.primary) for x in (ours, theirs))
            assert one != other
            assert one == pytest.approx(other, rel=0.05)


def test_a_method_that_changed_since_its_result_is_refused(toy_suite, tmp_path):
    results = benchmark.run("anchor", tasks="speeches-replace", workers=1, out=tmp_path)
    results["anchor"].method.source = "another"
    with pytest.raises(benchmark.errors.InputError, match="'anchor' has changed since its result"):
        precision.again(results, tmp_path / "exact", workers=1)
    assert not (tmp_path / "exact").exists()
