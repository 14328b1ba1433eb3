"""Durations and sizes as people write and read them."""

import re
from collections.abc import Mapping
from fractions import Fraction

from cloudstore_tui.fiql.fields import Unit

_PART = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*([a-z]+)", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):(\d{2})(\.\d{1,3})?", re.ASCII)
_SIZE = re.compile(r"(\d{1,18}(?:\.\d{1,9})?)\s*(?:([kmgtp]?)(i?)b?|bytes?)", re.ASCII | re.IGNORECASE)

_MILLISECONDS: Mapping[str, int] = {
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1000),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60_000),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3_600_000),
    **dict.fromkeys(("d", "day", "days"), 86_400_000),
}
_POWERS = ("", "k", "m", "g", "t", "p")
_SHOWN_SIZES = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


def read_duration(text: str) -> Fraction | None:
    """Milliseconds of `90s`, `1h30m`, `1.5 h`, `500ms`, `1:30` or `1:02:03`; `None` if the text is no duration."""
    wanted = text.strip().lower()
    if clock := _CLOCK.fullmatch(wanted):
        return _clock(clock)
    total, end = Fraction(0), 0
    for part in _PART.finditer(wanted):
        if wanted[end : part.start()].strip() or part[2] not in _MILLISECONDS:
            return None
        total += Fraction(part[1]) * _MILLISECONDS[part[2]]
        end = part.end()
    return total if end and end == len(wanted) else None


def _clock(clock: "re.Match[str]") -> Fraction | None:
    hours, minutes, seconds = int(clock[1] or 0), int(clock[2]), Fraction(clock[3] + (clock[4] or ""))
    if seconds >= 60 or (clock[1] and minutes >= 60):
        return None
    return (seconds + 60 * minutes + 3600 * hours) * 1000


def read_size(text: str) -> Fraction | None:
    """Bytes of `10MB`, `1.5 GiB`, `300k` or `1000`; `None` if the text is no size. `kB` is 1,000, `KiB` 1,024 bytes."""
    found = _SIZE.fullmatch(text.strip())
    if not found or (found[3] and not found[2]):
        return None
    factor: int = (1024 if found[3] else 1000) ** _POWERS.index((found[2] or "").lower())
    return Fraction(found[1]) * factor


def in_unit(milliseconds: Fraction, unit: Unit) -> Fraction:
    """A duration in the unit that a tag has."""
    return milliseconds / 1000 if unit is Unit.SECONDS else milliseconds


def duration_words(milliseconds: Fraction) -> str:
    """`1 min 30 s`, `1 h`, `0.25 s`."""
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{float(rest / 1000):.10g} s" if rest or milliseconds < 60_000 else ""
    return " ".join(
        part for part in (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "", seconds) if part
    )


def size_words(number: int) -> str:
    """`10 MB`, `1.5 kB`; in full where a rounded number would not be true."""
    factor, name = next(((factor, name) for factor, name in _SHOWN_SIZES if number >= factor), (0, ""))
    if factor and number * 100 % factor == 0:
        return f"{number / factor:.10g} {name}"
    return f"{number:,} {'byte' if number == 1 else 'bytes'}"
