"""The two processes that play a recording: one that decodes it and may do nothing else, one that has the sound device.

The first is led astray by a made-up file at most into its own end. The second never sees anything but plain samples.
"""

import io
import os
import struct
import threading
from array import array
from collections import deque
from collections.abc import Generator, Iterator
from enum import Enum
from operator import mul
from typing import BinaryIO, cast

import msgspec

from cloudstore_tui.preview.remote_file import NotFetchedError, RemoteFile
from cloudstore_tui.preview.streams import Wav, constant_speed, first_frame, wav_head
from cloudstore_tui.preview.worker import Program, limit

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
_AHEAD, _SEARCHED = 64 * 1024, 8 * 1024
_LEAD_S = 1.0
"""Seconds before the wanted one at which an MP3 is begun: a frame may hold bits of some before it."""
_FRAME, _OVERLAP, _REACH, _SPARSE = RATE // 25, RATE // 100, RATE // 200, 4
"""Samples of a frame, of a cross-fade, of the search for the best fit, and the step of that search."""


class DecodeJob(msgspec.Struct, frozen=True):
    """To the process that decodes: how large the recording is, from where, and how fast it is to be heard."""

    size: int
    start: float = 0.0
    """Seconds."""
    speed: float = 1.0


class Samples(msgspec.Struct, frozen=True, tag=True):
    """From it: the next ones, of both sides in one."""

    data: bytes


def decoder_main() -> None:
    """Decode one recording, and ask for its bytes as they are needed."""
    program = Program()
    limit(_MAX_CPU_S)
    job = program.receive(DecodeJob)
    for samples in stretched(decoded(RemoteFile(program.fetch, job.size), job.start), job.speed):
        program.send(Samples(samples.tobytes()))
    os._exit(0)


def format_of(head: bytes) -> tuple[str, int] | None:
    """The library's name for a format that is played, and where it begins.

    Not Vorbis: the decoder at hand is known to write where a damaged file tells it to.
    """
    if head.startswith(b"fLaC"):
        return "FLAC", 0
    wav = wav_head(io.BytesIO(head))
    if wav is not None:
        return ("WAV", wav.start) if wav.is_decoded else None
    at = 0 if head.startswith(b"ID3") else first_frame(head)
    return None if at is None else ("MP3", at)


def decoded(file: RemoteFile, start: float) -> "Iterator[array[int]]":
    """The samples of a recording from a second on, both sides in one."""
    import miniaudio

    try:
        found = _from_second(file, start)
        if found is None:
            return
        kind, source, skipped = found
        yield from miniaudio.stream_any(
            source, miniaudio.FileFormat[kind], nchannels=1, sample_rate=RATE, frames_to_read=RATE // 5,
            seek_frame=int(skipped * RATE),
        )  # fmt: skip
    except (miniaudio.MiniaudioError, NotFetchedError):
        # What came before was sound all the same.
        return


def _from_second(file: RemoteFile, start: float) -> "tuple[str, SoundFile, float] | None":
    """A file that begins where the sound of a second is known to lie, and the seconds to pass over in it."""
    head = file.stretch(0, _AHEAD)
    found = format_of(head)
    if found is None:
        return None
    (kind, at), opened = found, cast(BinaryIO, file)
    if kind == "WAV" and (wav := wav_head(opened)) is not None:
        place = int(start * wav.rate) * wav.block if wav.is_sliceable else 0
        length = max(min(wav.length or file.size, file.size - wav.start) - place, 0)
        return kind, SoundFile(file, wav.start + place, wav.head(length), wav), 0.0 if wav.is_sliceable else start
    if kind == "MP3" and start > _LEAD_S and (speed := constant_speed(opened, at)):
        begin = at + int((start - _LEAD_S) * speed)
        frame = first_frame(file.stretch(begin, _SEARCHED)) or 0
        return kind, SoundFile(file, begin + frame), start - (begin + frame - at) / speed
    return kind, SoundFile(file, at), start


class SoundFile:
    """A recording from some place on as the library wants to read it, with another head before it."""

    error_in_readcallback: BaseException | None = None

    def __init__(self, file: RemoteFile, begin: int, head: bytes = b"", wav: Wav | None = None) -> None:
        """Take the file, where its sound begins, what is read before that, and how the sound is to be turned round."""
        self._file = file
        self._begin = begin
        self._head = head
        self._wav = wav if wav is not None and wav.turned else None
        self._at = 0

    def read(self, count: int) -> bytes:
        """The next bytes; none where they cannot be read."""
        data = self._head[self._at : self._at + count] or self._sound(self._at - len(self._head), count)
        self._at += len(data)
        return data

    def seek(self, offset: int, origin: Enum) -> bool:
        """Go there; whether that is inside of the file."""
        at = offset + (self._at if origin.name == "CURRENT" else 0)
        if at < 0:
            return False
        self._at = at
        return True

    def _sound(self, at: int, count: int) -> bytes:
        try:
            if self._wav is None:
                return self._file.stretch(self._begin + at, count)
            # Samples are turned round as a whole, wherever the library wants to begin.
            before = at % self._wav.turned
            data = self._file.stretch(self._begin + at - before, before + count + -(before + count) % self._wav.turned)
            return self._wav.sound(data)[before : before + count]
        except NotFetchedError:
            return b""


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
    """Report the position until the pipe is closed."""
    stop = threading.Event()
    while True:
        try:
            target.write(queue.report)
            target.flush()
        except OSError:
            os._exit(0)
        stop.wait(REPORT_S)
