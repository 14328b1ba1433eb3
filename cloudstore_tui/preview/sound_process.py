"""The two processes that play a recording: one that decodes it and may do nothing else, one that has the sound device.

The first is led astray by a made-up file at most into its own end. The second never sees anything but plain samples.
"""

import os
import struct
import threading
from array import array
from collections import deque
from collections.abc import Generator, Iterator
from operator import mul
from typing import BinaryIO

import msgspec

from cloudstore_tui.preview.loudness import MemoryFile
from cloudstore_tui.preview.streams import first_frame
from cloudstore_tui.preview.worker import limit

RATE = 16_000
"""Samples a second that are played: calls have half of that, and screen recordings no more to say."""
WIDTH = 2
"""Bytes of a sample."""
NO_DEVICE = 3
"""Exit code where nothing plays sound."""
REPORT_S = 0.25
HEAD = struct.Struct(">cI")
"""A letter, and how many bytes follow: D samples, F forget what is not played yet, P pause, R go on."""
REPORT = struct.Struct(">BQ")
"""How often was forgotten until now (modulo 256), and how many samples were played since."""
_MAX_CPU_S = 600
_FRAME, _OVERLAP, _REACH, _SPARSE = RATE // 25, RATE // 100, RATE // 200, 4
"""Samples that are moved together, that fade into each other, that a frame is moved to fit, and of which one counts."""


class DecodeJob(msgspec.Struct, frozen=True):
    """What is decoded, from where, and how fast it is to be heard."""

    data: bytes
    start: float = 0.0
    """Seconds."""
    speed: float = 1.0


def decoder_main() -> None:
    """Decode one recording into samples on the standard output."""
    source, target = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    job = msgspec.msgpack.decode(source.read(), type=DecodeJob)
    limit(_MAX_CPU_S)
    for samples in stretched(decoded(job.data, job.start), job.speed):
        target.write(samples.tobytes())
    target.flush()
    os._exit(0)


def format_of(data: bytes) -> tuple[str, int] | None:
    """The library's name for a format that is played, and where it begins.

    Not Vorbis: the decoder at hand is known to write where a damaged file tells it to.
    """
    if data[:4] in (b"RIFF", b"RF64", b"BW64") and data[8:12] == b"WAVE":
        return "WAV", 0
    if data.startswith(b"fLaC"):
        return "FLAC", 0
    at = 0 if data.startswith(b"ID3") else first_frame(data[: 1 << 20])
    return None if at is None else ("MP3", at)


def decoded(data: bytes, start: float) -> "Iterator[array[int]]":
    """The samples of a recording from a second on, both sides in one."""
    import miniaudio

    found = format_of(data)
    if found is None:
        return
    kind, at = found
    source = MemoryFile(data[at:])
    try:
        yield from miniaudio.stream_any(
            source, miniaudio.FileFormat[kind], nchannels=1, sample_rate=RATE, frames_to_read=RATE // 5,
            seek_frame=int(start * RATE),
        )  # fmt: skip
    except miniaudio.MiniaudioError:
        # What came before was sound all the same.
        return


def stretched(pieces: "Iterator[array[int]]", speed: float) -> "Iterator[array[int]]":
    """The same sound faster, at the same pitch: frames of it are laid over each other where they fit best."""
    if speed == 1.0:
        yield from pieces
        return
    step, needed = int((_FRAME - _OVERLAP) * speed), _FRAME + 2 * _REACH
    buffer, tail = array("h"), array("h")
    for piece in pieces:
        buffer.extend(piece)
        while len(buffer) >= max(needed, step):
            at = _best_fit(tail, buffer) if tail else _REACH
            frame = buffer[at : at + _FRAME]
            faded = (
                (old * (_OVERLAP - place) + new * place) // _OVERLAP
                for place, (old, new) in enumerate(zip(tail, frame[:_OVERLAP], strict=True))
            )
            yield (array("h", faded) if tail else frame[:_OVERLAP]) + frame[_OVERLAP:-_OVERLAP]
            tail = frame[-_OVERLAP:]
            del buffer[:step]
    yield tail


def _best_fit(tail: "array[int]", buffer: "array[int]") -> int:
    """Where in the buffer the sound goes on most as it did."""
    few = tail[::_SPARSE]
    return max(
        range(0, 2 * _REACH, _SPARSE),
        key=lambda at: sum(map(mul, few, buffer[at : at + _OVERLAP : _SPARSE])),
    )


def output_main() -> None:
    """Play the samples that come through the standard input; the first argument may name what plays them."""
    source, target = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    wanted = os.environ.get("CLOUDSTORE_SOUND", "")
    import miniaudio

    try:
        backends = [miniaudio.Backend[wanted.upper()]] if wanted else None
        device = miniaudio.PlaybackDevice(nchannels=1, sample_rate=RATE, buffersize_msec=100, backends=backends)
    except (miniaudio.MiniaudioError, KeyError):
        os._exit(NO_DEVICE)
    if device.backend.lower() == "null" and wanted != "null":
        os._exit(NO_DEVICE)
    queue = SampleQueue()
    device.start(queue.play())
    threading.Thread(target=_report, args=(queue, target), daemon=True).start()
    while len(head := source.read(HEAD.size)) == HEAD.size:
        order, size = HEAD.unpack(head)
        queue.take(order, source.read(size))
    device.close()
    os._exit(0)


class SampleQueue:
    """Samples that wait to be played."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pieces: deque[memoryview] = deque()
        self._paused = False
        self._forgotten = 0
        self._played = 0

    @property
    def report(self) -> bytes:
        """How far it is."""
        with self._lock:
            return REPORT.pack(self._forgotten, self._played)

    def take(self, order: bytes, data: bytes) -> None:
        """Do as told."""
        with self._lock:
            if order == b"D":
                self._pieces.append(memoryview(data))
            elif order == b"F":
                self._pieces.clear()
                self._forgotten, self._played = (self._forgotten + 1) % 256, 0
            else:
                self._paused = order == b"P"

    def play(self) -> Generator[bytes, int, None]:
        """What the device asks for samples; silence where there are none."""
        given = self._play()
        next(given)
        return given

    def _play(self) -> Generator[bytes, int, None]:
        data = b""
        while True:
            wanted = (yield data) * WIDTH
            with self._lock:
                data = b"" if self._paused else self._next(wanted)
                self._played += len(data) // WIDTH
            data = data.ljust(wanted, b"\0")

    def _next(self, wanted: int) -> bytes:
        taken = bytearray()
        while self._pieces and len(taken) < wanted:
            piece = self._pieces.popleft()
            room = wanted - len(taken)
            taken += piece[:room]
            if len(piece) > room:
                self._pieces.appendleft(piece[room:])
        return bytes(taken)


def _report(queue: SampleQueue, target: BinaryIO) -> None:
    """Tell how far it is as long as somebody listens."""
    stop = threading.Event()
    while True:
        try:
            target.write(queue.report)
            target.flush()
        except OSError:
            os._exit(0)
        stop.wait(REPORT_S)
