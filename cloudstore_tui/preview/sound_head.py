"""What the head of a sound file says."""

from dataclasses import dataclass, replace
from typing import Any

from mutagen import FileType, MutagenError
from mutagen.aac import AAC
from mutagen.aiff import AIFF
from mutagen.flac import FLAC
from mutagen.mp3 import MP3, BitrateMode
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggspeex import OggSpeex
from mutagen.oggvorbis import OggVorbis

from cloudstore_tui.preview.facts import Facts
from cloudstore_tui.preview.loudness import Kind
from cloudstore_tui.preview.patchwork import Patchwork
from cloudstore_tui.preview.wav import SLICEABLE, wav_head

_MODES = {BitrateMode.CBR: ", constant", BitrateMode.VBR: ", variable", BitrateMode.ABR: ", on average"}
_LONGEST_TITLE = 200
_OPUS_RATE = 48_000
"""That of all Opus sound, so that nobody writes it down."""


@dataclass(frozen=True, slots=True)
class SoundHead:
    """What is known of a sound before it is heard."""

    name: str
    kind: Kind | None
    """How it is decoded, `None` if it cannot be."""
    codec: str
    channels: int
    rate: int
    seconds: float
    is_estimated: bool
    """Whether the length was only calculated from bit rate and size."""
    bytes_per_second: float
    sound_start: int = 0
    block: int = 1
    """Bytes that belong together; a piece begins with the first of them."""
    mode: str = ""
    title: str = ""

    @property
    def can_slice(self) -> bool:
        """Whether pieces from its middle can be heard."""
        return self.kind is Kind.MP3 or (self.kind is Kind.WAV and self.block > 0 and self.bytes_per_second > 0)

    def lasting(self, seconds: float) -> "SoundHead":
        """The same, now that it was heard how long it is."""
        return replace(self, seconds=seconds, is_estimated=False)


def is_sound(head: bytes) -> bool:
    """Whether these bytes begin a sound file."""
    if head.startswith((b"ID3", b"fLaC", b"OggS", b"#!AMR")):
        return True
    if head[:4] in (b"RIFF", b"FORM") and head[8:12] in (b"WAVE", b"AIFF", b"AIFC"):
        return True
    return _is_frame(head)


def sound_head(head: bytes, facts: Facts, further: tuple[int, bytes] = (0, b"")) -> SoundHead | None:
    """What the first bytes say, and `further` ones from elsewhere; `None` if they cannot be read."""
    if head.startswith(b"RIFF"):
        return _wav(head, facts)
    pieces = [(0, head), further]
    size = facts.size or max(start + len(data) for start, data in pieces)
    for name, kind, codec, reader in _readers(head):
        read = _read(reader, Patchwork(pieces, size))
        if read is not None and getattr(read.info, "channels", None):
            return _told(name, kind, codec, read)
    return None


def _readers(head: bytes) -> list[tuple[str, Kind | None, str, type[FileType]]]:
    if head.startswith(b"fLaC"):
        return [("FLAC sound", Kind.FLAC, "FLAC", FLAC)]
    if head.startswith(b"OggS"):
        return [
            ("Ogg sound", None, "Opus", OggOpus),
            ("Ogg sound", None, "Vorbis", OggVorbis),
            ("Ogg sound", None, "Speex", OggSpeex),
            ("Ogg sound", None, "FLAC", OggFLAC),
        ]
    if head.startswith(b"FORM"):
        return [("AIFF sound", None, "PCM", AIFF)]
    return [("MP3 sound", Kind.MP3, "", MP3), ("AAC sound", None, "AAC", AAC)]


def _read(reader: type[FileType], file: Patchwork) -> FileType | None:
    try:
        return reader(fileobj=file)
    except (MutagenError, OSError, ValueError, EOFError, IndexError, KeyError, OverflowError, ArithmeticError):
        return None


def _told(name: str, kind: Kind | None, codec: str, read: FileType) -> SoundHead:
    info: Any = read.info
    bits = float(getattr(info, "bitrate", 0) or 0)
    seconds = float(getattr(info, "length", 0.0) or 0.0)
    is_mp3 = kind is Kind.MP3
    mode = getattr(info, "bitrate_mode", None)
    is_estimated = (is_mp3 and mode is BitrateMode.UNKNOWN) or name == "AAC sound"
    if is_mp3:
        codec = f"MPEG-{info.version:g} layer {'I' * int(info.layer)}"
    return SoundHead(
        name,
        kind,
        codec,
        int(getattr(info, "channels", 0) or 0),
        int(getattr(info, "sample_rate", _OPUS_RATE)),
        seconds,
        is_estimated=bool(is_estimated),
        bytes_per_second=bits / 8,
        sound_start=int(getattr(info, "frame_offset", 0) or 0),
        mode=_MODES.get(mode, "") if mode is not None else "",
        title=_title(read),
    )


def _title(read: FileType) -> str:
    tags: Any = read.tags or {}
    for name in ("TIT2", "title"):
        try:
            value = tags[name]
        except (KeyError, ValueError):
            continue
        text = str(value[0] if isinstance(value, list) and value else value)
        return text[:_LONGEST_TITLE]
    return ""


def _wav(head: bytes, facts: Facts) -> SoundHead | None:
    wav = wav_head(head)
    if wav is None:
        return None
    told = wav.length
    here = facts.size - wav.start if facts.size is not None else told
    # A recorder that was cut off, or wrote to a pipe, leaves a length behind that is not true.
    length, is_estimated = (here, True) if told > here or (not told and here) else (told, False)
    seconds = length / wav.bytes_per_second if wav.bytes_per_second else 0.0
    kind = Kind.WAV if wav.codec in SLICEABLE or wav.codec in (2, 0x11, 0xFFFE) else None
    return SoundHead(
        "WAV sound",
        kind,
        wav.name,
        wav.channels,
        wav.rate,
        seconds,
        is_estimated,
        float(wav.bytes_per_second),
        wav.start,
        wav.block if wav.codec in SLICEABLE else 0,
    )


def _is_frame(head: bytes) -> bool:
    """Whether an MPEG or ADTS frame begins here, whose fields make sense."""
    # FF FE is the mark of UTF-16; the layer that it could stand for has died out.
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0 or head[1] == 0xFE:
        return False
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    if layer == 0:
        return head[1] & 0xF6 == 0xF0 and head[2] >> 2 & 15 < 13
    return version != 1 and head[2] >> 4 not in (0, 15) and head[2] >> 2 & 3 != 3
