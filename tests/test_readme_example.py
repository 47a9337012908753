"""The method that the README shows gains something on suite `quick`."""

import re
from pathlib import Path
from statistics import fmean

import pytest

from benchmark import run
from benchmark.results.references import find_references
from benchmark.results.standings import score_result

ROOT = Path(__file__).parents[1]


def example(page):
    """The first block of Python on a page."""
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)[0]


def test_it_is_the_method_of_the_first_page_of_the_documentation():
    assert example("README.md").removeprefix("# my_method.py\n") == example(
        "docs/getting-started.md"
    )


@pytest.mark.slow
def test_it_recovers_something_on_every_task_of_quick(tmp_path):
    file = tmp_path / "my_method.py"
    file.write_text(example("README.md"))
    result = run(file, suite="quick", workers=1, out=tmp_path / "runs")["my_method"]
    stored = tmp_path / "runs" / "quick" / "my_method.json"
    found = score_result(result, *find_references(result, stored).values())
    means = {task: fmean(values) for task, values in found.recoveries.items()}
    print(means)
    # One seed and another processor move a task by a tenth; it recovers three or more of each.
    assert min(means.values()) > 0
    assert not result.failures
