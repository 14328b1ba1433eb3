"""The contents of the sandbox's files: valid recordings, tables and archives, which depend on the seed only."""

import gzip
import io
import struct
import sys
import tarfile
from array import array
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import blake2b
from math import pi, sin
from random import Random

import msgspec

# Telephone sound: 8 kHz, 16 bits, mono, voices of different pitch and loudness


WAV_RATE = 8000
WAV_BLOCK = WAV_RATE * 2
"""Bytes of one second."""

WAV_HEADER = 44
"""Bytes before the sound."""

_WAV_VOICES = ((131, 9000), (147, 14_000), (196, 6000), (220, 11_000), (165, 3500), (247, 7500))
"""Pitch in Hz and loudness of each piece, full scale being 32,767."""

_WAV_SYLLABLES = 4
"""Swells of loudness per second."""


@cache
def wav_blocks() -> tuple[bytes, ...]:
    """Seconds of speech-like sound, and one of silence."""
    return (*(_second(pitch, loudness) for pitch, loudness in _WAV_VOICES), bytes(WAV_BLOCK))


def wav_header(sound: int) -> bytes:
    """The head of a WAV file with `sound` bytes of sound."""
    riff = struct.pack("<4sI4s", b"RIFF", WAV_HEADER - 8 + sound, b"WAVE")
    return riff + struct.pack("<4sIHHIIHH4sI", b"fmt ", 16, 1, 1, WAV_RATE, WAV_BLOCK, 2, 16, b"data", sound)


def _second(pitch: int, loudness: int) -> bytes:
    swell = [
        sin(pi * _WAV_SYLLABLES * place / WAV_RATE) ** 2 for place in range(WAV_RATE // _WAV_SYLLABLES)
    ] * _WAV_SYLLABLES
    turn = 2 * pi * pitch / WAV_RATE
    samples = array("h", (int(loudness * swell[place] * sin(turn * place)) for place in range(WAV_RATE)))
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()


# Frames of MPEG-2 layer III, built by hand: stereo, 24 kHz, 24 kbit/s, two voices that take turns.
#
# Every frame is independent (no bit reservoir), lasts 24 ms and has 72 bytes, so the size of a recording is known
# without generating it. A voice is a single spectral line, the simplest sound that a decoder can play.


MP3_FRAME = 72
"""Bytes: 72 · 24,000 bit/s / 24,000 Hz."""

_BLOCK_FRAMES = 125
"""Frames of the pieces of which recordings consist: exactly three seconds."""

_HEADER = bytes((0xFF, 0xF3, 0x34, 0x04))
"""Sync, MPEG-2, layer III, no CRC; 24 kbit/s, 24 kHz, no padding; stereo; original."""

_LINES = (7, 9, 11, 13)
"""Spectral lines of the voices; line n sounds at about 21 · (n + ½) Hz."""

_LOUDNESS = (186, 191, 196)
"""Global gains: each step of four is twice as loud; 210 would be full scale."""


def frames_in(seconds: float) -> int:
    """How many frames it takes to last `seconds`, the last one filled up."""
    return -(-round(seconds * 1000) // 24)


@cache
def mp3_blocks() -> tuple[bytes, ...]:
    """Pieces of three seconds each: one side speaks in bursts, the other is silent, or both are."""
    made = [_block(Random(number), side=number % 2) for number in range(8)]
    return (*made, _frame(None, None) * _BLOCK_FRAMES)


def _block(chance: Random, side: int) -> bytes:
    frames: list[bytes] = []
    while len(frames) < _BLOCK_FRAMES:
        voice = (chance.choice(_LINES), chance.choice(_LOUDNESS))
        burst = _frame(voice, None) if side == 0 else _frame(None, voice)
        frames += [burst] * chance.randrange(6, 22) + [_frame(None, None)] * chance.randrange(2, 8)
    return b"".join(frames[:_BLOCK_FRAMES])


def _frame(left: tuple[int, int] | None, right: tuple[int, int] | None) -> bytes:
    """One frame with a line and a loudness on each side, or silence."""
    coded = [_spectrum(voice[0]) if voice else "" for voice in (left, right)]
    # No bits from earlier frames, no private bits; then one granule for each side.
    side_info = format(0, "010b")
    for voice, bits in zip((left, right), coded, strict=True):
        pairs, gain = (voice[0] // 2 + 1, voice[1]) if voice else (0, 0)
        # Length, pairs, gain, no scale factors, no window switching, table 1 in all three regions, region bounds.
        side_info += f"{len(bits):012b}{pairs:09b}{gain:08b}{0:09b}0{1:05b}{1:05b}{1:05b}{0:04b}{0:03b}00"
    stream = side_info + coded[0] + coded[1]
    stream = stream.ljust((MP3_FRAME - len(_HEADER)) * 8, "0")
    return _HEADER + int(stream, 2).to_bytes(MP3_FRAME - len(_HEADER), "big")


def _spectrum(line: int) -> str:
    """The line as pairs in Huffman table 1, in which `1` is a pair of zeros."""
    last = "01" if line % 2 == 0 else "001"
    return "1" * (line // 2) + last + "0"


# Recorded calls


RECORDING_KINDS = ("mp3", "wav")

_TAG = 256
"""Bytes of the ID3v2 tag before the frames of an MP3; fixed, so that sizes are known."""

_TITLE = _TAG - 21
"""Bytes of the title in it: the tag without its header and that of the frame."""

_PATTERN = 61
"""Pieces after which a recording repeats; prime, so that no two lengths begin alike twice."""


class Recording(msgspec.Struct, frozen=True):
    """One recording of a kind of `RECORDING_KINDS`."""

    kind: str
    seconds: int
    seed: int | str = 0
    title: str = ""
    """What a player shows; MP3 only."""

    @property
    def size(self) -> int:
        if self.kind == "mp3":
            return _TAG + frames_in(self.seconds) * MP3_FRAME
        return WAV_HEADER + self.seconds * WAV_BLOCK

    def read(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` to before `end`, in pieces."""
        stop = self.size if end is None else min(end, self.size)
        head = self._head()
        if start < min(len(head), stop):
            yield head[start:stop]
            start = min(len(head), stop)
        pieces, order = (mp3_blocks() if self.kind == "mp3" else wav_blocks()), self._order()
        length = len(pieces[0])
        while start < stop:
            number, offset = divmod(start - len(head), length)
            piece = pieces[order[number % _PATTERN] % len(pieces)][offset : offset + stop - start]
            yield piece
            start += len(piece)

    def _head(self) -> bytes:
        if self.kind == "mp3":
            return _id3(self.title or f"Recording {self.seed}")
        return wav_header(self.size - WAV_HEADER)

    def _order(self) -> bytes:
        return blake2b(f"{self.kind}:{self.seed}".encode(), digest_size=_PATTERN).digest()


def recording(kind: str, seconds: int, seed: int | str = 0, title: str = "") -> bytes:
    """A recording of `seconds`, the same for the same arguments."""
    return b"".join(Recording(kind, seconds, seed, title).read())


def _id3(title: str) -> bytes:
    """An ID3v2.4 tag that holds the title, in UTF-8."""
    text = title.encode("utf-8", "replace")[:_TITLE].decode("utf-8", "ignore").encode()
    frame = b"TIT2" + _syncsafe(len(text) + 1) + b"\0\0\x03" + text
    return (b"ID3\x04\0\0" + _syncsafe(_TAG - 10) + frame).ljust(_TAG, b"\0")


def _syncsafe(number: int) -> bytes:
    """A number in the form of ID3: seven bits in each of four bytes."""
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


# CSV files of a contact centre: plausible columns and rows.
#
# All rows of a table have the same width, so the size of a file with a million rows is known without generating it:
# every number has a fixed number of digits, and all words of a column have the same length.


_AGENTS = ("kglynn1", "aruiz22", "mtanaka", "oadeyem", "pnair31", "thughes", "lvogt07", "sobrien")
_QUEUES = ("billing", "support", "renewal", "service", "loyalty", "bookers")
_OUTCOMES = ("resolved", "callback", "noanswer", "declined", "promised", "transfer")
_STATES = ("avail", "talks", "wraps", "break", "train")
_CAMPAIGNS = ("spring-renewals", "late-payments-1", "late-payments-2", "survey-followup")
_FIRST = ("Elena", "Frank", "Greta", "Irene", "Jamal", "Karen", "Louis", "Maria")
_LAST = ("Chavez", "Flores", "Gibson", "Jensen", "Kapoor", "Nguyen", "Quiroz", "Suarez")
_ZONES = ("America/New_York", "America/Winnipeg", "America/Edmonton")
_RESULTS = ("loaded", "failed", "merged")


class CsvTable(msgspec.Struct, frozen=True):
    """The format of a CSV file."""

    header: str
    width: int
    """Bytes of a row with its line end."""
    row: Callable[[Random, int, datetime], str]
    """Makes a row from its number and the day of the file."""
    end: str = "\r\n"

    def size(self, rows: int) -> int:
        """Bytes of a file."""
        return len(self.header) + len(self.end) + rows * self.width

    def make(self, seed: str, rows: int, day: datetime) -> bytes:
        """A file, which depends on the arguments only."""
        chance = Random(seed)
        lines = [self.header, *(self.row(chance, number, day) for number in range(rows)), ""]
        return self.end.join(lines).encode("ascii")


def _moment(chance: Random, day: datetime) -> str:
    second = int(chance.random() * 86_400)
    return f"{day:%Y-%m-%d}T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"


def _digits(chance: Random, count: int) -> int:
    """A number of exactly `count` digits."""
    least: int = 10 ** (count - 1)
    return least + int(chance.random() * 9 * least)


def _pick(chance: Random, words: tuple[str, ...]) -> str:
    return words[int(chance.random() * len(words))]


def _call(chance: Random, number: int, day: datetime) -> str:
    return (
        f"{day:%y%m%d}{number:06d},{_moment(chance, day)},{_pick(chance, _QUEUES)},{_pick(chance, _AGENTS)},"
        f"+1669555{_digits(chance, 4)},{_digits(chance, 3)},{_digits(chance, 2)},{_pick(chance, _OUTCOMES)}"
    )


def _activity(chance: Random, number: int, day: datetime) -> str:
    shown = day + timedelta(minutes=15 * (number % 96))
    return f"{shown:%Y-%m-%dT%H:%M:%SZ},{_pick(chance, _AGENTS)},{_pick(chance, _STATES)},{_digits(chance, 3)}"


def _campaign(chance: Random, number: int, day: datetime) -> str:
    name = _CAMPAIGNS[number % len(_CAMPAIGNS)]
    return (
        f"{day:%Y-%m-%d},{name},{number // len(_CAMPAIGNS) % 100:02d},{_digits(chance, 4)},{_digits(chance, 3)},"
        f"{chance.random() * 0.09 + 0.01:.4f}"
    )


def _interval(chance: Random, number: int, day: datetime) -> str:
    shown = day + timedelta(minutes=number % 60)
    return (
        f"{shown:%Y-%m-%dT%H:%M:%SZ},{_pick(chance, _QUEUES)},{_digits(chance, 2)},{_digits(chance, 2)},"
        f"{_digits(chance, 1)},{_digits(chance, 3)}"
    )


def _contact(chance: Random, number: int, day: datetime) -> str:
    return (
        f"{day:%y%m%d}{number:06d},{_pick(chance, _FIRST)},{_pick(chance, _LAST)},+1408555{_digits(chance, 4)},"
        f"{_pick(chance, _ZONES)},{_digits(chance, 4)}.{_digits(chance, 2)}"
    )


def _raw_contact(chance: Random, number: int, day: datetime) -> str:
    return _contact(chance, number, day).replace(",", "|")


def _outcome(chance: Random, number: int, day: datetime) -> str:
    return f"{number:06d},{_moment(chance, day)},{_pick(chance, _RESULTS)},{_digits(chance, 6)}"


def _table(header: str, row: Callable[[Random, int, datetime], str], end: str = "\r\n") -> CsvTable:
    return CsvTable(header, len(row(Random(0), 0, datetime(2024, 1, 1, tzinfo=UTC))) + len(end), row, end)


CALLS = _table("call_id,start_utc,queue,agent,ani,talk_seconds,hold_seconds,outcome", _call)
ACTIVITY = _table("interval_utc,agent,state,seconds", _activity)
CAMPAIGNS = _table("date,campaign,pass,attempts,connects,abandon_rate", _campaign)
INTERVALS = _table("minute_utc,queue,offered,answered,abandoned,longest_wait_seconds", _interval)
CONTACTS = _table("account,first_name,last_name,phone,time_zone,balance", _contact)
RAW_CONTACTS = _table("ACCOUNT|FIRST|LAST|PHONE|TZ|BALANCE", _raw_contact, "\n")
OUTCOMES = _table("row,processed_utc,result,record_id", _outcome)


# Tar archives, whose size is known in advance


_BLOCK = 512


def tar(members: Mapping[str, bytes], modified: float) -> bytes:
    """An archive of files, by name, which all have the same modification time."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(data), int(modified), 0o644
            info.uname = info.gname = "export"
            archive.addfile(info, io.BytesIO(data))
    return packed.getvalue()


def tar_size(*sizes: int) -> int:
    """The size of an archive of files of these sizes."""
    blocks = sum(1 + -(-size // _BLOCK) for size in sizes) + 2
    return -(-blocks * _BLOCK // tarfile.RECORDSIZE) * tarfile.RECORDSIZE


def tar_gz(members: Mapping[str, bytes], modified: float) -> bytes:
    """A compressed archive."""
    return gzip.compress(tar(members, modified), 1, mtime=int(modified))
