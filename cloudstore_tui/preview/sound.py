"""Sound and film: what it is, how long it lasts, and how loud it is over time."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from cloudstore_tui.preview.media import SILENCE, DecodedSound, Kind, Track, decode, media_tracks
from cloudstore_tui.preview.model import Nothing, Preview, Waveform, clock
from cloudstore_tui.preview.remote_file import NotFetchedError
from cloudstore_tui.preview.sample import Sample
from cloudstore_tui.preview.streams import (
    Wav,
    adts_seconds,
    first_frame,
    flac_end,
    has_frame_count,
    ogg_end,
    told_size,
    wav_head,
)

WHOLE = 1536 * 1024
"""Bytes up to which a recording is read whole."""
SLICES = 60
"""Places at which a longer recording is listened to."""
_SLICE_SECONDS = 1.0
_SMALLEST_SLICE, _LARGEST_SLICE = 4 * 1024, 16 * 1024
_COLUMNS = 240
"""Stretches that a waveform has at most."""
_SILENT = -50.0
"""Decibels below which nobody speaks."""
_RATES = range(1000, 768_001)
"""Sample rates of sound; any other is made to keep a decoder busy."""

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
_SHORTER = 0.3
"""Seconds that a recording may end early without being cut: the last frame is not always full."""
_SHORT = 20
"""Seconds below which a length needs a fraction."""


class Sound(NamedTuple):
    """What is known of a recording before it is heard."""

    name: str
    codec: str = ""
    channels: int = 0
    rate: int = 0
    seconds: float = 0.0
    """How much of it is here."""
    declared: float = 0.0
    """How long it says that it is, where less is here."""
    estimate: str = ""
    """What its length was estimated from; empty where it is known."""
    bytes_per_second: float = 0.0
    mode: str = ""
    title: str = ""
    kind: Kind | None = None
    """How it is decoded, `None` if it cannot be."""
    wav: Wav | None = None
    start: int = 0
    """Where the sound begins."""
    block: int = 1
    """Bytes that belong together; a piece begins with the first of them. 0 where no piece stands alone."""


def is_media(head: bytes) -> bool:
    """Whether these bytes begin sound or a film."""
    if head.startswith(_MARKS) or head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide"):
        return True
    if head[:4] in (b"RIFF", b"FORM") and head[8:12] in (b"WAVE", b"AIFF", b"AIFC", b"AVI "):
        return True
    return first_frame(head[:8192]) == 0


def hidden_sound(sample: Sample) -> Preview | None:
    """MPEG frames behind zeros, or behind half of a frame; `None` if there are none."""
    at = first_frame(sample.head)
    return None if at is None else sound_preview(sample)


def sound_preview(sample: Sample) -> Preview | None:
    """Facts of sound or a film, and the shape of the sound; `None` if it is neither."""
    tracks, problem = media_tracks(sample)
    general = next((track for track in tracks if track.get("track_type") == "General"), {})
    audio = [track for track in tracks if track.get("track_type") == "Audio"]
    video = [track for track in tracks if track.get("track_type") == "Video"]
    if not audio and not video:
        return _without_tracks(sample, general)
    notes = (problem,) if problem else ()
    if video:
        return _film(sample, general, audio, video, notes)
    return _heard(sample, _sound(sample, general, audio[0]), notes)


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
    """What is known of a recording, put right where the library is known to guess."""
    name = _container(general)
    if name == "MP3" and track.get("format_profile") not in ("Layer 3", None):
        name = f"MPEG {str(track['format_profile']).lower()}"
    sound = Sound(
        f"{name} audio",
        _codec(track),
        _number(track, "channel_s"),
        _number(track, "sampling_rate"),
        _number(track, "duration") / 1000 or _number(general, "duration") / 1000,
        bytes_per_second=_number(track, "bit_rate") / 8,
        mode=_MODES.get(str(track.get("bit_rate_mode")), ""),
        title=str(general.get("title") or general.get("track_name") or "")[:_MAX_TITLE],
    )
    put_right = _PUT_RIGHT.get(name)
    sound = put_right(sample, sound, track) if put_right is not None else sound
    return sound if sound.declared or sound.wav is not None else _perhaps_cut(sample, sound, general)


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


def _as_wav(sample: Sample, sound: Sound, _: Track) -> Sound:
    wav = wav_head(sample.open(4096))
    if wav is None:
        return sound
    here = max(sample.size - wav.start, 0) if sample.facts.size is not None else wav.length or 0
    codec = _pcm_name(wav) or _WAV_CODECS.get(wav.codec, sound.codec)
    kind = Kind.WAV if wav.is_decoded and wav.rate in _RATES else None
    sound = sound._replace(codec=codec, kind=kind, wav=wav, start=wav.start, block=wav.block if wav.is_sliceable else 0)
    if wav.is_sliceable:
        sound = sound._replace(bytes_per_second=float(wav.bytes_per_second))
    return _wav_length(sound, wav, here)


def _pcm_name(wav: Wav) -> str:
    """What the library is known to tell wrongly of other files than WAV."""
    if wav.codec not in (1, 3):
        return ""
    return f"PCM{' with floating point' if wav.codec == 3 else ''}, {8 * wav.block // max(wav.channels, 1)} bits"


def _wav_length(sound: Sound, wav: Wav, here: int) -> Sound:
    speed = wav.bytes_per_second
    told = wav.frames / wav.rate if wav.frames and not wav.is_sliceable else 0.0
    if wav.length is None:
        # A recorder that was cut off, or wrote to a pipe, leaves no length behind.
        return sound._replace(seconds=here / speed if speed else 0.0, estimate="the size of the file")
    seconds = told or (wav.length / speed if speed else sound.seconds)
    if told:
        sound = sound._replace(bytes_per_second=wav.length / told)
    if here >= wav.length:
        return sound._replace(seconds=seconds)
    return sound._replace(seconds=seconds * here / wav.length, declared=seconds)


def _as_mp3(sample: Sample, sound: Sound, track: Track) -> Sound:
    at = first_frame(sample.head) or 0
    sound = sound._replace(kind=Kind.MP3, start=at)
    if not has_frame_count(sample.head, at):
        how = "" if sample.is_whole and sound.mode == ", constant" else "bit rate and size"
        return sound._replace(estimate=how)
    size, here = _number(track, "stream_size"), sample.facts.size
    if here is not None and size > here + 4096:
        return sound._replace(seconds=sound.seconds * here / size, declared=sound.seconds, estimate="what is here")
    return sound


def _as_ogg(sample: Sample, sound: Sound, _: Track) -> Sound:
    rate = _OPUS_RATE if sound.codec == "Opus" else sound.rate
    end = ogg_end(sample)
    if end is None or not rate:
        return sound._replace(rate=rate)
    seconds = end.seconds(rate)
    speed = sound.bytes_per_second or (sample.size / seconds if seconds else 0.0)
    declared = -1.0 if not end.is_last else 0.0
    return sound._replace(rate=rate, seconds=seconds, bytes_per_second=speed, declared=declared)


def _as_adts(sample: Sample, sound: Sound, _: Track) -> Sound:
    seconds, read = adts_seconds(sample.head)
    if not seconds:
        return sound
    speed = read / seconds
    if sample.is_whole:
        return sound._replace(seconds=seconds, bytes_per_second=speed)
    size = sample.facts.size or read
    return sound._replace(seconds=size / speed, bytes_per_second=speed, estimate="its first frames and size")


def _as_flac(sample: Sample, sound: Sound, _: Track) -> Sound:
    sound = sound._replace(kind=Kind.FLAC, block=0)
    share = flac_end(sample) if sample.facts.size is not None else 1.0
    is_cut = sound.seconds * (1 - share) > _SHORTER
    return sound._replace(seconds=sound.seconds * share, declared=sound.seconds) if is_cut else sound


_PUT_RIGHT = {
    "WAV": _as_wav, "W64": _as_wav, "AU": _as_wav, "AIFF": _as_wav, "CAF": _as_wav, "MP3": _as_mp3, "Ogg": _as_ogg,
    "AAC": _as_adts, "FLAC": _as_flac,
}  # fmt: skip


def _perhaps_cut(sample: Sample, sound: Sound, general: Track) -> Sound:
    """How much of a file is here that is shorter than it says."""
    words = str(general.get("general_compliance") or "").split("is less than expected size ")
    digits = words[-1].removeprefix("at least ").partition(" ")[0] if len(words) > 1 else ""
    expected = int(digits) if digits.isdigit() and len(digits) < 19 else told_size(sample.head)
    if sample.facts.size is None or sound.name in ("MP3 audio", "Ogg audio", "FLAC audio") or not sound.seconds:
        return sound
    if expected <= sample.facts.size or expected >= 1 << 60:
        return sound
    here = sound.seconds * sample.facts.size / expected
    return sound._replace(seconds=here, declared=sound.seconds, estimate="what is here")


# Hearing it


def _heard(sample: Sample, sound: Sound, notes: tuple[str, ...]) -> Preview:
    if sound.rate and sound.rate not in _RATES:
        sound, notes = sound._replace(kind=None), (*notes, f"{sound.rate:,} Hz is not a sample rate of sound.")
    elif sound.kind is None and sound.codec:
        notes = (*notes, f"No waveform: {sound.codec} is not decoded here.")
    if sound.kind is None or not sound.channels:
        return Preview(sound.name, Nothing(), _facts(sound, sample), notes)
    # A decoder may be led astray: what is known by now is shown in any case.
    sample.draft(Preview(sound.name, Nothing(), _facts(sound, sample), notes))
    if sample.is_whole or sample.remote is None or sample.size <= WHOLE or not sound.block:
        return _as_a_whole(sample, sound, notes)
    return _sampled(sample, sound, notes)


def _as_a_whole(sample: Sample, sound: Sound, notes: tuple[str, ...]) -> Preview:
    data, is_whole = sample.head, sample.is_whole
    if not is_whole and sample.remote is not None and sample.size <= WHOLE:
        try:
            data, is_whole = sample.open().read(), True
        except NotFetchedError as error:
            notes = (*notes, str(error))
    if sound.wav is not None:
        data = sound.wav.file(data[sound.start :])
    heard = decode(data, sound.kind or Kind.MP3, sound.channels)
    if heard is None or not heard.seconds:
        return Preview(sound.name, Nothing(), _facts(sound, sample), (*notes, "Its sound could not be decoded."))
    if is_whole and not heard.is_cut and sample.facts.size is not None:
        sound = _measured(sound, heard.seconds)
    elif not is_whole or heard.is_cut:
        notes = (*notes, f"The waveform shows the first {heard.seconds:.0f} seconds.")
    body = Waveform(tuple(_fewer(channel) for channel in heard.channels), heard.seconds)
    return Preview(sound.name, body, _facts(sound, sample) + _loudness(body), notes)


def _measured(sound: Sound, seconds: float) -> Sound:
    """The same, now that it was heard how long it is."""
    declared = sound.declared
    told_longer = sound.seconds > seconds * 1.02 + 0.5 and not sound.estimate
    if not declared and told_longer:
        declared = sound.seconds
    return sound._replace(seconds=seconds, declared=declared, estimate="")


def _sampled(sample: Sample, sound: Sound, notes: tuple[str, ...]) -> Preview:
    """Listen for a second at evenly spaced places."""
    remote = sample.remote
    if remote is None:
        return _as_a_whole(sample, sound, notes)
    length = int(min(max(sound.bytes_per_second * _SLICE_SECONDS, _SMALLEST_SLICE), _LARGEST_SLICE))
    step, align = (sample.size - sound.start) / SLICES, sound.block
    starts = [sound.start + int(number * step) // align * align for number in range(SLICES)]
    pieces = remote.stretches([(place, min(length, sample.size - place)) for place in starts])
    heard = [_slice(piece, sound) if piece else None for piece in pieces]
    if not any(heard):
        return _as_a_whole(sample, sound, (*notes, remote.problem) if remote.problem else notes)
    levels = [list(_mean(one, sound.channels)) for one in heard]
    sound = _mean_speed(sample, sound, pieces, heard)
    body = Waveform(tuple(zip(*levels, strict=True)), sound.seconds)
    missing = sum(one is None for one in heard)
    note = f"Waveform sampled at {SLICES - missing} points."
    return Preview(sound.name, body, _facts(sound, sample) + _loudness(body), (*notes, note))


def _mean_speed(sample: Sample, sound: Sound, pieces: list[bytes], heard: list[DecodedSound | None]) -> Sound:
    """The length of an MP3 that does not tell it, from how long the pieces last."""
    seconds = sum(one.seconds for one in heard if one is not None)
    count = sum(len(piece) for piece, one in zip(pieces, heard, strict=True) if one is not None)
    if not sound.estimate or sound.kind is not Kind.MP3 or not seconds or sound.mode != ", variable":
        return sound
    speed = count / seconds
    return sound._replace(seconds=(sample.size - sound.start) / speed, bytes_per_second=speed)


def _slice(piece: bytes, sound: Sound) -> DecodedSound | None:
    return decode(sound.wav.file(piece) if sound.wav is not None else piece, sound.kind or Kind.MP3, sound.channels)


def _mean(heard: DecodedSound | None, channels: int) -> Iterator[float]:
    for number in range(min(channels, 2)):
        levels = heard.channels[number] if heard is not None and number < len(heard.channels) else ()
        # The loudest tenths of a second say whether somebody speaks here; the pauses between words do not.
        loud = sorted(levels, reverse=True)[: max(len(levels) // 2, 1)]
        yield sum(loud) / len(loud) if loud else SILENCE


def _fewer(levels: tuple[float, ...]) -> tuple[float, ...]:
    """At most so many stretches as are drawn, each as loud as its loudest part."""
    if len(levels) <= _COLUMNS:
        return levels
    edges = [number * len(levels) // _COLUMNS for number in range(_COLUMNS + 1)]
    return tuple(max(levels[first:last]) for first, last in pairwise(edges))


# Telling it


def _film(sample: Sample, general: Track, audio: list[Track], video: list[Track], notes: tuple[str, ...]) -> Preview:
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
        sound = _perhaps_cut(sample, sound, general)
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
    if sound.bytes_per_second:
        found.append(("bit rate", f"{sound.bytes_per_second * 8 / 1000:,.0f} kbit/s{sound.mode}"))
    if sound.seconds or sound.declared:
        found.append(("length", _length(sound)))
    told = sample.facts.seconds
    if told and sound.seconds and abs(told - sound.seconds) > max(2.0, 0.02 * told):
        found.append(("length told", f"{clock(told)} by the service"))
    if sound.title:
        found.append(("title", sound.title))
    return tuple(found)


def _length(sound: Sound) -> str:
    if sound.declared > 0:
        is_short = sound.declared < _SHORT
        here, declared = (_clock(length, is_short=is_short) for length in (sound.seconds, sound.declared))
        return f"{'≈ ' if sound.estimate else ''}{here} of {declared}, cut"
    if sound.declared:
        return f"{_clock(sound.seconds)}, cut"
    return f"≈ {_clock(sound.seconds)} (estimated from {sound.estimate})" if sound.estimate else _clock(sound.seconds)


def _clock(seconds: float, *, is_short: bool | None = None) -> str:
    """A length; of short ones with what is behind the point."""
    is_short = seconds < _SHORT if is_short is None else is_short
    return f"{seconds:.2f} s" if is_short else clock(seconds)


def _loudness(body: Waveform) -> tuple[tuple[str, str], ...]:
    """How much of each side is not silent."""
    shares = [sum(level > _SILENT for level in channel) / max(len(channel), 1) for channel in body.channels]
    names = ("left", "right") if len(shares) == 2 else ("",)
    loudest = max((max(channel, default=SILENCE) for channel in body.channels), default=SILENCE)
    said = ", ".join(
        f"{name} {share:.0%}".strip().replace("%", " %") for name, share in zip(names, shares, strict=False)
    )
    return (("talking", said), ("peak", f"{loudest:.0f} dB".replace("-", "−")))
