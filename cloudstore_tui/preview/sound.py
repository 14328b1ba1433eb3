"""Sound and video: format, length, and loudness over time."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from cloudstore_tui.preview.media import SILENCE_DB, DecodedSound, SoundFormat, Track, decode, media_tracks
from cloudstore_tui.preview.model import Nothing, Preview, Waveform, clock
from cloudstore_tui.preview.remote_file import NotFetchedError, RemoteFile
from cloudstore_tui.preview.sample import Sample
from cloudstore_tui.preview.streams import (
    Wav,
    adts_seconds,
    declared_size,
    first_frame,
    flac_share,
    has_frame_count,
    ogg_end,
    wav_head,
)

MAX_WHOLE = 1536 * 1024
"""Bytes up to which a recording is decoded whole."""
SLICES = 60
"""Number of pieces that are decoded of a longer recording."""
_SLICE_S = 1.0
_SMALLEST_SLICE, _LARGEST_SLICE = 4 * 1024, 16 * 1024
_COLUMNS = 240
"""Intervals of a waveform at most."""
_SILENT_DB = -50.0
"""Level below which nobody is speaking."""
_RATES = range(1000, 768_001)
"""Plausible sample rates; any other is meant to keep a decoder busy."""

_MARKS = (
    b"ID3", b"fLaC", b"OggS", b"#!AMR", b".snd", b"RF64", b"BW64", b"riff\x2e\x91\xcf\x11", b"\x1aE\xdf\xa3",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", b"\x0b\x77", b"caff", b"MAC ", b"wvpk", b"TTA1", b"FLV\1", b"\0\0\1\xba",
    b"\0\0\1\xb3", b"ADIF", b"MThd", b"DSD ",
)  # fmt: skip
_CONTAINERS = {
    "MPEG Audio": "MP3", "Wave": "WAV", "ADTS": "AAC", "ADIF": "AAC", "MPEG-4": "MP4", "Windows Media": "WMA",
    "Wave64": "W64",
}  # fmt: skip
_WAV_CODECS = {
    0x02: "ADPCM", 0x06: "A-law", 0x07: "μ-law", 0x11: "IMA ADPCM", 0x14: "G.723", 0x31: "GSM 6.10", 0x40: "G.721",
    0x42: "G.723.1", 0x45: "G.726", 0x55: "MP3", 0x64: "G.726", 0x65: "G.722", 0x83: "G.729", 0x28F: "G.722",
}  # fmt: skip
_LAWS = {"ulaw": "μ-law", "alaw": "A-law", "8-bit mu-law": "μ-law", "8-bit a-law": "A-law"}
_MODES = {"CBR": ", constant", "VBR": ", variable"}
_OPUS_RATE = 48_000
_MAX_TITLE = 200
_TOLERANCE_S = 0.3
"""How much shorter than declared a recording may be without being cut off: the last frame is not always full."""
_SHORT_S = 20
"""Durations below this are shown with a fraction."""


class Sound(NamedTuple):
    """The metadata of a recording."""

    name: str
    codec: str = ""
    channels: int = 0
    rate: int = 0
    seconds: float = 0.0
    """Length of what is present."""
    declared: float = 0.0
    """The declared length if less is present; -1 if it is cut off, but the length unknown."""
    estimate: str = ""
    """What the length was estimated from; empty if it is known."""
    byte_rate: float = 0.0
    mode: str = ""
    title: str = ""
    kind: SoundFormat | None = None
    """The decoder; `None` if there is none."""
    wav: Wav | None = None
    start: int = 0
    """Offset of the sound."""
    block: int = 1
    """Slices begin at multiples of this many bytes; 0 if slices cannot be decoded."""


def is_media(head: bytes) -> bool:
    """Whether these bytes begin sound or video."""
    if head.startswith(_MARKS) or head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide"):
        return True
    if head[:4] in (b"RIFF", b"FORM") and head[8:12] in (b"WAVE", b"AIFF", b"AIFC", b"AVI "):
        return True
    return first_frame(head[:8192]) == 0


def hidden_sound(sample: Sample) -> Preview | None:
    """The preview of MPEG frames that follow zeros or part of a frame; `None` if there are none."""
    at = first_frame(sample.head)
    return None if at is None else sound_preview(sample)


def sound_preview(sample: Sample) -> Preview | None:
    """Metadata of sound or video, with a waveform of sound; `None` if it is neither."""
    tracks, problem = media_tracks(sample)
    general = next((track for track in tracks if track.get("track_type") == "General"), {})
    audio = [track for track in tracks if track.get("track_type") == "Audio"]
    video = [track for track in tracks if track.get("track_type") == "Video"]
    if not audio and not video:
        return _without_tracks(sample, general)
    notes = (problem,) if problem else ()
    if video:
        return _video(sample, general, audio, video, notes)
    return _recording(sample, _sound(sample, general, audio[0]), notes)


def _without_tracks(sample: Sample, general: Track) -> Preview | None:
    if sample.head.startswith(b"ID3"):
        return Preview("MP3 audio", Nothing(), notes=("It ends inside the tag before its sound: it is cut.",))
    if not general.get("format"):
        return None
    note = "No track is described in it; it may be cut."
    return Preview(f"{_container(general)} file", Nothing(), notes=(note,))


def _container(general: Track) -> str:
    name = str(general.get("format", ""))
    if name == "MPEG-4" and "M4A" in str(general.get("format_profile", "")) + str(general.get("codec_id", "")):
        return "M4A"
    return _CONTAINERS.get(name, name)


def _sound(sample: Sample, general: Track, track: Track) -> Sound:
    """The metadata of a recording, corrected where the library is known to guess."""
    name = _container(general)
    if name == "MP3" and track.get("format_profile") not in ("Layer 3", None):
        name = f"MPEG {str(track['format_profile']).lower()}"
    sound = Sound(
        f"{name} audio",
        _codec(track),
        _number(track, "channel_s"),
        _number(track, "sampling_rate"),
        _number(track, "duration") / 1000 or _number(general, "duration") / 1000,
        byte_rate=_number(track, "bit_rate") / 8,
        mode=_MODES.get(str(track.get("bit_rate_mode")), ""),
        title=str(general.get("title") or general.get("track_name") or "")[:_MAX_TITLE],
    )
    correct = _CORRECTIONS.get(name)
    sound = correct(sample, sound, track) if correct is not None else sound
    return sound if sound.declared or sound.wav is not None else _correct_cut(sample, sound, general)


def _number(track: Track, name: str) -> int:
    value = track.get(name)
    if isinstance(value, str):
        value = value.partition(" ")[0]
    try:
        return int(float(value or 0))
    except ValueError:
        return 0


def _codec(track: Track) -> str:
    name, code = str(track.get("format", "")), str(track.get("codec_id", ""))
    if name == "MPEG Audio":
        version = str(track.get("format_version", "")).removeprefix("Version ")
        layer = str(track.get("format_profile", "")).removeprefix("Layer ")
        return f"MPEG-{version} layer {'I' * int(layer)}" if layer.isdigit() else name
    if law := _LAWS.get(code.lower()):
        return law
    if name == code:
        try:
            return _WAV_CODECS.get(int(code, 16), f"codec {code}")
        except ValueError:
            return name
    bits = f", {track['bit_depth']} bits" if name == "PCM" and track.get("bit_depth") else ""
    floats = " with floating point" if name == "PCM" and "Float" in str(track.get("format_profile")) else ""
    more = str(track.get("format_additionalfeatures") or "")
    return f"{name}{floats}{bits}{' ' + more if more else ''}"


def _correct_wav(sample: Sample, sound: Sound, _: Track) -> Sound:
    wav = wav_head(sample.open(4096))
    if wav is None:
        return sound
    here = max(sample.size - wav.start, 0) if sample.facts.size is not None else wav.length or 0
    codec = _pcm_name(wav) or _WAV_CODECS.get(wav.codec, sound.codec)
    kind = SoundFormat.WAV if wav.is_decoded and wav.rate in _RATES else None
    sound = sound._replace(codec=codec, kind=kind, wav=wav, start=wav.start, block=wav.block if wav.is_sliceable else 0)
    if wav.is_sliceable:
        sound = sound._replace(byte_rate=float(wav.byte_rate))
    return _wav_length(sound, wav, here)


def _pcm_name(wav: Wav) -> str:
    """The codec of PCM, which the library gets wrong in files other than WAV."""
    if wav.codec not in (1, 3):
        return ""
    return f"PCM{' with floating point' if wav.codec == 3 else ''}, {8 * wav.block // max(wav.channels, 1)} bits"


def _wav_length(sound: Sound, wav: Wav, here: int) -> Sound:
    byte_rate = wav.byte_rate
    declared = wav.frames / wav.rate if wav.frames and not wav.is_sliceable else 0.0
    if wav.length is None:
        # A recorder that was interrupted, or wrote to a pipe, leaves no length behind.
        return sound._replace(seconds=here / byte_rate if byte_rate else 0.0, estimate="the size of the file")
    seconds = declared or (wav.length / byte_rate if byte_rate else sound.seconds)
    if declared:
        sound = sound._replace(byte_rate=wav.length / declared)
    if here >= wav.length:
        return sound._replace(seconds=seconds)
    return sound._replace(seconds=seconds * here / wav.length, declared=seconds)


def _correct_mp3(sample: Sample, sound: Sound, track: Track) -> Sound:
    at = first_frame(sample.head) or 0
    sound = sound._replace(kind=SoundFormat.MP3, start=at)
    if not has_frame_count(sample.head, at):
        how = "" if sample.is_whole and sound.mode == ", constant" else "bit rate and size"
        return sound._replace(estimate=how)
    size, here = _number(track, "stream_size"), sample.facts.size
    if here is not None and size > here + 4096:
        return sound._replace(seconds=sound.seconds * here / size, declared=sound.seconds, estimate="what is here")
    return sound


def _correct_ogg(sample: Sample, sound: Sound, _: Track) -> Sound:
    rate = _OPUS_RATE if sound.codec == "Opus" else sound.rate
    end = ogg_end(sample)
    if end is None or not rate:
        return sound._replace(rate=rate)
    seconds = end.frames / rate
    byte_rate = sound.byte_rate or (sample.size / seconds if seconds else 0.0)
    declared = 0.0 if end.is_last else -1.0
    return sound._replace(rate=rate, seconds=seconds, byte_rate=byte_rate, declared=declared)


def _correct_adts(sample: Sample, sound: Sound, _: Track) -> Sound:
    seconds, read = adts_seconds(sample.head)
    if not seconds:
        return sound
    byte_rate = read / seconds
    if sample.is_whole:
        return sound._replace(seconds=seconds, byte_rate=byte_rate)
    size = sample.facts.size or read
    return sound._replace(seconds=size / byte_rate, byte_rate=byte_rate, estimate="its first frames and size")


def _correct_flac(sample: Sample, sound: Sound, _: Track) -> Sound:
    sound = sound._replace(kind=SoundFormat.FLAC, block=0)
    share = flac_share(sample) if sample.facts.size is not None else 1.0
    is_cut = sound.seconds * (1 - share) > _TOLERANCE_S
    return sound._replace(seconds=sound.seconds * share, declared=sound.seconds) if is_cut else sound


_CORRECTIONS = {
    **dict.fromkeys(("WAV", "W64", "AU", "AIFF", "CAF"), _correct_wav),
    "MP3": _correct_mp3, "Ogg": _correct_ogg, "AAC": _correct_adts, "FLAC": _correct_flac,
}  # fmt: skip


def _correct_cut(sample: Sample, sound: Sound, general: Track) -> Sound:
    """The length of what is present of a file that is shorter than it declares."""
    words = str(general.get("general_compliance") or "").split("is less than expected size ")
    digits = words[-1].removeprefix("at least ").partition(" ")[0] if len(words) > 1 else ""
    expected = int(digits) if digits.isdigit() and len(digits) < 19 else declared_size(sample.head)
    if sample.facts.size is None or sound.name in ("MP3 audio", "Ogg audio", "FLAC audio") or not sound.seconds:
        return sound
    if expected <= sample.facts.size or expected >= 1 << 60:
        return sound
    here = sound.seconds * sample.facts.size / expected
    return sound._replace(seconds=here, declared=sound.seconds, estimate="what is here")


# Waveforms


def _recording(sample: Sample, sound: Sound, notes: tuple[str, ...]) -> Preview:
    if sound.rate and sound.rate not in _RATES:
        sound, notes = sound._replace(kind=None), (*notes, f"{sound.rate:,} Hz is not a sample rate of sound.")
    elif sound.kind is None and sound.codec:
        notes = (*notes, f"No waveform: {sound.codec} is not decoded here.")
    if sound.kind is None or not sound.channels:
        return Preview(sound.name, Nothing(), _facts(sound, sample), notes)
    # A file may crash the decoder: what is known by now is shown in any case.
    sample.draft(Preview(sound.name, Nothing(), _facts(sound, sample), notes))
    remote = sample.remote
    if sample.is_whole or remote is None or sample.size <= MAX_WHOLE or not sound.block:
        return _decoded_whole(sample, sound, notes)
    return _decoded_slices(sample, remote, sound, notes)


def _decoded_whole(sample: Sample, sound: Sound, notes: tuple[str, ...]) -> Preview:
    data, is_whole = sample.head, sample.is_whole
    if not is_whole and sample.remote is not None and sample.size <= MAX_WHOLE:
        try:
            data, is_whole = sample.open().read(), True
        except NotFetchedError as error:
            notes = (*notes, str(error))
    if sound.wav is not None:
        data = sound.wav.file(data[sound.start :])
    decoded = decode(data, sound.kind or SoundFormat.MP3, sound.channels)
    if decoded is None or not decoded.seconds:
        return Preview(sound.name, Nothing(), _facts(sound, sample), (*notes, "Its sound could not be decoded."))
    if is_whole and not decoded.is_cut and sample.facts.size is not None:
        sound = _with_measured_length(sound, decoded.seconds)
    elif not is_whole or decoded.is_cut:
        notes = (*notes, f"The waveform shows the first {decoded.seconds:.0f} seconds.")
    body = Waveform(tuple(_condensed(channel) for channel in decoded.channels), decoded.seconds)
    return Preview(sound.name, body, _facts(sound, sample) + _talk_facts(body.channels), notes)


def _with_measured_length(sound: Sound, seconds: float) -> Sound:
    """With the length that was decoded; what was declared before, if longer, shows that it is cut off."""
    is_shorter = sound.seconds > seconds * 1.02 + 0.5 and not sound.estimate
    declared = sound.declared or (sound.seconds if is_shorter else 0.0)
    return sound._replace(seconds=seconds, declared=declared, estimate="")


def _decoded_slices(sample: Sample, remote: RemoteFile, sound: Sound, notes: tuple[str, ...]) -> Preview:
    """The waveform from slices of a second at evenly spaced offsets."""
    length = int(min(max(sound.byte_rate * _SLICE_S, _SMALLEST_SLICE), _LARGEST_SLICE))
    step, align = (sample.size - sound.start) / SLICES, sound.block
    starts = [sound.start + int(number * step) // align * align for number in range(SLICES)]
    pieces = remote.read_ranges([(start, min(length, sample.size - start)) for start in starts])
    decoded = [_slice(piece, sound) if piece else None for piece in pieces]
    if not any(decoded):
        why = (remote.problem,) if remote.problem and remote.problem not in notes else ()
        return _decoded_whole(sample, sound, (*notes, *why))
    levels = [tuple(_levels(one, sound.channels)) for one in decoded]
    sound = _with_mean_rate(sample, sound, pieces, decoded)
    body = Waveform(tuple(zip(*levels, strict=True)), sound.seconds)
    # The rest looks silent in the waveform, but nothing is known of it.
    known = [level for level, one in zip(levels, decoded, strict=True) if one is not None]
    note = f"Waveform sampled at {len(known)} points."
    if len(known) < SLICES:
        note = f"Waveform sampled at {len(known)} of {SLICES} points; what could not be read looks silent."
    facts = _facts(sound, sample) + _talk_facts(tuple(zip(*known, strict=True)))
    return Preview(sound.name, body, facts, (*notes, note))


def _with_mean_rate(sample: Sample, sound: Sound, pieces: list[bytes], decoded: list[DecodedSound | None]) -> Sound:
    """The length of an MP3 of unknown, variable bit rate, estimated from the slices."""
    seconds = sum(one.seconds for one in decoded if one is not None)
    count = sum(len(piece) for piece, one in zip(pieces, decoded, strict=True) if one is not None)
    if not sound.estimate or sound.kind is not SoundFormat.MP3 or not seconds or sound.mode != ", variable":
        return sound
    byte_rate = count / seconds
    return sound._replace(seconds=(sample.size - sound.start) / byte_rate, byte_rate=byte_rate)


def _slice(piece: bytes, sound: Sound) -> DecodedSound | None:
    data = sound.wav.file(piece) if sound.wav is not None else piece
    return decode(data, sound.kind or SoundFormat.MP3, sound.channels)


def _levels(decoded: DecodedSound | None, channels: int) -> Iterator[float]:
    for number in range(min(channels, 2)):
        levels = decoded.channels[number] if decoded is not None and number < len(decoded.channels) else ()
        # The louder half shows whether somebody is speaking; the rest are pauses between words.
        loud = sorted(levels, reverse=True)[: max(len(levels) // 2, 1)]
        yield sum(loud) / len(loud) if loud else SILENCE_DB


def _condensed(levels: tuple[float, ...]) -> tuple[float, ...]:
    """Levels for at most `_COLUMNS` intervals, each as loud as its loudest part."""
    if len(levels) <= _COLUMNS:
        return levels
    edges = [number * len(levels) // _COLUMNS for number in range(_COLUMNS + 1)]
    return tuple(max(levels[first:last]) for first, last in pairwise(edges))


# Facts


def _video(sample: Sample, general: Track, audio: list[Track], video: list[Track], notes: tuple[str, ...]) -> Preview:
    picture = video[0]
    facts = [("picture", _codec(picture))]
    if picture.get("width") and picture.get("height"):
        facts.append(("size", f"{picture['width']:,} × {picture['height']:,} pixels"))
    name = _container(general)
    sound = _sound(sample, general, audio[0]) if audio else Sound("")
    end = ogg_end(sample) if name == "Ogg" else None
    seconds = _number(general, "duration") / 1000 or max(_number(track, "duration") for track in video) / 1000
    if end is not None and not seconds:
        rate = float(picture.get("frame_rate") or 0)
        seconds = end.frames / rate if rate else 0.0
    if seconds and not (sound.declared and end is not None):
        sound = sound._replace(seconds=seconds, declared=0.0, estimate="")
        sound = _correct_cut(sample, sound, general)
    sound = sound._replace(name=f"{name} video")
    return Preview(sound.name, Nothing(), (*facts, *_facts(sound, sample)), notes)


def _facts(sound: Sound, sample: Sample) -> tuple[tuple[str, str], ...]:
    found = []
    if sound.codec:
        found.append(("codec", sound.codec))
    if sound.channels:
        found.append(("channels", {1: "1 (mono)", 2: "2 (stereo)"}.get(sound.channels, str(sound.channels))))
    if sound.rate:
        found.append(("rate", f"{sound.rate:,} Hz"))
    if sound.byte_rate:
        found.append(("bit rate", f"{sound.byte_rate * 8 / 1000:,.0f} kbit/s{sound.mode}"))
    if sound.seconds or sound.declared:
        found.append(("length", _length_text(sound)))
    reported = sample.facts.seconds
    if reported and sound.seconds and abs(reported - sound.seconds) > max(2.0, 0.02 * reported):
        found.append(("reported", f"{clock(reported)} by the service"))
    if sound.title:
        found.append(("title", sound.title))
    return tuple(found)


def _length_text(sound: Sound) -> str:
    if sound.declared > 0:
        is_short = sound.declared < _SHORT_S
        here, declared = (_duration(length, is_short=is_short) for length in (sound.seconds, sound.declared))
        return f"{'≈ ' if sound.estimate else ''}{here} of {declared}, cut"
    length = _duration(sound.seconds)
    if sound.declared:
        return f"{length}, cut"
    return f"≈ {length} (estimated from {sound.estimate})" if sound.estimate else length


def _duration(seconds: float, *, is_short: bool | None = None) -> str:
    """A duration, with a fraction if it is short."""
    is_short = seconds < _SHORT_S if is_short is None else is_short
    return f"{seconds:.2f} s" if is_short else clock(seconds)


def _talk_facts(channels: tuple[tuple[float, ...], ...]) -> tuple[tuple[str, str], ...]:
    """The share of each channel that is not silent, and the peak level."""
    shares = [sum(level > _SILENT_DB for level in channel) / max(len(channel), 1) for channel in channels]
    names = ("left", "right") if len(shares) == 2 else ("",)
    loudest = max((max(channel, default=SILENCE_DB) for channel in channels), default=SILENCE_DB)
    pairs = zip(names, shares, strict=False)
    talking = ", ".join(f"{name} {share:.0%}".strip().replace("%", " %") for name, share in pairs)
    return (("talking", talking), ("peak", f"{loudest:.0f} dB".replace("-", "−")))
