"""A real worker process: its limits, its end, and what it is kept from."""

import asyncio
import errno
import gzip
import os
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from cloudstore_tui.core.errors import NetworkError
from cloudstore_tui.core.links import Piece
from cloudstore_tui.preview import runner
from cloudstore_tui.preview.model import Bytes, ObjectFacts, Outline, Preview, Table, Waveform
from cloudstore_tui.preview.runner import make_preview
from tests.support.waiting import PROMPTLY


def preview(name: str, data: bytes, wanted: int = 65_536) -> Preview:
    async def read(first: int, count: int) -> Piece:
        return Piece(data[first : first + count], len(data))

    return asyncio.run(make_preview(read, ObjectFacts(name), wanted))


@pytest.mark.parametrize(
    ("coding", "data"), [("gzip", gzip.compress(b'{"a": 1}', mtime=0)), ("br", bytes(range(256)))], ids=["gzip", "br"]
)
def test_what_is_stored_compressed_is_opened_or_named(coding: str, data: bytes) -> None:
    async def read(first: int, count: int) -> Piece:
        return Piece(data[first : first + count], len(data), coding=coding)

    found = asyncio.run(make_preview(read, ObjectFacts("a.json")))
    if coding == "gzip":
        assert found.format == "JSON in gzip"
    else:
        assert found.notes == ("It is stored compressed (br), which a preview does not decompress.",)


def test_more_than_a_little_that_is_read_for_facts_alone_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"#!AMR\n" + (b"\x3c" + bytes(31)) * 100
    assert not any("were read" in note for note in preview("a.amr", data).notes)
    monkeypatch.setattr(runner, "MAX_FOR_FACTS", 3000)
    assert any("MB were read" in note for note in preview("a.amr", data).notes)


def children() -> list[psutil.Process]:
    return list(psutil.Process().children(recursive=True))


def packed(piece: bytes, times: int, form: int = zlib.MAX_WBITS) -> bytes:
    """The same bytes many times, compressed, without ever being here as a whole."""
    engine = zlib.compressobj(1, wbits=form)
    return b"".join(engine.compress(piece) for _ in range(times)) + engine.flush()


def id3(piece: bytes, times: int) -> bytes:
    """A tag with one title that is compressed, as ID3v2.4 allows."""
    content = struct.pack(">I", len(piece) * times) + packed(piece, times)
    frame = b"TIT2" + synchsafe(len(content)) + b"\0\x09" + content
    return b"ID3\4\0\0" + synchsafe(len(frame)) + frame


def synchsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def wav(rate: int, *before: bytes, codec: int = 1, data: bytes = bytes(3_000_000)) -> bytes:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, codec, 1, rate, rate, 1, 8)
    inside = b"WAVE" + form + b"".join(before) + struct.pack("<4sI", b"data", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(inside)) + inside


def icon() -> bytes:
    """An icon of many pictures, each of which is a bitmap that says it is huge."""
    count = 250
    bitmap = struct.pack("<IiiHHIIiiII", 40, 30_000, 60_000, 1, 32, 0, 0, 0, 0, 0, 0)
    entries = b"".join(struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 32, len(bitmap), 6 + 16 * count) for _ in range(count))
    return struct.pack("<HHH", 0, 1, count) + entries + bitmap


FRAME = b"\xff\xe3\x48\xc4" + bytes(140)
SOUND = FRAME * 300
GZIP = 31
BOMBS: dict[str, Callable[[], bytes]] = {
    "a title of 3 MB of zeros": lambda: id3(bytes(3_000_000), 1) + SOUND,
    "a title of 600 MB of letters": lambda: id3(b"\3" + b"a" * 999_999, 600) + SOUND,
    "an icon": lambda: gzip.compress(icon()),
    "a WAV with a fact chunk of no length": lambda: wav(8000, struct.pack("<4sI", b"fact", 0)),
    "a WAV with one sample a second": lambda: gzip.compress(wav(1)),
    "a list of ones": lambda: packed(b"[" + b"1," * 500_000, 10, GZIP),
    "gigabytes of nothing": lambda: packed(bytes(1_000_000), 1000, GZIP),
    "brackets": lambda: b"[" * 65_536,
    "an XML that doubles": lambda: (
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
        + b"".join(b'<!ENTITY b%d "%s">' % (n, (b"&b%d;" % (n - 1) if n else b"&a;") * 10) for n in range(10))
        + b"]><a>&b9;</a>"
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_is_made_to_keep_a_reader_busy_is_shown_or_given_up_in_bounds(name: str) -> None:
    data = BOMBS[name]()
    before = os.times()
    found = preview("x", data)
    after = os.times()
    assert after.children_user + after.children_system - before.children_user - before.children_system < 5.5
    assert found.format
    assert children() == []


def test_what_can_be_read_in_spite_of_a_bomb_is_read() -> None:
    found = preview("x", BOMBS["a title of 3 MB of zeros"]())
    assert (found.format, dict(found.facts)["rate"]) == ("MP3 audio", "8,000 Hz")
    assert isinstance(preview("x", BOMBS["a WAV with a fact chunk of no length"]()).body, Waveform)
    assert "1 Hz is not a sample rate" in " ".join(preview("x", BOMBS["a WAV with one sample a second"]()).notes)
    assert isinstance(preview("x", BOMBS["a list of ones"]()).body, Outline)


def test_what_was_known_before_a_worker_died_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    script = "import os; from cloudstore_tui.preview import media, worker; media.decode = lambda *_: os.abort()"
    monkeypatch.setattr(runner, "PROGRAM", f"import sys; sys.path[:] = sys.argv[1:]; {script}; worker.main()")
    found = preview("x", wav(8000))
    assert (found.format, dict(found.facts)["length"]) == ("WAV audio", "6:15")
    assert "damaged or malicious" in found.notes[0]


MISBEHAVIOUR = {
    "wants much memory": (
        "from cloudstore_tui.preview.worker import limit; limit(); bytearray(1 << 30)",
        "damaged or malicious",
    ),
    "never ends": (
        "from cloudstore_tui.preview import worker; worker.MAX_CPU_S = 1; worker.limit()\nwhile True: pass",
        "more work than a preview may do",
    ),
    "ends at once": ("", "damaged or malicious"),
    "sleeps": ("import time; time.sleep(60)", "not be read within"),
    "says too much": (
        "import os; os.write(1, b'\\xff' * 4)\nwhile True: os.write(1, bytes(65536))",
        "damaged or malicious",
    ),
    "says nonsense": ("import os; os.write(1, b'\\0\\0\\0\\4abcd')", "damaged or malicious"),
}


@pytest.mark.parametrize("what", MISBEHAVIOUR)
def test_a_worker_that_misbehaves_is_a_sentence_and_the_bytes(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    script, sentence = MISBEHAVIOUR[what]
    monkeypatch.setattr(runner, "PROGRAM", f"import sys; sys.path[:] = sys.argv[1:]\n{script}")
    monkeypatch.setattr(runner, "MAX_SILENCE_S", 1.0 if what == "sleeps" else 100.0)
    found = preview("x.txt", b"hello")
    assert found.body == Bytes(b"hello")
    assert sentence in found.notes[0]
    assert children() == []


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="the system has no /proc")
async def test_a_worker_knows_nothing_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDSTORE_ACME_SECRET", "canary")
    seen: list[Path] = []

    async def read(_first: int, _count: int) -> Piece:
        for child in children():
            process = Path(f"/proc/{child.pid}")
            assert (process / "environ").read_bytes() == b""
            assert (process / "cwd").readlink() == Path("/")
            assert b"canary" not in (process / "cmdline").read_bytes()
            seen.append(process)
        return Piece(b"", 0)

    await runner.make_preview(read, ObjectFacts("x"))
    assert len(seen) == 1


ATTEMPTS = (
    "import socket; socket.create_connection(('127.0.0.1', 9))",
    "import subprocess; subprocess.run(['true'])",
    "import os; os.system('true')",
    "import os; os.execv('/bin/true', ['true'])",
    "import os; os.fork()",
    "open('/tmp/x', 'w')",
    "import os; os.open('/tmp/x', os.O_CREAT | os.O_WRONLY)",
    "import os; os.kill(os.getppid(), 9)",
)


def test_a_worker_goes_nowhere() -> None:
    script = (
        "from cloudstore_tui.preview.worker import limit\n"
        "limit()\n"
        f"for attempt in {ATTEMPTS!r}:\n"
        "    try:\n"
        "        exec(attempt)\n"
        "    except PermissionError as error:\n"
        "        print(str(error).partition(':')[0], attempt, sep=': ', flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout.splitlines() == [f"a preview may not do that: {attempt}" for attempt in ATTEMPTS], done.stderr


CALLS = (
    "socket(2, 1, 0)",
    "execv(b'/bin/true', None)",
    "open(b'/tmp', 0o1000002)",
    "unlink(b'/tmp/no-such-file')",
    "rename(b'/tmp/no-such-file', b'/tmp/x')",
    "creat(b'/tmp/no-such-folder/x', 0o600)",
    "kill(1, 0)",
)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can refuse calls")
def test_the_kernel_refuses_what_python_does_not_see() -> None:
    calls = "".join(f"ctypes.set_errno(0); print(libc.{call}, ctypes.get_errno(), flush=True); " for call in CALLS)
    script = (
        "import ctypes; from cloudstore_tui.preview.worker import limit; libc = ctypes.CDLL(None, use_errno=True); "
        f"limit(); {calls}"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert dict(zip(CALLS, done.stdout.splitlines(), strict=True)) == dict.fromkeys(CALLS, f"-1 {errno.EPERM}")


async def test_whoever_stops_waiting_leaves_no_worker_behind() -> None:
    asked = asyncio.Event()

    async def read(first: int, count: int) -> Piece:
        asked.set()
        await asyncio.sleep(60)
        raise AssertionError

    task = asyncio.create_task(make_preview(read, ObjectFacts("x")))
    await asked.wait()
    assert len(children()) == 1
    begun = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert children() == []
    assert time.monotonic() - begun < PROMPTLY


async def test_a_worker_that_works_is_killed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    script = "from cloudstore_tui.preview.worker import limit; limit()\nwhile True: pass"
    monkeypatch.setattr(runner, "PROGRAM", f"import sys; sys.path[:] = sys.argv[1:]; {script}")

    read_once = asyncio.Event()

    async def read(first: int, count: int) -> Piece:
        read_once.set()
        return Piece(b"hello", 5)

    task = asyncio.create_task(make_preview(read, ObjectFacts("x")))
    await read_once.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert children() == []


def test_what_cannot_be_had_at_all_is_an_error() -> None:
    async def read(first: int, count: int) -> Piece:
        raise NetworkError("the host does not answer")

    with pytest.raises(NetworkError):
        asyncio.run(make_preview(read, ObjectFacts("x")))
    assert children() == []


def test_a_table_comes_through_the_pipe_as_it_was_read() -> None:
    found = preview("x.csv", b"a,b\n1,2\n")
    assert found.body == Table(("a", "b"), (("1", "2"),))
    assert (found.head, found.fetched, found.total, found.is_whole) == (8, 8, 8, True)


def test_a_worker_loads_no_library_before_it_knows_what_it_reads() -> None:
    heavy = {"miniaudio", "pymediainfo", "email", "ssl", "charset_normalizer", "pyarrow", "pypdf", "asyncio", "textual"}
    script = "import sys, cloudstore_tui.preview.worker, cloudstore_tui.preview.examine; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, timeout=30, check=True)
    assert heavy & set(done.stdout.split()) == set()
