"""What the libraries do not report: where the samples of a WAV lie, how an Ogg ends, how long MPEG frames last."""

import struct
from typing import BinaryIO, NamedTuple

from cloudstore_tui.preview.remote_file import NotFetchedError
from cloudstore_tui.preview.sample import Sample

_SLICEABLE_CODECS = frozenset({1, 3, 6, 7})
"""WAV codecs that can be decoded from any block on."""
_DECODED_CODECS = _SLICEABLE_CODECS | {2, 0x11}
_MAX_CHUNKS = 100
_UNKNOWN = (0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""Lengths written by a recorder that cannot seek back to fill them in."""
_TAIL = 64 * 1024
_EOS = 4


class Wav(NamedTuple):
    """The header of a file whose samples fit into a WAV file as they are, or with their bytes reversed."""

    codec: int
    """Format tag of WAV files."""
    channels: int
    rate: int
    byte_rate: int
    block: int
    start: int
    """Offset of the samples."""
    length: int | None
    """Declared bytes of all samples; `None` if there is no such declaration."""
    frames: int
    """Declared samples of each channel; 0 if there is no such declaration."""
    form: bytes
    """Content of the `fmt ` chunk for a WAV file."""
    swap_width: int = 0
    """Bytes of a big-endian sample; 1 for signed bytes; 0 if samples are as in WAV files."""

    def head(self, length: int) -> bytes:
        """The header of a WAV file with `length` bytes of samples; minimal, so that it cannot fool a decoder."""
        content = b"WAVE" + _riff_chunk(b"fmt ", self.form) + _riff_chunk(b"data", length=length)
        return _riff_chunk(b"RIFF", content, len(content) + length)

    def sound(self, data: bytes) -> bytes:
        """The samples as in a WAV file; the data has to begin with a whole one."""
        if self.swap_width == 1:
            return data.translate(_UNSIGNED)
        if not self.swap_width:
            return data
        out = bytearray(data[: len(data) // self.swap_width * self.swap_width])
        for place in range(self.swap_width):
            out[place :: self.swap_width] = data[self.swap_width - 1 - place : len(out) : self.swap_width]
        return bytes(out)

    def file(self, data: bytes) -> bytes:
        """A WAV file of some of the samples."""
        sound = self.sound(data)
        return self.head(len(sound)) + sound

    @property
    def is_sliceable(self) -> bool:
        """Whether pieces from the middle can be decoded."""
        return self.codec in _SLICEABLE_CODECS and self.block > 0 and self.byte_rate > 0

    @property
    def is_decoded(self) -> bool:
        """Whether it can be decoded at all."""
        return self.codec in _DECODED_CODECS


_UNSIGNED = bytes((value + 128) % 256 for value in range(256))
"""Translates signed bytes into those of WAV files."""


def _riff_chunk(name: bytes, content: bytes = b"", length: int | None = None) -> bytes:
    return name + struct.pack("<I", _uint32(len(content) if length is None else length)) + content


def _uint32(length: int) -> int:
    return min(length, 0xFFFFFFFE)


def _pcm(codec: int, width: int, channels: int, rate: int, start: int, length: int | None, swap_width: int) -> Wav:
    """The header of a file of interleaved samples."""
    byte_rate, block = rate * channels * width, channels * width
    form = struct.pack("<HHIIHH", codec, channels, rate & 0xFFFFFFFF, byte_rate & 0xFFFFFFFF, block & 0xFFFF, 8 * width)
    return Wav(codec, channels, rate, byte_rate, block, start, length, 0, form, swap_width)


def wav_head(file: BinaryIO) -> Wav | None:
    """The header of a WAV, W64, AU, AIFF or CAF file; `None` if it is damaged, or no such file."""
    magic = file.read(16)
    read = _CONTAINERS.get(magic[:4])
    try:
        return read(file, magic) if read is not None else None
    except (struct.error, OverflowError, OSError):
        # A length leads past any possible end, or the bytes cannot be fetched.
        return None


_FoundChunks = tuple[dict[bytes, bytes], int, int]
_WANTED = (b"fmt ", b"ds64", b"fact", b"COMM", b"desc")


def _read_chunks(
    file: BinaryIO, head: struct.Struct, end: bytes, *, at: int = 12, counted_head: int = 0, align: int = 2
) -> _FoundChunks:
    """The chunks before `end`, with the offset and the declared length of `end` itself; zeros without it.

    Args:
        file: the file.
        head: name and length, with which each chunk begins.
        end: name of the last chunk to look for.
        at: offset of the first chunk.
        counted_head: bytes of `head` that are included in a length.
        align: chunks begin at multiples of this.
    """
    found: dict[bytes, bytes] = {}
    for _ in range(_MAX_CHUNKS):
        file.seek(at)
        name, length = head.unpack(file.read(head.size))
        at, length = at + head.size, length - counted_head
        if name == end:
            return found, at, length
        if name in _WANTED:
            found[name] = file.read(min(length, 64))
        at += max(length, 0) + -length % align
    return found, 0, 0


def _riff(file: BinaryIO, magic: bytes) -> Wav | None:
    if magic[8:12] != b"WAVE":
        return None
    chunks, start, length = _read_chunks(file, struct.Struct("<4sI"), b"data")
    known = None if length in _UNKNOWN else length
    if length == 0xFFFFFFFF and len(chunks.get(b"ds64", b"")) >= 16:
        known = int(struct.unpack_from("<Q", chunks[b"ds64"], 8)[0])
    frames = int.from_bytes(chunks.get(b"fact", b"")[:4], "little")
    return _wav(chunks, start, known, frames if frames not in _UNKNOWN else 0)


def _w64(file: BinaryIO, _: bytes) -> Wav | None:
    """Sony's Wave64: names of 16 bytes, and lengths of 8 that include the head of the chunk."""
    chunks, start, length = _read_chunks(file, struct.Struct("<4s12xQ"), b"data", at=40, counted_head=24, align=8)
    return _wav(chunks, start, length if 0 < length < 1 << 62 else None, 0)


def _wav(chunks: dict[bytes, bytes], start: int, length: int | None, frames: int) -> Wav | None:
    form = chunks.get(b"fmt ", b"")
    codec, channels, rate, byte_rate, block, _ = struct.unpack_from("<HHIIHH", form)
    if codec == 0xFFFE and len(form) >= 26:
        (codec,) = struct.unpack_from("<H", form, 24)
    if not start or not channels or not rate:
        return None
    return Wav(codec, channels, rate, byte_rate, block, start, length, frames, form)


_AU_CODINGS = {1: (7, 1), 2: (1, 1), 3: (1, 2), 4: (1, 3), 5: (1, 4), 6: (3, 4), 7: (3, 8), 27: (6, 1)}
"""WAV codec and bytes of a sample for each encoding of AU files."""


def _au(file: BinaryIO, magic: bytes) -> Wav | None:
    start, length, coding = struct.unpack_from(">III", magic, 4)
    rate, channels = struct.unpack(">II", file.read(8))
    codec, width = _AU_CODINGS.get(coding, (0, 0))
    if not codec or not rate or not 0 < channels < 64:
        return None
    return _pcm(codec, width, channels, rate, start, None if length in _UNKNOWN else length, width if codec < 6 else 0)


_AIFF_CODINGS = {
    b"NONE": 1, b"twos": 1, b"sowt": 1, b"in24": 1, b"in32": 1, b"fl32": 3, b"FL32": 3, b"fl64": 3, b"FL64": 3,
    b"ulaw": 7, b"ULAW": 7, b"alaw": 6, b"ALAW": 6,
}  # fmt: skip


def _aiff(file: BinaryIO, magic: bytes) -> Wav | None:
    if magic[8:12] not in (b"AIFF", b"AIFC"):
        return None
    chunks, start, length = _read_chunks(file, struct.Struct(">4sI"), b"SSND")
    common = chunks.get(b"COMM", b"")
    channels, bits, exponent, mantissa = struct.unpack_from(">H4xHHQ", common)
    kind = common[18:22] if magic[8:12] == b"AIFC" else b"NONE"
    codec, width = _AIFF_CODINGS.get(kind, 0), -(-bits // 8) if kind.lower() not in (b"ulaw", b"alaw") else 1
    rate = int(mantissa * 2.0 ** (exponent - 16_446)) if exponent < 16_446 else 0
    if not codec or not start or not rate or not 0 < channels < 64 or not 0 < width <= 8:
        return None
    swap_width = 0 if codec > 3 or (kind == b"sowt" and width > 1) else width
    return _pcm(codec, width, channels, rate, start + 8, length - 8 if length > 8 else None, swap_width)


def _caf(file: BinaryIO, _: bytes) -> Wav | None:
    """Apple's Core Audio Format: lengths of 8 bytes, -1 in a recording that was never finished."""
    chunks, start, length = _read_chunks(file, struct.Struct(">4sq"), b"data", at=8, align=1)
    form = chunks.get(b"desc", b"")
    rate, kind, flags, packet, frames, channels, _bits = struct.unpack_from(">d4sIIIII", form)
    codec = {b"lpcm": 3 if flags & 1 else 1, b"ulaw": 7, b"alaw": 6}.get(kind, 0)
    if not start or not codec or frames != 1 or not rate >= 1:
        return None
    if not 0 < channels < 64 or not channels <= packet <= 8 * channels:
        return None
    width = packet // channels
    swap_width = width if kind == b"lpcm" and (width == 1 or not flags & 2) else 0
    sound = length - 4 if length > 4 else None
    return _pcm(codec, width, channels, int(min(rate, 0xFFFFFFFF)), start + 4, sound, swap_width)


_CONTAINERS = {
    b"RIFF": _riff, b"RF64": _riff, b"BW64": _riff, b"riff": _w64, b".snd": _au, b"FORM": _aiff, b"caff": _caf,
}  # fmt: skip


class OggEnd(NamedTuple):
    """The last page of an Ogg file."""

    granule: int
    lead: int
    """Samples at the beginning that are not played (pre-skip)."""
    shift: int
    """Low bits of the granule that count frames since the last key frame, in Theora."""
    is_last: bool
    """Whether the page is marked as the end of the stream."""

    @property
    def frames(self) -> int:
        """Samples of sound, or frames of video."""
        if self.shift:
            return (self.granule >> self.shift) + (self.granule & ((1 << self.shift) - 1))
        return max(self.granule - self.lead, 0)


def ogg_end(sample: Sample) -> OggEnd | None:
    """The last page of the main stream of an Ogg file; `None` if it cannot be read."""
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
    """Serial number, pre-skip and granule shift of the first stream that is not an index."""
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
_MEASURED_BYTES = 32 * 1024
"""Bytes of an MP3 after which a constant bit rate is taken to hold to its end."""
_RESYNC_BYTES = 16 * 1024
"""Bytes after a damaged frame that are searched for the next one."""
_MIN_CHAIN = 3
"""Consecutive frames that are proof of MPEG audio."""


def first_frame(data: bytes) -> int | None:
    """Offset of the first MPEG frame, be it after a tag, zeros or part of a frame; `None` if there is none."""
    at = data.find(b"\xff")
    while 0 <= at < len(data) - 4:
        if _is_chain(data, at):
            return at
        at = data.find(b"\xff", at + 1)
    return None


def _is_chain(data: bytes, at: int) -> bool:
    for number in range(_MIN_CHAIN):
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
    byte_rate, padding = int(_frame_byte_rate(head)), head[2] >> 1 & 1
    if rates is None or rate == 3 or not byte_rate:
        return 0
    if layer == 3:
        return (12 * byte_rate * 8 // rates[rate] + padding) * 4
    samples = 1152 if layer == 2 or version == 3 else 576
    return samples * byte_rate // rates[rate] + padding


def _frame_byte_rate(head: bytes) -> float:
    """Bytes per second according to the header of an MPEG frame; 0.0 if it does not say."""
    version, layer, bits = head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 4
    if layer == 0 or bits in (0, 15):
        return 0.0
    table = _BIT_RATES.get((version, layer)) or _BIT_RATES[(2, 3 if layer == 3 else 1)]
    return table[bits - 1] * 125.0


def constant_byte_rate(file: BinaryIO, at: int) -> float:
    """Bytes per second of an MP3 with a constant bit rate; 0.0 if that is variable."""
    file.seek(at)
    data = file.read(10)
    if data.startswith(b"ID3") and len(data) == 10:
        at += 10 + sum((byte & 0x7F) << 7 * (3 - place) for place, byte in enumerate(data[6:]))
    file.seek(at)
    data = file.read(_MEASURED_BYTES)
    start = place = first_frame(data) or 0
    kinds = set()
    while length := _frame_length(data[place : place + 6]):
        kinds.add((data[place + 1], data[place + 2] & 0xFC))
        place += length
    if len(kinds) != 1 or b"Xing" in data[start : start + 200] or b"VBRI" in data[start : start + 200]:
        return 0.0
    return _frame_byte_rate(data[start:])


def has_frame_count(head: bytes, at: int) -> bool:
    """Whether the first MPEG frame declares how many follow."""
    return any(mark in head[at : at + 200] for mark in (b"Xing", b"Info", b"VBRI"))


def adts_seconds(data: bytes) -> tuple[float, int]:
    """Duration of the ADTS frames in these bytes, and how many bytes that took; damaged ones count in proportion."""
    start = at = first_frame(data) or 0
    seconds, good = 0.0, 0
    while at + 7 < len(data):
        length = _frame_length(data[at : at + 6])
        if length <= 7 or data[at + 1] & 6 or at + length > len(data):
            # After the last whole frame there is none that others follow.
            found = first_frame(data[at + 1 : at + 1 + _RESYNC_BYTES])
            if found is None:
                break
            at += 1 + found
            continue
        seconds += 1024 * ((data[at + 6] & 3) + 1) / _ADTS_RATES[data[at + 2] >> 2 & 15]
        at, good = at + length, good + length
    read = at - start
    return (seconds * read / good if good else 0.0), read


def flac_share(sample: Sample) -> float:
    """The share of a FLAC that is present, by the number of its last frame; 1.0 if that is unknown."""
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
        # A block size and a sample rate may follow, then the checksum of the header.
        further = (0, 0, 0, 0, 0, 0, 1, 2)[tail[place + 2] >> 4 & 7] if tail[place + 2 : place + 3] else 0
        further += (1, 2, 2)[(tail[place + 2] & 15) - 12] if 12 <= (tail[place + 2] & 15) < 15 else 0
        end = place + 4 + length + further
        if length and end < len(tail) and _crc8(tail[place:end]) == tail[end]:
            first = number if tail[place + 1] & 1 else number * smallest
            return min(float(first + largest) / total, 1.0)
    return 1.0


def _coded_number(data: bytes) -> tuple[int, int]:
    """A number coded like a character of UTF-8, and the bytes that it takes; 0 bytes if it is invalid."""
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
_MATROSKA_SEGMENT = b"\x18\x53\x80\x67"


def declared_size(head: bytes) -> int:
    """Size of an AVI, Windows Media, WebM or Matroska file according to its header; 0 if that does not say."""
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return 8 + int.from_bytes(head[4:8], "little")
    if (at := head.find(_ASF_FILE, 0, 8192)) >= 0:
        return int.from_bytes(head[at + 40 : at + 48], "little")
    at = head.find(_MATROSKA_SEGMENT, 0, 256) if head.startswith(b"\x1a\x45\xdf\xa3") else -1
    if at < 0 or len(head) < at + 12:
        return 0
    more = next((place for place in range(8) if head[at + 4] & 0x80 >> place), 8)
    size = int.from_bytes(head[at + 4 : at + 5 + more], "big") & (1 << 7 * (more + 1)) - 1
    # All ones mean unknown: it was written to a stream that cannot seek back.
    return 0 if size == (1 << 7 * (more + 1)) - 1 else at + 5 + more + size
