"""The two processes that play a recording: one decodes it, sandboxed, the other has the sound device.

A malicious recording can at most crash the first. The second never gets anything but PCM samples.
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
from cloudstore_tui.preview.streams import Wav, constant_byte_rate, first_frame, wav_head
from cloudstore_tui.preview.worker import Parent, limit

RATE = 16_000
"""Sample rate of playback in Hz: twice that of calls, and enough for speech in screen recordings."""
WIDTH = 2
"""Bytes of a sample."""
NO_DEVICE = 3
"""Exit code if there is no sound device."""
REPORT_S = 0.25
HEAD = struct.Struct(">cI")
"""A command and the bytes that follow: D play these samples, F flush the queue, P pause, R resume."""
REPORT = struct.Struct(">BQ")
"""Number of flushes so far (modulo 256), and samples played since the last one."""
_MAX_CPU_S = 600
_HEAD_BYTES, _SEARCH_BYTES = 64 * 1024, 8 * 1024
_LEAD_S = 1.0
"""Seconds by which decoding an MP3 starts early: a frame may refer to those before it."""
_FRAME, _OVERLAP, _REACH, _SPARSE = RATE // 25, RATE // 100, RATE // 200, 4
"""Samples of a frame, of a cross-fade, of the search for the best fit, and the step of that search."""


class DecodeJob(msgspec.Struct, frozen=True):
    """To the process that decodes: decode a recording of `size` bytes from `start` on, at `speed`."""

    size: int
    start: float = 0.0
    """Seconds."""
    speed: float = 1.0


class Samples(msgspec.Struct, frozen=True, tag=True):
    """From it: the next samples, mixed down to mono."""

    data: bytes


def decoder_main() -> None:
    """Decode one recording, requesting its bytes as they are needed."""
    parent = Parent()
    limit(_MAX_CPU_S)
    job = parent.receive(DecodeJob)
    for samples in stretched(decoded(RemoteFile(parent.fetch, job.size), job.start), job.speed):
        parent.send(Samples(samples.tobytes()))
    os._exit(0)


def format_of(head: bytes) -> tuple[str, int] | None:
    """The library's name for a format, and the offset of the sound; `None` if it is not supported.

    Vorbis is not: a damaged file makes the library's decoder write out of bounds.
    """
    if head.startswith(b"fLaC"):
        return "FLAC", 0
    wav = wav_head(io.BytesIO(head))
    if wav is not None:
        return ("WAV", wav.start) if wav.is_decoded else None
    at = 0 if head.startswith(b"ID3") else first_frame(head)
    return None if at is None else ("MP3", at)


def decoded(file: RemoteFile, start: float) -> "Iterator[array[int]]":
    """The samples of a recording from a second on, mixed down to mono."""
    import miniaudio

    try:
        found = _seek_source(file, start)
        if found is None:
            return
        kind, source, skip_s = found
        yield from miniaudio.stream_any(
            source, miniaudio.FileFormat[kind], nchannels=1, sample_rate=RATE, frames_to_read=RATE // 5,
            seek_frame=int(skip_s * RATE),
        )  # fmt: skip
    except (miniaudio.MiniaudioError, NotFetchedError):
        # What came before it can be heard all the same.
        return


def _seek_source(file: RemoteFile, start: float) -> "tuple[str, SoundFile, float] | None":
    """Format, a file that begins at or shortly before a second, and the seconds to skip in it."""
    head = file.read_at(0, _HEAD_BYTES)
    found = format_of(head)
    if found is None:
        return None
    (kind, at), opened = found, cast(BinaryIO, file)
    if kind == "WAV" and (wav := wav_head(opened)) is not None:
        place = int(start * wav.rate) * wav.block if wav.is_sliceable else 0
        length = max(min(wav.length or file.size, file.size - wav.start) - place, 0)
        return kind, SoundFile(file, wav.start + place, wav.head(length), wav), 0.0 if wav.is_sliceable else start
    if kind == "MP3" and start > _LEAD_S and (byte_rate := constant_byte_rate(opened, at)):
        begin = at + int((start - _LEAD_S) * byte_rate)
        frame = first_frame(file.read_at(begin, _SEARCH_BYTES)) or 0
        return kind, SoundFile(file, begin + frame), start - (begin + frame - at) / byte_rate
    return kind, SoundFile(file, at), start


class SoundFile:
    """A recording from some offset on, behind another header, in the form that the library reads.

    With `wav`, the bytes of each sample are put into the order of a WAV file.
    """

    error_in_readcallback: BaseException | None = None

    def __init__(self, file: RemoteFile, begin: int, head: bytes = b"", wav: Wav | None = None) -> None:
        self._file = file
        self._begin = begin
        self._head = head
        self._wav = wav if wav is not None and wav.swap_width else None
        self._at = 0

    def read(self, count: int) -> bytes:
        """The next bytes; none where they cannot be read."""
        data = self._head[self._at : self._at + count] or self._sound(self._at - len(self._head), count)
        self._at += len(data)
        return data

    def seek(self, offset: int, origin: Enum) -> bool:
        """Move to an offset; false if it lies before the beginning."""
        at = offset + (self._at if origin.name == "CURRENT" else 0)
        if at < 0:
            return False
        self._at = at
        return True

    def _sound(self, at: int, count: int) -> bytes:
        try:
            if self._wav is None:
                return self._file.read_at(self._begin + at, count)
            # Only whole samples can be reordered, wherever the library starts reading.
            width = self._wav.swap_width
            before = at % width
            data = self._file.read_at(self._begin + at - before, before + count + -(before + count) % width)
            return self._wav.sound(data)[before : before + count]
        except NotFetchedError:
            return b""


def stretched(pieces: "Iterator[array[int]]", speed: float) -> "Iterator[array[int]]":
    """The same sound faster at the same pitch: its frames are cross-faded where they overlap best (WSOLA)."""
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
    """Where in the buffer the sound continues most like the tail."""
    few = tail[::_SPARSE]
    return max(
        range(0, 2 * _REACH, _SPARSE),
        key=lambda at: sum(map(mul, few, buffer[at : at + _OVERLAP : _SPARSE])),
    )


def output_main() -> None:
    """Play the samples that arrive on standard input; `CLOUDSTORE_SOUND` may name the back end."""
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
        command, size = HEAD.unpack(head)
        queue.put(command, source.read(size))
    device.close()
    os._exit(0)


class SampleQueue:
    """Samples waiting to be played."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pieces: deque[memoryview] = deque()
        self._paused = False
        self._flushes = 0
        self._played = 0

    @property
    def report(self) -> bytes:
        """What has been played, as `REPORT`."""
        with self._lock:
            return REPORT.pack(self._flushes, self._played)

    def put(self, command: bytes, data: bytes) -> None:
        """Handle one of the commands of `HEAD`."""
        with self._lock:
            if command == b"D":
                self._pieces.append(memoryview(data))
            elif command == b"F":
                self._pieces.clear()
                self._flushes, self._played = (self._flushes + 1) % 256, 0
            else:
                self._paused = command == b"P"

    def play(self) -> Generator[bytes, int, None]:
        """The callback of the device: yields the samples that it asks for, or silence."""
        callback = self._play()
        next(callback)
        return callback

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
    """Report what has been played until the pipe is closed."""
    stop = threading.Event()
    while True:
        try:
            target.write(queue.report)
            target.flush()
        except OSError:
            os._exit(0)
        stop.wait(REPORT_S)
