"""What a sound library does not tell: where the sound of a WAV lies, how an Ogg ends, how long frames last."""

import struct
from typing import BinaryIO, NamedTuple

from cloudstore_tui.preview.remote_file import NotFetchedError
from cloudstore_tui.preview.sample import Sample

_SLICEABLE = frozenset({1, 3, 6, 7})
"""Codecs of which any block stands alone."""
_DECODED = _SLICEABLE | {2, 0x11}
_MAX_CHUNKS = 100
_UNKNOWN = (0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""Lengths that a recorder writes which cannot go back to fill them in."""
_TAIL = 64 * 1024
_EOS = 4


class Wav(NamedTuple):
    """The head of a file whose sound can be put into a WAV file as it is, or with its bytes turned round."""

    codec: int
    """Number of the coding in WAV files."""
    channels: int
    rate: int
    bytes_per_second: int
    block: int
    start: int
    """Where the sound begins."""
    length: int | None
    """Bytes of sound, as the file says; `None` where it does not say."""
    frames: int
    """Samples of each channel, as the file says; 0 where it does not."""
    form: bytes
    """The chunk that describes the coding in a WAV file."""
    turned: int = 0
    """Bytes of a sample whose most significant byte comes first; 0 where it is as in WAV files."""

    def head(self, length: int) -> bytes:
        """The head of a file with so many bytes of the sound, and nothing in it that could lead a decoder astray."""
        inside = b"WAVE" + _chunk(b"fmt ", self.form)
        return b"RIFF" + struct.pack("<I", _most(len(inside) + 8 + length)) + inside + _chunk(b"data", length=length)

    def sound(self, data: bytes) -> bytes:
        """The sound as it is in a WAV file; the data begins with a whole sample."""
        if self.turned == 1:
            return data.translate(_UNSIGNED)
        if not self.turned:
            return data
        out = bytearray(data[: len(data) // self.turned * self.turned])
        for place in range(self.turned):
            out[place :: self.turned] = data[self.turned - 1 - place : len(out) : self.turned]
        return bytes(out)

    def file(self, data: bytes) -> bytes:
        """A WAV file of some of the sound."""
        sound = self.sound(data)
        return self.head(len(sound)) + sound

    @property
    def is_sliceable(self) -> bool:
        """Whether pieces from its middle can be heard."""
        return self.codec in _SLICEABLE and self.block > 0 and self.bytes_per_second > 0

    @property
    def is_decoded(self) -> bool:
        """Whether it can be heard at all."""
        return self.codec in _DECODED


_UNSIGNED = bytes((value + 128) % 256 for value in range(256))
"""What WAV files make of signed bytes."""


def _chunk(name: bytes, content: bytes = b"", length: int | None = None) -> bytes:
    return name + struct.pack("<I", _most(len(content) if length is None else length)) + content


def _most(length: int) -> int:
    return min(length, 0xFFFFFFFE)


def _pcm(codec: int, width: int, channels: int, rate: int, start: int, length: int | None, turned: int) -> Wav:
    """The head of a file of samples that stand side by side."""
    speed, block = rate * channels * width, channels * width
    form = struct.pack("<HHIIHH", codec, channels, rate & 0xFFFFFFFF, speed & 0xFFFFFFFF, block & 0xFFFF, 8 * width)
    return Wav(codec, channels, rate, speed, block, start, length, 0, form, turned)


def wav_head(file: BinaryIO) -> Wav | None:
    """What is said before the sound of a WAV, W64, AU, AIFF or CAF file; `None` if it is damaged, or no such file."""
    magic = file.read(16)
    read = _HEADS.get(magic[:4])
    try:
        return read(file, magic) if read is not None else None
    except (struct.error, OverflowError, OSError):
        # A length leads to where no file can end, or the bytes cannot be had.
        return None


_Chunks = tuple[dict[bytes, bytes], int, int]
_WANTED = (b"fmt ", b"ds64", b"fact", b"COMM", b"desc")


def _chunks(
    file: BinaryIO, head: struct.Struct, end: bytes, *, at: int = 12, counted: int = 0, align: int = 2
) -> _Chunks:
    """The chunks of a file, the last one only by where it begins and how long it says that it is.

    Args:
        file: where they are.
        head: the name and the length that each begins with.
        end: the chunk that is the last one wanted.
        at: where the first one begins.
        counted: bytes of its head that a length counts, too.
        align: each one begins at a multiple of so many bytes.
    """
    found: dict[bytes, bytes] = {}
    for _ in range(_MAX_CHUNKS):
        file.seek(at)
        name, length = head.unpack(file.read(head.size))
        at, length = at + head.size, length - counted
        if name == end:
            return found, at, length
        if name in _WANTED:
            found[name] = file.read(min(length, 64))
        at += max(length, 0) + -length % align
    return found, 0, 0


def _riff(file: BinaryIO, magic: bytes) -> Wav | None:
    if magic[8:12] != b"WAVE":
        return None
    chunks, start, length = _chunks(file, struct.Struct("<4sI"), b"data")
    known = None if length in _UNKNOWN else length
    if length == 0xFFFFFFFF and len(chunks.get(b"ds64", b"")) >= 16:
        known = int(struct.unpack_from("<Q", chunks[b"ds64"], 8)[0])
    frames = int.from_bytes(chunks.get(b"fact", b"")[:4], "little")
    return _wav(chunks, start, known, frames if frames not in _UNKNOWN else 0)


def _w64(file: BinaryIO, _: bytes) -> Wav | None:
    """Sony's form, in which names have 16 bytes, and lengths 8 that count their own head."""
    chunks, start, length = _chunks(file, struct.Struct("<4s12xQ"), b"data", at=40, counted=24, align=8)
    return _wav(chunks, start, length if 0 < length < 1 << 62 else None, 0)


def _wav(chunks: dict[bytes, bytes], start: int, length: int | None, frames: int) -> Wav | None:
    form = chunks.get(b"fmt ", b"")
    codec, channels, rate, speed, block, _ = struct.unpack_from("<HHIIHH", form)
    if codec == 0xFFFE and len(form) >= 26:
        (codec,) = struct.unpack_from("<H", form, 24)
    if not start or not channels or not rate:
        return None
    return Wav(codec, channels, rate, speed, block, start, length, frames, form)


_AU = {1: (7, 1), 2: (1, 1), 3: (1, 2), 4: (1, 3), 5: (1, 4), 6: (3, 4), 7: (3, 8), 27: (6, 1)}
"""The coding in WAV files, and the bytes of a sample, for each of AU files."""


def _au(file: BinaryIO, magic: bytes) -> Wav | None:
    start, length, coding = struct.unpack_from(">III", magic, 4)
    rate, channels = struct.unpack(">II", file.read(8))
    codec, width = _AU.get(coding, (0, 0))
    if not codec or not rate or not 0 < channels < 64:
        return None
    return _pcm(codec, width, channels, rate, start, None if length in _UNKNOWN else length, width if codec < 6 else 0)


_AIFF = {
    b"NONE": 1, b"twos": 1, b"sowt": 1, b"in24": 1, b"in32": 1, b"fl32": 3, b"FL32": 3, b"fl64": 3, b"FL64": 3,
    b"ulaw": 7, b"ULAW": 7, b"alaw": 6, b"ALAW": 6,
}  # fmt: skip


def _aiff(file: BinaryIO, magic: bytes) -> Wav | None:
    if magic[8:12] not in (b"AIFF", b"AIFC"):
        return None
    chunks, start, length = _chunks(file, struct.Struct(">4sI"), b"SSND")
    common = chunks.get(b"COMM", b"")
    channels, bits, exponent, mantissa = struct.unpack_from(">H4xHHQ", common)
    kind = common[18:22] if magic[8:12] == b"AIFC" else b"NONE"
    codec, width = _AIFF.get(kind, 0), -(-bits // 8) if kind.lower() not in (b"ulaw", b"alaw") else 1
    rate = int(mantissa * 2.0 ** (exponent - 16_446)) if exponent < 16_446 else 0
    if not codec or not start or not rate or not 0 < channels < 64 or not 0 < width <= 8:
        return None
    turned = 0 if codec > 3 or (kind == b"sowt" and width > 1) else width
    return _pcm(codec, width, channels, rate, start + 8, length - 8 if length > 8 else None, turned)


def _caf(file: BinaryIO, _: bytes) -> Wav | None:
    """Apple's form, whose lengths have 8 bytes; -1 stands for a recording that never came to its end."""
    chunks, start, length = _chunks(file, struct.Struct(">4sq"), b"data", at=8, align=1)
    form = chunks.get(b"desc", b"")
    rate, kind, flags, packet, frames, channels, _bits = struct.unpack_from(">d4sIIIII", form)
    codec = {b"lpcm": 3 if flags & 1 else 1, b"ulaw": 7, b"alaw": 6}.get(kind, 0)
    if not start or not codec or frames != 1 or not rate >= 1:
        return None
    if not 0 < channels < 64 or not channels <= packet <= 8 * channels:
        return None
    width = packet // channels
    turned = width if kind == b"lpcm" and (width == 1 or not flags & 2) else 0
    sound = length - 4 if length > 4 else None
    return _pcm(codec, width, channels, int(min(rate, 0xFFFFFFFF)), start + 4, sound, turned)


_HEADS = {
    b"RIFF": _riff, b"RF64": _riff, b"BW64": _riff, b"riff": _w64, b".snd": _au, b"FORM": _aiff, b"caff": _caf,
}  # fmt: skip


class OggEnd(NamedTuple):
    """The last page of an Ogg file."""

    granule: int
    lead: int
    """Samples at the beginning that are not heard."""
    shift: int
    """Bits of the position that count frames since the last whole picture."""
    is_last: bool
    """Whether the page says that nothing follows."""

    @property
    def frames(self) -> int:
        """How many samples, or pictures, there are."""
        if self.shift:
            return (self.granule >> self.shift) + (self.granule & ((1 << self.shift) - 1))
        return max(self.granule - self.lead, 0)

    def seconds(self, rate: int) -> float:
        """How long that is."""
        return self.frames / rate


def ogg_end(sample: Sample) -> OggEnd | None:
    """Where the main stream of an Ogg file ends; `None` if that cannot be read."""
    if not sample.head.startswith(b"OggS"):
        return None
    serial, lead, shift = _main_stream(sample.head)
    start = max(sample.size - _TAIL, 0)
    try:
        file = sample.open()
        file.seek(start)
        tail = file.read(_TAIL)
    except NotFetchedError:
        return None
    at, is_last = len(tail), False
    while (at := tail.rfind(b"OggS", 0, at)) >= 0:
        if at + 27 > len(tail):
            continue
        _, _, flags, granule, number = struct.unpack_from("<4sBBqI", tail, at)
        if number == serial and granule >= 0:
            is_here = _page_end(tail, at) <= len(tail)
            return OggEnd(granule, lead, shift, is_last or bool(flags & _EOS and is_here))
    return None


def _page_end(data: bytes, at: int) -> int:
    segments = data[at + 26]
    return at + 27 + segments + sum(data[at + 27 : at + 27 + segments])


def _main_stream(head: bytes) -> tuple[int, int, int]:
    """Number, silent samples and shift of the first stream that is no index."""
    at = 0
    while head.startswith(b"OggS", at) and at + 28 < len(head):
        (serial,) = struct.unpack_from("<I", head, at + 14)
        body = head[at + 27 + head[at + 26] :]
        if body.startswith(b"OpusHead") and len(body) >= 12:
            return serial, int.from_bytes(body[10:12], "little"), 0
        if body.startswith(b"\x80theora") and len(body) >= 42:
            return serial, 0, (int.from_bytes(body[40:42], "big") >> 5) & 31
        if not body.startswith(b"fishead"):
            return serial, 0, 0
        at = _page_end(head, at)
    return 0, 0, 0


_BIT_RATES = {
    (3, 3): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (3, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (3, 1): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 3): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 1): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8000)}
_ADTS_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350)
_MEASURED = 32 * 1024
"""Bytes of an MP3 whose frames are all as large if they are so to its end."""
_RESYNC = 16 * 1024
"""Bytes behind a damaged frame in which the next one is looked for."""
_CHAIN = 3
"""Frames that have to follow each other until they are believed."""


def first_frame(data: bytes) -> int | None:
    """Where MPEG frames begin, also behind a tag, zeros or half of a frame; `None` if there are none."""
    at = data.find(b"\xff")
    while 0 <= at < len(data) - 4:
        if _is_chain(data, at):
            return at
        at = data.find(b"\xff", at + 1)
    return None


def _is_chain(data: bytes, at: int) -> bool:
    for number in range(_CHAIN):
        length = _frame_length(data[at : at + 6])
        if not length:
            return number > 1 and at >= len(data) - 6
        at += length
        if at >= len(data) - 4:
            return number >= 1 or at == len(data)
    return True


def _frame_length(head: bytes) -> int:
    """Bytes of an MPEG or ADTS frame, 0 if none begins here."""
    if len(head) < 6 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return 0
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    if layer == 0:
        is_adts = head[1] & 0xF6 == 0xF0 and head[2] >> 2 & 15 < len(_ADTS_RATES)
        return (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5 if is_adts else 0
    rates, rate = _RATES.get(version), head[2] >> 2 & 3
    bytes_per_second, padding = int(_speed(head)), head[2] >> 1 & 1
    if rates is None or rate == 3 or not bytes_per_second:
        return 0
    if layer == 3:
        return (12 * bytes_per_second * 8 // rates[rate] + padding) * 4
    samples = 1152 if layer == 2 or version == 3 else 576
    return samples * bytes_per_second // rates[rate] + padding


def _speed(head: bytes) -> float:
    """Bytes a second, as an MPEG frame says, 0.0 if it does not."""
    version, layer, bits = head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 4
    if layer == 0 or bits in (0, 15):
        return 0.0
    table = _BIT_RATES.get((version, layer)) or _BIT_RATES[(2, 3 if layer == 3 else 1)]
    return table[bits - 1] * 125.0


def constant_speed(file: BinaryIO, at: int) -> float:
    """Bytes that an MP3 has for each second, 0.0 if they are not always as many."""
    file.seek(at)
    data = file.read(10)
    if data.startswith(b"ID3") and len(data) == 10:
        at += 10 + sum((byte & 0x7F) << 7 * (3 - place) for place, byte in enumerate(data[6:]))
    file.seek(at)
    data = file.read(_MEASURED)
    start = place = first_frame(data) or 0
    speeds = set()
    while length := _frame_length(data[place : place + 6]):
        speeds.add((data[place + 1], data[place + 2] & 0xFC))
        place += length
    if len(speeds) != 1 or b"Xing" in data[start : start + 200] or b"VBRI" in data[start : start + 200]:
        return 0.0
    return _speed(data[start:])


def has_frame_count(head: bytes, at: int) -> bool:
    """Whether the first MPEG frame says how many follow."""
    return any(mark in head[at : at + 200] for mark in (b"Xing", b"Info", b"VBRI"))


def adts_seconds(data: bytes) -> tuple[float, int]:
    """How long the ADTS frames in these bytes last, and in how many bytes; what is damaged counts as some of them."""
    start = at = first_frame(data) or 0
    seconds, good = 0.0, 0
    while at + 7 < len(data):
        length = _frame_length(data[at : at + 6])
        if length <= 7 or data[at + 1] & 6 or at + length > len(data):
            # Behind the last whole frame there is none that is followed by others.
            found = first_frame(data[at + 1 : at + 1 + _RESYNC])
            if found is None:
                break
            at += 1 + found
            continue
        seconds += 1024 * ((data[at + 6] & 3) + 1) / _ADTS_RATES[data[at + 2] >> 2 & 15]
        at, good = at + length, good + length
    read = at - start
    return (seconds * read / good if good else 0.0), read


def flac_end(sample: Sample) -> float:
    """The share of a FLAC that is here, by the number of its last frame; 1.0 where that is not told."""
    at = 0 if sample.head.startswith(b"fLaC") else sample.head.find(b"fLaC")
    about = sample.head[at + 8 : at + 42]
    total = int.from_bytes(about[13:18], "big") & (1 << 36) - 1 if len(about) == 34 else 0
    smallest, largest = (int.from_bytes(about[place : place + 2], "big") for place in (0, 2))
    try:
        file = sample.open()
        file.seek(max(sample.size - _TAIL, 0))
        tail = file.read(_TAIL)
    except NotFetchedError:
        return 1.0
    place = len(tail)
    while total and (place := max(tail.rfind(b"\xff\xf8", 0, place), tail.rfind(b"\xff\xf9", 0, place))) >= 0:
        number, length = _coded_number(tail[place + 4 : place + 11])
        # A size of blocks and a rate may follow, then the sum of all.
        further = (0, 0, 0, 0, 0, 0, 1, 2)[tail[place + 2] >> 4 & 7] if tail[place + 2 : place + 3] else 0
        further += (1, 2, 2)[(tail[place + 2] & 15) - 12] if 12 <= (tail[place + 2] & 15) < 15 else 0
        end = place + 4 + length + further
        if length and end < len(tail) and _crc8(tail[place:end]) == tail[end]:
            first = number if tail[place + 1] & 1 else number * smallest
            return min(float(first + largest) / total, 1.0)
    return 1.0


def _coded_number(data: bytes) -> tuple[int, int]:
    """A number that is written as UTF-8 writes letters, and its bytes; 0 bytes if it is none."""
    first = data[0] if data else 0xFF
    length = next((place for place in range(8) if not first & 0x80 >> place), 8)
    if length in (1, 8) or len(data) < max(length, 1):
        return 0, 0
    number = first & (0x7F >> length)
    for byte in data[1:length]:
        number = number << 6 | byte & 0x3F
    return number, max(length, 1)


def _crc8(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ (7 if crc & 0x80 else 0)) & 0xFF
    return crc


_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_SEGMENT = b"\x18\x53\x80\x67"


def told_size(head: bytes) -> int:
    """Bytes that a whole AVI, Windows Media, WebM or Matroska file says that it has; 0 if it does not."""
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return 8 + int.from_bytes(head[4:8], "little")
    if (at := head.find(_ASF_FILE, 0, 8192)) >= 0:
        return int.from_bytes(head[at + 40 : at + 48], "little")
    at = head.find(_SEGMENT, 0, 256) if head.startswith(b"\x1a\x45\xdf\xa3") else -1
    if at < 0 or len(head) < at + 12:
        return 0
    more = next((place for place in range(8) if head[at + 4] & 0x80 >> place), 8)
    size = int.from_bytes(head[at + 4 : at + 5 + more], "big") & (1 << 7 * (more + 1)) - 1
    # All ones: it was written to where nobody could go back.
    return 0 if size == (1 << 7 * (more + 1)) - 1 else at + 5 + more + size
