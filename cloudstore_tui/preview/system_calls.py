"""What the kernel itself refuses a worker, should bytes ever take it over: sockets, programs, and changes of files."""

import ctypes
import errno
import platform
import struct
import sys
from typing import NamedTuple

_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
_NUMBER, _MACHINE, _ARGUMENTS = 0, 4, 16
_WRITES = 0o1 | 0o2 | 0o100 | 0o1000
"""O_WRONLY, O_RDWR, O_CREAT and O_TRUNC."""
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _MODE_FILTER = 22, 38, 2


class _Machine(NamedTuple):
    """Numbers of one kind of processor."""

    code: int
    opens: tuple[tuple[int, int], ...]
    """Calls that open a file, and which argument says how."""
    refused: tuple[int, ...]


_MACHINES = {
    "x86_64": _Machine(
        0xC000003E,
        ((2, 1), (257, 2)),
        # socket, connect, sendto, socketpair, fork, vfork, execve, execveat, kill, ptrace, process_vm_writev,
        # truncate, rename, mkdir, rmdir, creat, link, unlink, symlink, chmod, chown, later forms, openat2, io_uring
        (41, 42, 44, 53, 57, 58, 59, 322, 62, 101, 311, 76, 82, 83, 84, 85, 86, 87, 88, 90, 92, 94, 258, 260, 263, 264,
         265, 266, 268, 316, 437, 425),
    ),
    "aarch64": _Machine(
        0xC00000B7,
        ((56, 2),),
        (198, 203, 206, 199, 221, 281, 129, 117, 271, 45, 38, 276, 34, 35, 37, 36, 53, 54, 437, 425),
    ),
}  # fmt: skip


def refuse_system_calls() -> bool:
    """Ask the kernel to refuse from now on, for good; whether it does. Linux on common processors only."""
    machine = _MACHINES.get(platform.machine())
    if sys.platform != "linux" or machine is None or sys.maxsize < 1 << 32:
        return False
    code = _program(machine)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, program, 0, 0) == 0)


def _program(machine: _Machine) -> bytes:
    """A filter as the kernel runs it: it looks at the number of each call, and at how files are opened."""
    steps: list[tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, _MACHINE),
        (_EQUAL, 1, 0, machine.code),
        (_RETURN, 0, 0, _ALLOW),
    ]
    steps.append((_LOAD, 0, 0, _NUMBER))
    for number in machine.refused:
        steps += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE)]
    for number, argument in machine.opens:
        flags = _ARGUMENTS + 8 * argument
        steps += [(_EQUAL, 0, 4, number), (_LOAD, 0, 0, flags), (_ANY_BIT, 0, 1, _WRITES)]
        steps += [(_RETURN, 0, 0, _REFUSE), (_RETURN, 0, 0, _ALLOW)]
    steps.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
