"""What previews cost, and whether damaged files ever break them.

    python benchmarks/previews.py [--files 5000] [--seed 1] [--folder FOLDER]

Each round takes a sample (the ones that are made here, or the files of a folder), damages it, and has it read in this
process by what the worker runs: an error that escapes, a thing that cannot be sent, or more than five seconds of work
is a failure. Then each sample is previewed whole by a real worker, and its time, memory and bytes are told.
"""

import argparse
import asyncio
import gzip
import io
import json
import logging
import random
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cloudstore_tui.core.links import Piece
from cloudstore_tui.preview.examine import examine
from cloudstore_tui.preview.model import HEAD, Done, ObjectFacts, Preview
from cloudstore_tui.preview.remote_file import RemoteFile
from cloudstore_tui.preview.render import render
from cloudstore_tui.preview.runner import make_preview
from cloudstore_tui.preview.sample import Sample
from cloudstore_tui.preview.worker import MAX_MEMORY, encoded
from cloudstore_tui.sandbox.content import recording

MAX_CPU_S = 5.0
HARMS = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0")


def samples() -> dict[str, bytes]:
    """Files of the kinds that are met most."""
    packed, tar = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive, tarfile.open(fileobj=tar, mode="w") as members:
        for number in range(50):
            archive.writestr(f"calls/{number}.json", b"{}" * 500)
            info = tarfile.TarInfo(f"calls/{number}.json")
            info.size = 1000
            members.addfile(info, io.BytesIO(b"{}" * 500))
    phrases = [{"speaker": "Ann", "start": number, "text": "Hello there"} for number in range(500)]
    table = b"a,b,c\n" + b"".join(b"%d,%d,\xc3\xa4\n" % (number, number * 7) for number in range(3000))
    return {
        "a.mp3": recording("mp3", 40, 1, "A call"),
        "a.wav": recording("wav", 10, 1),
        "a.zip": packed.getvalue(),
        "a.tar": tar.getvalue(),
        "a.tar.gz": gzip.compress(tar.getvalue(), mtime=0),
        "a.csv": table,
        "a.json": json.dumps({"phrases": phrases}).encode(),
        "a.xml": b'<?xml version="1.0"?><a>' + b'<b c="d">e</b>' * 2000 + b"</a>",
        "a.vtt": b"WEBVTT\n\n" + b"00:01.000 --> 00:02.000\n<v Ann>Hello\n\n" * 300,
    }


def damaged(data: bytes, chance: random.Random) -> bytes:
    """The same with some bytes changed, taken out or put in, most of them near the beginning; sometimes cut."""
    out = bytearray(data)
    for _ in range(chance.randrange(1, 25)):
        place = chance.randrange(max(min(len(out), chance.choice((64, 600, 8000, len(out)))), 1))
        kind = chance.randrange(4)
        if kind == 0:
            out[place : place + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            out[place : place + 4] = chance.choice(HARMS)
        elif kind == 2:
            del out[place : place + chance.randrange(1, 60)]
        else:
            out[place:place] = chance.randbytes(chance.randrange(1, 20))
    return bytes(out[: chance.randrange(1, len(out) + 1)] if chance.random() < 0.2 and out else out)


def look(name: str, data: bytes) -> float:
    """Seconds of work of a preview in this process."""
    head = data[:HEAD]
    file = RemoteFile(lambda asked: ([data[at : at + count] for at, count in asked], ""), len(data), head)
    begun = time.process_time()
    preview = examine(Sample(ObjectFacts(name, size=len(data)), head, file))
    encoded(Done(preview))
    render(preview, 80)
    return time.process_time() - begun


@contextmanager
def no_more_than(count: int) -> Iterator[None]:
    """Let this process take so many bytes more, as a worker may: libraries ask for gigabytes if a file says so."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def fuzz(files: Mapping[str, bytes], rounds: int, seed: int) -> int:
    """How many damaged files break a preview."""
    chance = random.Random(seed)
    failures, longest = 0, (0.0, "")
    for number in range(rounds):
        name = chance.choice(sorted(files))
        data = damaged(files[name], chance)
        try:
            spent = look(name, data)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a failure
            failures += 1
            sys.stdout.write(f"{name}, round {number}: {type(error).__name__}: {error}\n")
            continue
        longest = max(longest, (spent, name))
        failures += spent > MAX_CPU_S
    sys.stdout.write(f"{rounds:,} damaged files: {failures} failures; most work {longest[0]:.2f} s ({longest[1]})\n")
    return failures


# As the worker does it, but with the file at hand. Not by `ru_maxrss`: that of a child begins with its parent's.
_ALONE = """
import sys; sys.path[:] = sys.argv[3:]
from cloudstore_tui.preview.worker import limit
limit()
def most():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
begun = most()
from cloudstore_tui.preview.examine import examine
from cloudstore_tui.preview.model import HEAD, ObjectFacts
from cloudstore_tui.preview.remote_file import RemoteFile
from cloudstore_tui.preview.sample import Sample
data = open(sys.argv[2], "rb", buffering=0)
def fetch(asked):
    return [(data.seek(at), data.read(count))[1] for at, count in asked], ""
size = data.seek(0, 2)
head = fetch([(0, HEAD)])[0][0]
examine(Sample(ObjectFacts(sys.argv[1], size=size), head, RemoteFile(fetch, size, head)))
print(begun, most())
"""


def memory(name: str, data: bytes) -> float:
    """Megabytes that a preview needs more than its process has at its start; Linux only."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        arguments = [sys.executable, "-I", "-S", "-c", _ALONE, name, file.name, *filter(None, sys.path)]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False, env={})
    begun, most = (int(word) for word in done.stdout.split() or ("0", "0"))
    return (most - begun) / 1024


def measure(files: Mapping[str, bytes]) -> None:
    """What a real worker takes for each sample."""
    for name, data in files.items():

        async def read(first: int, count: int, data: bytes = data) -> Piece:
            return Piece(data[first : first + count], len(data))

        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        preview: Preview = asyncio.run(make_preview(read, ObjectFacts(name)))
        after, spent = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - begun
        work = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        sys.stdout.write(
            f"{name[:48]:48} {preview.format:24} {spent:5.2f} s, {work:5.2f} s of work, {memory(name, data):4.0f} MB, "
            f"{preview.fetched:>9,} of {len(data):>11,} bytes\n"
        )


def main() -> int:
    """Fuzz, then measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    wanted = parser.parse_args()
    logging.disable()
    files = samples()
    if wanted.folder:
        files |= {path.name: path.read_bytes() for path in sorted(wanted.folder.iterdir()) if path.is_file()}
    with no_more_than(MAX_MEMORY):
        failures = fuzz(files, wanted.files, wanted.seed)
    measure(files)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
