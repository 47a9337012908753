"""The documents that say how to add something: their examples run, their links lead somewhere."""

import importlib
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs" / "contributing").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_run(page):
    """One after the other, as a reader would type them in."""
    names: dict = {"__name__": page.stem}
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        exec(compile(block, str(page), "exec"), names)


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.stem)
def test_the_links_lead_to_files(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_example_of_a_method_is_a_method(tmp_path, tiny_suite):
    """It runs from a file, as the page says, and keeps half a crawl of the past."""
    from benchmark import run

    text = (ROOT / "docs" / "contributing" / "adding-a-method.md").read_text()
    file = tmp_path / "half_archive.py"
    file.write_text(re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0])
    result = run(file, tasks="digits-replace", workers=1, out=tmp_path / "runs")["half_archive"]
    assert not result.failures
    (lineage,) = result.tasks["digits-replace"].lineages
    assert lineage.generations[1].trained_on["real"] == 0.5


def test_a_step_of_the_workflow_that_pipes_fails_with_its_command():
    """GitHub's bash has `pipefail` only where the shell is named."""
    text = (ROOT / "docs" / "contributing" / "results-ci.md").read_text()
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    workflow = yaml.safe_load(block)
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert sum(" | tee " in step.get("run", "") for step in steps) == 2
    assert workflow["defaults"] == {"run": {"shell": "bash"}}
    assert not any("shell" in step for step in steps)


RELEASE = (ROOT / "CONTRIBUTING.md").read_text().partition("## A release")[2]


@pytest.mark.parametrize(
    "module", re.findall(r"python -m ((?:benchmark|leaderboard)[\w.]+)", RELEASE)
)
def test_a_release_command_without_what_it_needs_says_what(module, capsys):
    with pytest.raises(SystemExit) as stop:
        importlib.import_module(module).main([])
    assert stop.value.code == 2
    assert "error: the following arguments are required: " in capsys.readouterr().err


def test_the_readme_ends_with_the_tree_as_it_is():
    """One line a folder, each once, in the order of the floors; nothing that is not there."""
    text = (ROOT / "README.md").read_text().partition("## Where things live")[2]
    rooms = re.findall(r"^      (\w+)/ ", text, re.MULTILINE)
    there = {f.parent.name for f in (ROOT / "benchmark").glob("*/__init__.py")}
    assert len(rooms) == len(set(rooms))
    assert set(rooms) == there
    for folder in re.findall(r"^    (\w+)/ ", text, re.MULTILINE):
        assert (ROOT / folder).is_dir(), folder
    layers = (ROOT / "pyproject.toml").read_text().partition("layers = [")[2].partition("]")[0]
    assert rooms == re.findall(r"\w+", layers)
