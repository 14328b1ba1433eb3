"""The process in which untrusted bytes are read.

Started as `python -I -S -c …` with an empty environment. It requests bytes through its standard input and output, and
has no other way out: no secret, no configuration, no file to write, no socket. Its memory and CPU time are limited,
and its parent may kill it at any time. Imports are few, because somebody is waiting.
"""

import ctypes
import errno
import os
import platform
import resource
import struct
import sys
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import msgspec

from cloudstore_tui.preview.model import Done, Draft, Job, ReadReply, ReadRequest
from cloudstore_tui.preview.remote_file import RemoteFile
from cloudstore_tui.preview.sample import Sample

MAX_MEMORY = 512 * 1024 * 1024
MAX_CPU_S = 5
_MAX_FILES = 64
_M = TypeVar("_M")
_LENGTH = struct.Struct(">I")
_FORBIDDEN = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.kill")


def main() -> None:
    """Take one job, answer it, and exit."""
    parent = Parent()
    limit()
    job = parent.receive(Job)
    # Deferred: while this is loaded, the parent fetches the first bytes.
    from cloudstore_tui.preview.examine import examine

    size = job.facts.size
    file = RemoteFile(parent.fetch, size if size is not None else len(job.head), job.head)
    sample = Sample(job.facts, job.head[: job.wanted], file, draft=lambda preview: parent.send(Draft(preview)))
    parent.send(Done(examine(sample)))
    os._exit(0)


def limit(cpu_s: int = MAX_CPU_S) -> None:
    """Limit memory, CPU time and files, and forbid this process everything else."""
    for kind, most in (
        (resource.RLIMIT_AS, MAX_MEMORY),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _MAX_FILES),
    ):
        try:
            resource.setrlimit(kind, (most, most))
        except (OSError, ValueError):
            # macOS has no memory limit; there the parent's time-out has to do.
            continue
    sys.addaudithook(_refuse)
    refuse_system_calls()


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event.startswith(_FORBIDDEN) or (event == "open" and _opens_for_writing(arguments)):
        raise PermissionError(f"a preview may not do that: {event}")


def _opens_for_writing(arguments: tuple[object, ...]) -> bool:
    flags = arguments[2] if len(arguments) > 2 else 0
    return isinstance(flags, int) and bool(flags & _WRITES)


def encoded(message: msgspec.Struct) -> bytes:
    """A message as bytes; unpaired surrogates become �."""
    try:
        return msgspec.msgpack.encode(message)
    except UnicodeEncodeError:
        return msgspec.msgpack.encode(_without_surrogates(msgspec.to_builtins(message, builtin_types=(bytes,))))


def _without_surrogates(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {name: _without_surrogates(item) for name, item in value.items()}
    return [_without_surrogates(item) for item in value] if isinstance(value, list | tuple) else value


class Parent:
    """The process that started this one, at the other end of its standard input and output."""

    def __init__(self) -> None:
        """Reserve both streams for messages: whatever a library prints must not get between them."""
        self._source = os.fdopen(os.dup(0), "rb")
        self._target = os.fdopen(os.dup(1), "wb")
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)

    def send(self, message: msgspec.Struct) -> None:
        """Send a message."""
        data = encoded(message)
        self._target.write(_LENGTH.pack(len(data)) + data)
        self._target.flush()

    def receive(self, kind: type[_M]) -> _M:
        """Wait for the next message."""
        size = self._source.read(_LENGTH.size)
        if len(size) < _LENGTH.size:
            # The parent has gone.
            os._exit(1)
        return msgspec.msgpack.decode(self._source.read(_LENGTH.unpack(size)[0]), type=kind)

    def fetch(self, ranges: Sequence[tuple[int, int]]) -> tuple[Sequence[bytes], str]:
        """The bytes of some ranges of the object, and why some are missing."""
        self.send(ReadRequest(tuple(ranges)))
        reply = self.receive(ReadReply)
        return reply.pieces, reply.problem


# System calls that the kernel refuses if hostile bytes ever take over this process: sockets, programs, file changes

_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
_NUMBER, _MACHINE, _ARGUMENTS = 0, 4, 16
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _MODE_FILTER = 22, 38, 2


class _Architecture(NamedTuple):
    """Its audit number, and system calls by number."""

    code: int
    opens: tuple[tuple[int, int], ...]
    """Calls that open a file, each with the index of its flags argument."""
    refused: tuple[int, ...]


_ARCHITECTURES = {
    "x86_64": _Architecture(
        0xC000003E,
        ((2, 1), (257, 2)),
        # socket, connect, sendto, socketpair, fork, vfork, execve, execveat, kill, ptrace, process_vm_writev,
        # truncate, rename, mkdir, rmdir, creat, link, unlink, symlink, chmod, chown, later forms, openat2, io_uring
        (41, 42, 44, 53, 57, 58, 59, 322, 62, 101, 311, 76, 82, 83, 84, 85, 86, 87, 88, 90, 92, 94, 258, 260, 263, 264,
         265, 266, 268, 316, 437, 425),
    ),
    "aarch64": _Architecture(
        0xC00000B7,
        ((56, 2),),
        (198, 203, 206, 199, 221, 281, 129, 117, 271, 45, 38, 276, 34, 35, 37, 36, 53, 54, 437, 425),
    ),
}  # fmt: skip


def refuse_system_calls() -> bool:
    """Install a seccomp filter for the rest of this process; false where there is none for the platform."""
    machine = _ARCHITECTURES.get(platform.machine())
    if sys.platform != "linux" or machine is None or sys.maxsize < 1 << 32:
        return False
    code = _seccomp_filter(machine)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, program, 0, 0) == 0)


def _seccomp_filter(machine: _Architecture) -> bytes:
    """The BPF program: it checks the number of each call, and the flags of those that open files."""
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
