"""System calls that the sandbox refuses, because what they hold or see no other limit counts.

Memory files and System V or POSIX queues and segments hold memory that belongs to no process;
the others reach into processes or deep into the kernel. The filter is the classic BPF program that
bubblewrap takes (seccomp(2)); everything it does not name is allowed.
"""

from __future__ import annotations

import errno
import platform
import struct

from benchmark.basics.errors import InputError

# name: (x86_64, aarch64)
REFUSED = {
    "shmget": (29, 194),
    "shmat": (30, 196),
    "semget": (64, 190),
    "msgget": (68, 186),
    "ptrace": (101, 117),
    "mq_open": (240, 180),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "perf_event_open": (298, 241),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "memfd_create": (319, 279),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "memfd_secret": (447, 447),
}
MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # AUDIT_ARCH_*
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
NUMBER, ARCHITECTURE = 0, 4  # offsets in struct seccomp_data
KILL, ALLOW, REFUSE = 0x80000000, 0x7FFF0000, 0x00050000 | errno.EPERM
X32 = 0x40000000  # the other numbering of x86_64


def refusal() -> bytes:
    """The filter for this machine.

    Raises:
        InputError: its system calls are not known here.
    """
    machine = platform.machine()
    if machine not in MACHINES:
        raise InputError(f"isolation knows {' and '.join(MACHINES)}, not {machine}")
    column = list(MACHINES).index(machine)
    tests = [(AT_LEAST, X32)] + [(EQUAL, numbers[column]) for numbers in REFUSED.values()]
    program = [(LOAD, 0, 0, ARCHITECTURE), (EQUAL, 1, 0, MACHINES[machine]), (RETURN, 0, 0, KILL)]
    program.append((LOAD, 0, 0, NUMBER))
    program += [(test, len(tests) - i, 0, k) for i, (test, k) in enumerate(tests)]
    program += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, REFUSE)]
    return b"".join(struct.pack("<HBBI", *line) for line in program)
