"""The process in which untrusted bytes are read.

Started as `python -I -S -c …` with an empty environment. It asks for bytes through its input and output, and has no
other way out: no secret, no configuration, no file to write, no socket. It is limited in memory and work; whoever
started it kills it whenever he likes. Imports are few, because somebody waits.
"""

import os
import resource
import struct
import sys
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from cloudstore_tui.preview.model import Answer, Ask, Done, Draft, Job
from cloudstore_tui.preview.remote_file import RemoteFile
from cloudstore_tui.preview.sample import Sample
from cloudstore_tui.preview.system_calls import refuse_system_calls

MAX_MEMORY = 512 * 1024 * 1024
MAX_CPU_S = 5
_MAX_FILES = 64
_M = TypeVar("_M")
_LENGTH = struct.Struct(">I")
_FORBIDDEN = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.kill")


def main() -> None:
    """Take one job, answer it, end."""
    program = Program()
    limit()
    job = program.receive(Job)
    # Deferred: while this is loaded, the program fetches the first bytes.
    from cloudstore_tui.preview.examine import examine

    size = job.facts.size
    file = RemoteFile(program.fetch, size if size is not None else len(job.head), job.head)
    sample = Sample(job.facts, job.head[: job.wanted], file, draft=lambda preview: program.send(Draft(preview)))
    program.send(Done(examine(sample)))
    os._exit(0)


def limit(cpu_s: int = MAX_CPU_S) -> None:
    """Bound memory, work and files, and refuse to go anywhere."""
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
            # macOS knows no limit of memory; the time that whoever started this allows bounds it there.
            continue
    sys.addaudithook(_refuse)
    refuse_system_calls()


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event.startswith(_FORBIDDEN) or (event == "open" and _writes(arguments)):
        raise PermissionError(f"a preview may not do that: {event}")


def _writes(arguments: tuple[object, ...]) -> bool:
    flags = arguments[2] if len(arguments) > 2 else 0
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def encoded(message: msgspec.Struct) -> bytes:
    """A message as bytes; letters that are half of one become �."""
    try:
        return msgspec.msgpack.encode(message)
    except UnicodeEncodeError:
        return msgspec.msgpack.encode(_whole_letters(msgspec.to_builtins(message, builtin_types=(bytes,))))


def _whole_letters(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {name: _whole_letters(item) for name, item in value.items()}
    return [_whole_letters(item) for item in value] if isinstance(value, list | tuple) else value


class Program:
    """Who started this worker, at the other end of its standard input and output."""

    def __init__(self) -> None:
        """Take both for messages alone: whatever a library prints must not come between them."""
        self._source = os.fdopen(os.dup(0), "rb")
        self._target = os.fdopen(os.dup(1), "wb")
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nowhere, number)

    def send(self, message: msgspec.Struct) -> None:
        """Say something."""
        data = encoded(message)
        self._target.write(_LENGTH.pack(len(data)) + data)
        self._target.flush()

    def receive(self, kind: type[_M]) -> _M:
        """Wait for what is said next."""
        size = self._source.read(_LENGTH.size)
        if len(size) < _LENGTH.size:
            # Nobody waits any more.
            os._exit(1)
        return msgspec.msgpack.decode(self._source.read(_LENGTH.unpack(size)[0]), type=kind)

    def fetch(self, stretches: Sequence[tuple[int, int]]) -> tuple[Sequence[bytes], str]:
        """Ask for stretches of the object."""
        self.send(Ask(tuple(stretches)))
        answer = self.receive(Answer)
        return answer.pieces, answer.problem
