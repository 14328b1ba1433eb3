"""Sound: what it is, how long it lasts, and how loud it is over time."""

from collections.abc import Iterator
from itertools import pairwise

from cloudstore_tui.preview.clock import clock
from cloudstore_tui.preview.facts import Facts
from cloudstore_tui.preview.loudness import Decoded, Kind, decode
from cloudstore_tui.preview.preview import Nothing, Preview, Waveform
from cloudstore_tui.preview.reading import Steps, Stretch
from cloudstore_tui.preview.sound_head import SoundHead, sound_head
from cloudstore_tui.preview.wav import of_slice

WHOLE = 1536 * 1024
"""Bytes up to which a recording is read whole."""
SLICES = 60
"""Places at which a longer recording is listened to."""
_SLICE_SECONDS = 1.0
_SMALLEST_SLICE, _LARGEST_SLICE = 4 * 1024, 24 * 1024
_COLUMNS = 240
"""Stretches that a waveform has at most."""
_FURTHER = 64 * 1024
"""Bytes that are read where the head does not say all."""
_SILENT = -50.0
"""Decibels below which nobody speaks."""


def sound_steps(head: bytes, facts: Facts) -> Steps:
    """Read the head, also behind a large tag, then the sound."""
    known = sound_head(head, facts)
    start = _elsewhere(head, facts) if known is None else 0
    if start:
        (more,) = yield (Stretch(start, _FURTHER),)
        known = sound_head(head, facts, (start, more))
    if known is None:
        return Preview("sound", Nothing(), notes=("Its head could not be read, so nothing more is known of it.",))
    return (yield from _listen(head, facts, known))


def _listen(head: bytes, facts: Facts, known: SoundHead) -> Steps:
    if known.kind is None:
        note = "How loud it is over time is shown of MP3, WAV and FLAC only."
        return Preview(known.name, Nothing(), _facts(known, facts), (note,))
    size = facts.size
    if facts.is_whole(head) or size is None or facts.depth:
        heard, is_whole = decode(head, known.kind, known.channels), facts.is_whole(head)
    elif size <= WHOLE:
        (rest,) = yield (Stretch(len(head), size - len(head)),)
        is_whole = len(rest) == size - len(head)
        heard = decode(head + rest, known.kind, known.channels)
    elif known.can_slice:
        return (yield from _sample(head, facts, known))
    else:
        heard, is_whole = decode(head, known.kind, known.channels), False
    return _as_heard(known, facts, heard, is_whole=is_whole)


def _as_heard(known: SoundHead, facts: Facts, heard: Decoded | None, *, is_whole: bool) -> Preview:
    if heard is None or not heard.seconds:
        return Preview(known.name, Nothing(), _facts(known, facts), ("Its sound could not be read.",))
    if is_whole and not heard.is_cut:
        known = known.lasting(heard.seconds)
    body = Waveform(tuple(_fewer(channel) for channel in heard.channels), heard.seconds)
    notes = () if is_whole and not heard.is_cut else (f"The waveform shows the first {heard.seconds:.0f} seconds.",)
    return Preview(known.name, body, _facts(known, facts) + _spoken(body), notes)


def _sample(head: bytes, facts: Facts, known: SoundHead) -> Steps:
    """Listen for a second at evenly spaced places."""
    size = facts.size or 0
    length = int(min(max(known.bytes_per_second * _SLICE_SECONDS, _SMALLEST_SLICE), _LARGEST_SLICE))
    start = known.sound_start
    step = (size - start) / SLICES
    align = known.block or 1
    starts = [start + int(number * step) // align * align for number in range(SLICES)]
    pieces = yield tuple(Stretch(place, min(length, size - place)) for place in starts)
    channels: list[list[float]] = [[] for _ in range(known.channels)]
    missing = 0
    for piece in pieces:
        heard = _slice(head, piece, known) if piece else None
        missing += heard is None
        for channel, loud in zip(channels, _mean(heard, known.channels), strict=True):
            channel.append(loud)
    if missing == len(pieces):
        return _as_heard(known, facts, decode(head, known.kind or Kind.MP3, known.channels), is_whole=False)
    body = Waveform(tuple(map(tuple, channels)), known.seconds)
    seconds = length / known.bytes_per_second if known.bytes_per_second else _SLICE_SECONDS
    note = f"The waveform is heard at {SLICES} places of {seconds:.1f} s each, not the whole recording."
    return Preview(known.name, body, _facts(known, facts) + _spoken(body), (note,))


def _slice(head: bytes, piece: bytes, known: SoundHead) -> Decoded | None:
    if known.kind is Kind.WAV:
        piece = of_slice(head, known.sound_start, piece)
    return decode(piece, known.kind or Kind.MP3, known.channels)


def _mean(heard: Decoded | None, channels: int) -> Iterator[float]:
    for number in range(channels):
        levels = heard.channels[number] if heard is not None and number < len(heard.channels) else ()
        # The loudest tenths of a second say whether somebody speaks here; the pauses between words do not.
        loud = sorted(levels, reverse=True)[: max(len(levels) // 2, 1)]
        yield sum(loud) / len(loud) if loud else -96.0


def _fewer(levels: tuple[float, ...]) -> tuple[float, ...]:
    """At most so many stretches as are drawn, each as loud as its loudest part."""
    if len(levels) <= _COLUMNS:
        return levels
    edges = [number * len(levels) // _COLUMNS for number in range(_COLUMNS + 1)]
    return tuple(max(levels[first:last]) for first, last in pairwise(edges))


def _facts(known: SoundHead, facts: Facts) -> tuple[tuple[str, str], ...]:
    found = [("codec", known.codec), ("channels", _channels(known.channels)), ("rate", f"{known.rate:,} Hz")]
    if known.bytes_per_second:
        found.append(("bit rate", f"{known.bytes_per_second * 8 / 1000:,.0f} kbit/s{known.mode}"))
    if known.seconds:
        how = " (estimated from bit rate and size)" if known.is_estimated else ""
        found.append(("length", f"{'≈ ' if known.is_estimated else ''}{clock(known.seconds)}{how}"))
    if facts.seconds and known.seconds and abs(facts.seconds - known.seconds) > max(2.0, 0.02 * facts.seconds):
        found.append(("length told", f"{clock(facts.seconds)} by the service"))
    if known.title:
        found.append(("title", known.title))
    return tuple(found)


def _spoken(body: Waveform) -> tuple[tuple[str, str], ...]:
    """How much of each side is not silent."""
    shares = [sum(level > _SILENT for level in channel) / max(len(channel), 1) for channel in body.channels]
    names = ("left", "right") if len(shares) == 2 else ("",)
    loudest = max((max(channel, default=-96.0) for channel in body.channels), default=-96.0)
    said = ", ".join(f"{name} {share:.0%}".strip() for name, share in zip(names, shares, strict=False))
    return (("not silent", said), ("loudest", f"{loudest:.0f} dB"))


def _channels(count: int) -> str:
    return {1: "1 (mono)", 2: "2 (stereo)"}.get(count, str(count))


def _elsewhere(head: bytes, facts: Facts) -> int:
    """Where the rest of what is to be known is: behind a large tag, or at the end of an Ogg; 0 for nowhere."""
    if facts.depth or facts.is_whole(head):
        return 0
    if head.startswith(b"OggS"):
        return max((facts.size or 0) - _FURTHER, 0)
    return _tag_end(head)


def _tag_end(head: bytes) -> int:
    """Where an ID3 tag ends, 0 without one."""
    if not head.startswith(b"ID3") or len(head) < 10:
        return 0
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    return size + 10
