"""A test that takes long is marked slow, or it fails."""

import joblib.parallel  # noqa: F401 - the session inside must not import it anew

from tests import cpu_limit

SESSION = """
import subprocess, sys, time
import psutil, pytest
from joblib import Parallel, delayed

WORK = "import time\\nend = time.process_time() + 0.5\\nwhile time.process_time() < end: pass"

def work():
    exec(WORK)

@pytest.fixture
def own():
    work()

@pytest.fixture(scope="session")
def inner():
    work()

@pytest.fixture(scope="session")
def shared(request):
    request.getfixturevalue("inner")
    work()

def test_that_works(): work()
def test_with_a_fixture_that_works(own): pass
def test_with_a_child_that_works(): subprocess.run([sys.executable, "-c", WORK])
def test_with_workers(): Parallel(2)(delayed(work)() for _ in range(2))
@pytest.mark.pool
def test_with_a_marked_pool(): Parallel(2)(delayed(time.sleep)(0.1) for _ in range(2))

def test_after_that_with_workers():
    started = [" ".join(child.cmdline()) for child in psutil.Process().children()]
    assert not [words for words in started if "popen_loky" in words]

@pytest.mark.slow
def test_that_is_marked(): work()
def test_with_a_fixture_of_the_session(shared): pass
def test_that_waits(): time.sleep(0.5)

def test_that_fails():
    work()
    assert 1 == 2
"""


def test_processor_time_is_limited_of_a_test_its_fixtures_children_and_workers(
    pytester, monkeypatch
):
    monkeypatch.setattr(cpu_limit, "LIMIT", 0.35)
    monkeypatch.setattr(cpu_limit, "measure_slowness", lambda: 1.0)
    pytester.makepyfile(SESSION)
    words = ("-p", "tests.cpu_limit", "-p", "no:benchmark", "-p", "no:xdist")
    session = pytester.inline_run(*words, "--strict-markers")
    _, _, failed = session.listoutcomes()
    said = {report.head_line: str(report.longrepr) for report in failed}
    own = said.pop("test_that_fails")
    assert "assert 1 == 2" in own
    assert "processor time" not in own
    assert list(said) == [
        "test_that_works",
        "test_with_a_fixture_that_works",
        "test_with_a_child_that_works",
        "test_with_workers",
    ]
    for sentence in said.values():
        assert "seconds of processor time, more than 0.35: make it smaller, or mark it" in sentence
    session.assertoutcome(passed=5, failed=5)
