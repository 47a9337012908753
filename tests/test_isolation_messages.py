"""What comes out of a sandbox is suspect: messages, values and states of generators that are wrong.

And what the harness decides before it starts one: the system calls, and the user.
"""

import json
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmark import Sampling
from benchmark.basics.errors import InputError, MethodError
from benchmark.runs.sandbox import Bounds, randomness, users, wire
from benchmark.runs.sandbox import filter as syscalls
from benchmark.runs.sandbox import session as sandbox_session
from benchmark.runs.sandbox.session import Session
from benchmark.runs.sandbox.values import unpack_value

# --- malformed messages --------------------------------------------------------------------------


def frame(header: bytes, body: bytes) -> wire.Message:
    return wire.decode_message(header, body)


GOOD = wire.encode_message(wire.Message({"done": None}, [torch.arange(6.0)]))[wire.PREFIX.size :]


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (b"\x80\x04\x95.", b""),
        (b"[" * 100_000, b""),
        (b'{"done": ' + b"9" * 5000 + b"}", b""),
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
        {"dtype": "F32", "shape": [0, 1 << 62], "data_offsets": [0, 0]},
        {"dtype": "F32", "shape": [1] * 40 + [4], "data_offsets": [0, 16]},
        {"dtype": "F32", "shape": [10**30], "data_offsets": [0, 16]},
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


def nested(depth: int) -> Any:
    return {"list": [nested(depth - 1)]} if depth else None


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
        1 << 64,
        -(10**400),
        {"tensor": 10**400},
        {"items": {"self": {"tensor": 0}, "columns": {"tensor": 0}, "A b": {"tensor": 0}}},
        {"items": {"": {"tensor": 0}}},
        {"items": {"__class__": {"tensor": 0}}},
        {"items": {"x" * 99: {"tensor": 0}}},
        {"items": {f"x{i}": {"tensor": 0} for i in range(99)}},
        {"training": {"items": None}},
        {"training": {"items": None, "weights": None, "more": None}},
        {"sampling": {**vars(Sampling()), "temperature": 10**400}},
        {"sampling": {**vars(Sampling()), "guidance": True}},
        {"sampling": {**vars(Sampling()), "logits": 10**400}},
        nested(99),
    ],
)
def test_a_value_that_is_none_is_refused(packed, tmp_path):
    with pytest.raises(MethodError, match="broke the protocol"):
        unpack_strictly(packed, tmp_path)


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"done": None, "random": None},
        {"done": {"items": {"self": {"tensor": 0}}}},
        {"raised": None},
        {"raised": [1, 2]},
        {"ask": {}, "args": [], "random": {}},
    ],
)
def test_a_message_that_says_nothing_ends_the_sandbox(header, tmp_path):
    session = answering(tmp_path, [wire.Message(header, [])])
    with pytest.raises(MethodError, match="broke the protocol"):
        session.call("curate")


class Silent:
    """Stands for a sandbox: gives the messages it was made with, and counts those it was sent."""

    def __init__(self, messages: Any) -> None:
        self.messages, self.failure, self.allowed, self.sent = iter(messages), "", 0.0, 0

    def send(self, message: wire.Message, deadline: float) -> None:
        self.sent += 1

    def receive(self, deadline: float) -> wire.Message:
        if time.monotonic() > deadline:
            raise MethodError("took longer")
        return next(self.messages)

    def stop(self, why: str) -> None:
        self.failure = self.failure or why

    def ended(self) -> MethodError:
        return MethodError(self.failure)


def answering(folder: Path, messages: Any) -> Session:
    (folder / "m.py").write_text("")
    session = Session(folder / "m.py", None, Bounds(seconds=0.5))
    session._sandbox = Silent(messages)  # type: ignore[assignment]
    session._left = session._work = 5.0
    return session


def unpack_strictly(packed: Any, folder: Path) -> Any:
    session = answering(folder, [])
    return session._strictly(lambda: unpack_value(packed, [torch.zeros(2)], session))


def test_questions_that_no_ledger_counts_take_the_methods_own_time(tmp_path, monkeypatch):
    def endless() -> Any:
        while True:
            tensors: list[torch.Tensor] = []
            states = randomness.capture_states(None, tensors)
            yield wire.Message({"ask": "steps", "args": [], "random": states}, tensors)

    monkeypatch.setattr(sandbox_session, "ask_round", lambda *_: time.sleep(0.1))
    session = answering(tmp_path, endless())
    with pytest.raises(MethodError, match="took longer"):
        session.call("curate")
    assert session._sandbox.sent <= 7  # type: ignore[union-attr]
    session = answering(tmp_path, endless())
    session._work = 0.2  # and so does what a ledger counts: many small questions are slow ones
    monkeypatch.setattr(session, "_ledger", iter(range(99)).__next__)
    with pytest.raises(MethodError, match="asked its round for more than 30 s of work"):
        session.call("curate")


# --- generators' states --------------------------------------------------------------------------


def change_torch(field: str, value: Any) -> Any:
    def change(said: dict[str, Any], tensors: list[torch.Tensor]) -> None:
        state = np.frombuffer(tensors[0].numpy().tobytes(), randomness.TORCH).copy()
        state[field] = value
        tensors[0] = torch.frombuffer(bytearray(state.tobytes()), dtype=torch.uint8)

    return change


def change_said(**changed: Any) -> Any:
    return lambda said, tensors: said.update(changed)


def change_tensor(at: int, make: Any) -> Any:
    def change(said: dict[str, Any], tensors: list[torch.Tensor]) -> None:
        tensors[at] = make(tensors[at])

    return change


@pytest.mark.parametrize(
    "change",
    [
        change_torch("left", 0),
        change_torch("left", 624),  # with more words used up than there are
        change_torch("next", 1 << 40),
        change_torch("next", 620),
        change_torch("seeded", 7),
        change_torch("words", 1 << 40),
        change_torch("normal", [float("nan"), 0, 0]),
        change_torch("normal", [1e300, 0, 0]),
        change_torch("normal_is_valid", 2),
        change_torch("float_normal", float("inf")),
        change_torch("float_normal_is_valid", 5),
        change_tensor(0, lambda state: state[:-1]),
        change_tensor(0, lambda state: state.float()),
        change_tensor(1, lambda words: words - (1 << 33)),
        change_tensor(1, lambda words: words[:9]),
        change_tensor(2, lambda words: words.double()),
        change_tensor(2, lambda words: words.where(torch.arange(625) < 624, 1 << 20)),
        change_said(first=1),
        change_said(first=True),
        change_said(first=10**400),
        change_said(numpy=[625, 0, 0.0]),
        change_said(numpy=[0, 2, 0.0]),
        change_said(numpy=[0, 1, 1e9]),
        change_said(numpy=[0, 1, float("nan")]),
        change_said(numpy=[10**400, 0, 0.0]),
        change_said(numpy="abc"),
        change_said(python=float("inf")),
        change_said(python="1"),
        change_said(more=1),
    ],
)
def test_an_impossible_state_of_a_generator_is_refused_whole(change):
    torch.manual_seed(0)
    torch.rand(5)
    tensors: list[torch.Tensor] = []
    said = randomness.capture_states(None, tensors)
    randomness.restore_states(said, None, tensors)
    before = [t.clone() for t in tensors]
    change(said, tensors)
    with pytest.raises(wire.WireError):
        randomness.restore_states(said, None, tensors)
    randomness.capture_states(None, after := [])
    assert all(map(torch.equal, before, after))


# --- the list of system calls and the user -------------------------------------------------------


def test_the_list_holds_nothing_that_reaches_out_or_stays():
    never = (
        "bpf|capset|chroot|fanotify|finit_|fsmount|fsopen|init_module|inotify|io_|ioperm|iopl|kcmp|"
        "kexec|key|landlock|memfd|mincore|modify_ldt|mount|move_|mq_|msg(get|rcv|snd)|name_to|"
        "open_by|open_tree|perf|personality|pidfd|pivot|preadv2|process_|sysinfo|ptrace|quotactl|reboot|"
        "sem|setns|shm|socket|connect|bind|send(to|msg)|recv|splice|swap|sysfs|syslog|tee|unshare|"
        "userfaultfd|utime|vmsplice|clone3|xattr|flock"
    )
    assert [name for name in syscalls.ALLOWED if re.search(never, name)] == []
    for column in range(2):  # no number twice, as a slip of the pen would have it
        numbers = [n[column] for n in syscalls.ALLOWED.values() if n[column] is not None]
        assert len(numbers) == len(set(numbers))


def test_other_machines_get_a_filter_or_a_sentence(monkeypatch):
    monkeypatch.setattr(syscalls.platform, "machine", lambda: "aarch64")
    assert len(syscalls.build_filter()) % 8 == 0
    monkeypatch.setattr(syscalls.platform, "machine", lambda: "riscv64")
    with pytest.raises(InputError, match="isolation knows x86_64 and aarch64, not riscv64"):
        syscalls.build_filter()


def test_root_becomes_a_user_that_nobody_else_is():
    everywhere, container = users.find_unused("0 0 4294967295"), users.find_unused("0 100000 65536")
    assert 65536 < everywhere < 1 << 31
    assert 60_000 < container < 65_534
    with pytest.raises(InputError, match="run the command as an ordinary user"):
        users.find_unused("0 1000 1")
