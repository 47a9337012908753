"""Which system calls the sandbox may make: a list, and every other one is as if it did not exist.

What Python and torch need to compute is listed. Not listed, or refused by its arguments, is what
holds memory that belongs to no process (memory files, queues, segments, sockets, huge pages, memory
shared without a file), what outlives a process or is seen by others (keys, locks, times of files,
watches on them, tracing), what makes namespaces and mounts, and what reaches deep into the kernel.
"""

from __future__ import annotations

import errno
import platform
import struct

from benchmark.basics.errors import InputError

# name: (x86_64, aarch64), None where a machine has none.
ALLOWED: dict[str, tuple[int, int | None]] = {
    "access": (21, None), "alarm": (37, None), "arch_prctl": (158, None), "brk": (12, 214),
    "chdir": (80, 49), "chmod": (90, None), "clock_getres": (229, 114), "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115), "clone": (56, 220), "close": (3, 57), "close_range": (436, 436),
    "copy_file_range": (326, 285), "creat": (85, None), "dup": (32, 23), "dup2": (33, None),
    "dup3": (292, 24), "epoll_create1": (291, 20), "epoll_ctl": (233, 21), "epoll_pwait": (281, 22),
    "epoll_wait": (232, None), "eventfd2": (290, 19), "execve": (59, 221), "exit": (60, 93),
    "exit_group": (231, 94), "faccessat": (269, 48), "faccessat2": (439, 439),
    "fadvise64": (221, 223), "fallocate": (285, 47), "fchdir": (81, 50), "fchmod": (91, 52),
    "fchmodat": (268, 53), "fcntl": (72, 25), "fdatasync": (75, 83), "fork": (57, None),
    "fstat": (5, 80), "fstatfs": (138, 44), "fsync": (74, 82), "ftruncate": (77, 46),
    "futex": (202, 98), "get_mempolicy": (239, 236), "get_robust_list": (274, 100),
    "getcpu": (309, 168), "getcwd": (79, 17), "getdents": (78, None), "getdents64": (217, 61),
    "getegid": (108, 177), "geteuid": (107, 175), "getgid": (104, 176), "getgroups": (115, 158),
    "getitimer": (36, 102), "getpgid": (121, 155), "getpgrp": (111, None), "getpid": (39, 172),
    "getppid": (110, 173), "getpriority": (140, 141), "getrandom": (318, 278),
    "getresgid": (120, 150), "getresuid": (118, 148), "getrlimit": (97, 163),
    "getrusage": (98, 165), "getsid": (124, 156), "gettid": (186, 178), "gettimeofday": (96, 169),
    "getuid": (102, 174), "ioctl": (16, 29), "kill": (62, 129), "link": (86, None),
    "linkat": (265, 37), "lseek": (8, 62), "lstat": (6, None), "madvise": (28, 233),
    "membarrier": (324, 283), "mkdir": (83, None), "mkdirat": (258, 34), "mlock": (149, 228),
    "mmap": (9, 222), "mprotect": (10, 226), "mremap": (25, 216), "msync": (26, 227),
    "munlock": (150, 229), "munmap": (11, 215), "nanosleep": (35, 101), "newfstatat": (262, 79),
    "open": (2, None), "openat": (257, 56), "pause": (34, None), "pipe": (22, None),
    "pipe2": (293, 59), "poll": (7, None), "ppoll": (271, 73), "prctl": (157, 167),
    "pread64": (17, 67), "preadv": (295, 69), "prlimit64": (302, 261), "pselect6": (270, 72),
    "pwrite64": (18, 68), "pwritev": (296, 70), "read": (0, 63), "readlink": (89, None),
    "readlinkat": (267, 78), "readv": (19, 65), "rename": (82, None), "renameat": (264, 38),
    "renameat2": (316, 276), "restart_syscall": (219, 128), "rmdir": (84, None), "rseq": (334, 293),
    "rt_sigaction": (13, 134), "rt_sigpending": (127, 136), "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139), "rt_sigsuspend": (130, 133), "rt_sigtimedwait": (128, 137),
    "sched_get_priority_max": (146, 125), "sched_get_priority_min": (147, 126),
    "sched_getaffinity": (204, 123), "sched_getparam": (143, 121), "sched_getscheduler": (145, 120),
    "sched_setaffinity": (203, 122), "sched_yield": (24, 124), "select": (23, None),
    "sendfile": (40, 71), "set_robust_list": (273, 99), "set_tid_address": (218, 96),
    "setgroups": (116, 159), "setitimer": (38, 103), "setpgid": (109, 154),
    "setpriority": (141, 140), "setresgid": (119, 149), "setresuid": (117, 147),
    "setrlimit": (160, 164), "setsid": (112, 157), "sigaltstack": (131, 132), "stat": (4, None),
    "statfs": (137, 43), "statx": (332, 291), "symlink": (88, None), "symlinkat": (266, 36),
    "tgkill": (234, 131), "time": (201, None), "times": (100, 153),
    "tkill": (200, 130), "truncate": (76, 45), "umask": (95, 166), "uname": (63, 160),
    "unlink": (87, None), "unlinkat": (263, 35), "vfork": (58, None),
    "wait4": (61, 260), "waitid": (247, 95), "write": (1, 64), "writev": (20, 66),
}  # fmt: skip
MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # AUDIT_ARCH_*

# What an argument may be: (its position, bits of which not all may be set together), or the values
# that are allowed.
NAMESPACES = 0x7E020000  # CLONE_NEW*
SHARED, ANONYMOUS, HUGE = 0x01, 0x20, 0x40000
FORBIDDEN_BITS = {
    "clone": [(0, bit) for bit in (1 << b for b in range(32)) if bit & NAMESPACES],
    "mmap": [(3, SHARED | ANONYMOUS), (3, HUGE)],
}
ONLY = {
    # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC, F_GETPIPE_SZ: no locks
    "fcntl": (1, (0, 1, 2, 3, 4, 1030, 1032)),
    # TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX
    "ioctl": (1, (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)),
    # PR_SET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_NAME, PR_GET_NAME, PR_CAPBSET_READ
    "prctl": (0, (1, 3, 15, 16, 23)),
}

# Classic BPF over struct seccomp_data: number at 0, architecture at 4, arguments from 16 on.
LOAD, AND, EQUAL, AT_LEAST, RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
KILL, ALLOW, REFUSE = 0x80000000, 0x7FFF0000, 0x00050000 | errno.EPERM
ABSENT = 0x00050000 | errno.ENOSYS
X32 = 0x40000000  # the other numbering of x86_64

Line = tuple[int, int, int, int]  # operation, jump if true, jump if false, operand


def build_filter() -> bytes:
    """The filter for this machine, the program that bubblewrap takes (seccomp(2)).

    Raises:
        InputError: its system calls are not known here.
    """
    machine = platform.machine()
    if machine not in MACHINES:
        raise InputError(f"isolation knows {' and '.join(MACHINES)}, not {machine}")
    numbers = list_numbers(machine)
    program: list[Line] = [
        (LOAD, 0, 0, 4), (EQUAL, 1, 0, MACHINES[machine]), (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, 0), (AT_LEAST, 0, 1, X32), (RETURN, 0, 0, ABSENT),
    ]  # fmt: skip
    for name, lines in _by_arguments().items():
        program += [(EQUAL, 0, len(lines), numbers.pop(name)), *lines]
    for number in numbers.values():
        program += [(EQUAL, 0, 1, number), (RETURN, 0, 0, ALLOW)]
    program.append((RETURN, 0, 0, ABSENT))
    return b"".join(struct.pack("<HBBI", *line) for line in program)


def list_numbers(machine: str) -> dict[str, int]:
    """Name -> number of the calls that are allowed on this kind of machine."""
    column = list(MACHINES).index(machine)
    found = {name: numbers[column] for name, numbers in ALLOWED.items()}
    return {name: number for name, number in found.items() if number is not None}


def _by_arguments() -> dict[str, list[Line]]:
    """What is done with the calls of which not all are allowed, up to a return."""
    found: dict[str, list[Line]] = {}
    for name, groups in FORBIDDEN_BITS.items():
        found[name] = []
        for position, bits in groups:
            found[name] += [
                (LOAD, 0, 0, 16 + 8 * position), (AND, 0, 0, bits),
                (EQUAL, 0, 1, bits), (RETURN, 0, 0, REFUSE),
            ]  # fmt: skip
        found[name].append((RETURN, 0, 0, ALLOW))
    for name, (position, values) in ONLY.items():
        found[name] = [(LOAD, 0, 0, 16 + 8 * position)]
        for value in values:
            found[name] += [(EQUAL, 0, 1, value), (RETURN, 0, 0, ALLOW)]
        found[name].append((RETURN, 0, 0, REFUSE))
    return found
