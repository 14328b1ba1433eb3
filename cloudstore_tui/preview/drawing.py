"""A waveform out of letters."""

from collections.abc import Iterator, Sequence

from cloudstore_tui.preview.clock import clock
from cloudstore_tui.preview.preview import Waveform

_ROWS = 4
"""Lines of one channel."""
_FLOOR = -60.0
"""Decibels of the lowest step."""
_LEAST_TOP = -30.0
"""Decibels up to which a very quiet recording is drawn as what it is."""
_STEPS = " ▁▂▃▄▅▆▇█"
_MARGIN = 7
_NARROWEST, _WIDEST = 20, 160
_SHORT = 20
"""Seconds below which the time needs a fraction."""
_TICK = 15
"""Columns between two times below."""


def draw_waveform(waveform: Waveform, width: int) -> Iterator[str]:
    """Some lines for each channel, loud above quiet, and the time below."""
    columns = max(_NARROWEST, min(width - _MARGIN - 1, _WIDEST))
    top = max((max(channel, default=_FLOOR) for channel in waveform.channels), default=_FLOOR)
    names = ("left", "right") if len(waveform.channels) == 2 else ("",) * len(waveform.channels)
    for name, channel in zip(names, waveform.channels, strict=True):
        heights = [_height(level, max(top, _LEAST_TOP)) for level in _spread(channel, columns)]
        for row in range(_ROWS, 0, -1):
            bars = "".join(_STEPS[max(0, min(height - 8 * (row - 1), 8))] for height in heights)
            yield f"{name if row == _ROWS else '':{_MARGIN}}{bars}".rstrip()
    yield f"{'':{_MARGIN}}{_axis(waveform.seconds, columns)}"


def _spread(levels: Sequence[float], columns: int) -> list[float]:
    """One loudness for each column: the loudest of those that fall on it."""
    count = len(levels)
    if not count:
        return [_FLOOR] * columns
    edges = [place * count // columns for place in range(columns + 1)]
    return [max(levels[edges[place] : max(edges[place + 1], edges[place] + 1)]) for place in range(columns)]


def _height(level: float, top: float) -> int:
    share = (level - _FLOOR) / (top - _FLOOR)
    return round(max(0.0, min(share, 1.0)) * 8 * _ROWS)


def _axis(seconds: float, columns: int) -> str:
    line = ""
    for column in range(0, columns - 6, _TICK):
        at = seconds * column / columns
        line = f"{line:{column}}{clock(at) if seconds >= _SHORT else f'{at:.1f} s'}"
    return line
