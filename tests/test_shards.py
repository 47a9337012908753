"""A grid in parts, as an array of jobs on a cluster computes it."""

import pytest

import benchmark
from benchmark.basics.errors import InputError
from benchmark.commands.run import all_there, parse_shard
from tests.test_run import cli, without_times


def test_parts_make_the_results_of_the_whole(tiny_suite, tmp_path, monkeypatch, capsys):
    words = ("run", "accumulate", "--tasks", "[ds]*-replace", "--workers", 1, "--out")
    assert cli(monkeypatch, *words, tmp_path / "parts", "--shard", "1/2") == 0
    said = capsys.readouterr().out
    assert "Part 1/2 is done. Run the other parts, then the same without --shard." in said
    assert not list(tmp_path.glob("parts/quick/*.json"))
    # The last part finds all the others, and so does whoever runs the whole.
    assert cli(monkeypatch, *words, tmp_path / "parts", "--shard", "2/2") == 0
    assert "accumulate.json" in capsys.readouterr().out.replace("\n", "")
    assert cli(monkeypatch, *words, tmp_path / "whole") == 0
    files = [tmp_path / folder / "quick" / "accumulate.json" for folder in ("parts", "whole")]
    assert without_times(files[0]) == without_times(files[1])


def test_more_parts_than_lineages_are_no_error(tiny_suite, tmp_path):
    found = benchmark.run("anchor", tasks="digits-replace", out=tmp_path, shard=(9, 9), workers=1)
    assert "anchor" not in found


def test_a_part_in_which_a_method_failed_says_so(tiny_suite, tmp_path, monkeypatch, capsys):
    file = tmp_path / "bad.py"
    file.write_text(
        "from benchmark import Mitigation\nclass Bad(Mitigation):\n"
        "    def curate(self, crawl, round):\n        return 3\n"
    )
    words = ("run", file, "--tasks", "[ds]*-replace", "--workers", 1, "--out", tmp_path / "out")
    assert cli(monkeypatch, *words, "--shard", "1/2") == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("autophagy: bad on digits-replace, seed 0: Bad.curate at generation 1")
    assert not (tmp_path / "out" / "quick" / "bad.json").exists()


def test_a_method_in_two_spellings_is_one(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    results = dict.fromkeys(("nothing", "clean", "mine", "anchor"))
    same = ["anchor", "mine.py", "./mine.py", str(tmp_path / "mine.py")]
    assert all_there(same, results)
    assert not all_there([*same, "other.py"], results)


@pytest.mark.parametrize("text", ["3", "a/b", "1/", "/4", "1.5/2", "-1/4"])
def test_what_is_no_part_is_one_sentence(text):
    with pytest.raises(InputError, match="one part of several, such as 2/8"):
        parse_shard(text)


@pytest.mark.parametrize("shard", [(0, 4), (5, 4), (1, 0)])
def test_a_part_that_does_not_exist_is_refused(shard, tmp_path):
    with pytest.raises(InputError, match="1/4 to 4/4"):
        benchmark.run("anchor", out=tmp_path, shard=shard)
