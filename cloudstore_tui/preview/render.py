"""Renders a preview as lines of safe text, for the screen and for the command line."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from cloudstore_tui.core.text import plain
from cloudstore_tui.preview.model import (
    Bytes,
    Dialogue,
    Listing,
    Outline,
    Preview,
    Table,
    Text,
    TreeNode,
    Waveform,
    clock,
)

MAX_LINE = 8192
"""Characters of a line."""
_MAX_CELL = 32
_MAX_SPEAKER = 20
_SAMPLE_ROWS = 1000
"""Rows that determine the widths of columns."""
_TAB = 8
_HEX_HEAD = "offset    00 01 02 03 04 05 06 07  08 09 0a 0b 0c 0d 0e 0f  letters"
_VALUES = {"text": "string", "number": "number", "word": "word"}

_CHANNEL_LINES = 4
"""Lines of one channel."""
_FLOOR_DB = -60.0
"""Level of the lowest step."""
_MIN_TOP_DB = -30.0
"""Level of the highest step for a very quiet recording, so that it looks quiet."""
_STEPS = " ▁▂▃▄▅▆▇█"
MARGIN = 7
_NARROWEST, _WIDEST = 20, 160
_TICK_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
"""Possible steps of the time axis."""
_TICK_COLUMNS = 9
"""Least distance of two times on it."""
_HEX_ROW = 16
"""Bytes on a line."""

Role = tuple[int, int, str]
"""Start, end, and what the characters between them are: `key`, `string`, `number`, `word`, `time`, `name`, `first`,
`second`, `note` or `wave`."""


class RenderedLine(NamedTuple):
    """One line, without anything that controls a terminal."""

    text: str
    roles: tuple[Role, ...] = ()
    hang: int = 0
    """Cells of hanging indent where it is wrapped."""
    last: int = 0
    """The last line that is hidden when this one is folded; 0 if it cannot be."""
    folded: str = ""
    """Its text when it is folded."""


class RenderedDocument(NamedTuple):
    """All lines of a preview."""

    lines: tuple[RenderedLine, ...]
    head: str = ""
    """Column titles; repeated as the last of the lines above the columns, if there are any."""
    above: int = 0
    """Number of lines above the body."""
    wraps: bool = False
    """Whether long lines should be wrapped."""
    folded: frozenset[int] = frozenset()
    """Lines that are folded at first."""
    turns: tuple[tuple[int, float], ...] = ()
    """Lines on which somebody begins to speak, and the second."""
    wave: tuple[int, int, int] = (0, 0, 0)
    """First line of a waveform, the one after the last, and the number of columns, which begin at `MARGIN`."""


def render(preview: Preview, width: int) -> RenderedDocument:
    """A preview for a screen of this width."""
    lines = [_fact(name, value) for name, value in preview.facts]
    lines += [RenderedLine(text := plain(note), ((0, len(text), "note"),)) for note in preview.notes]
    if lines:
        lines.append(RenderedLine(""))
    body = preview.body
    if isinstance(body, Outline):
        above = len(lines)
        lines += [_node(node, above, body.nodes) for node in body.nodes]
        return RenderedDocument(tuple(lines), above=above, folded=frozenset(place + above for place in body.folded))
    head, further, wraps = _body(preview, width)
    if lines and head:
        lines.append(RenderedLine(head, ((0, len(head), "head"),)))
    above = len(lines)
    turns = [(above + place, turn.start) for place, turn in enumerate(body.turns)] if isinstance(body, Dialogue) else []
    known = tuple((line, start) for line, start in turns if start is not None)
    wave = (above, above + len(further) - 1, columns_of(width)) if isinstance(body, Waveform) else (0, 0, 0)
    return RenderedDocument((*lines, *further), head, above, wraps, turns=known, wave=wave)


def how_much(preview: Preview, size: Callable[[int | None], str]) -> str:
    """How much of an object was read for its preview, in words; `size` formats a number of bytes."""
    if preview.is_whole:
        return f"complete, {size(preview.total)}"
    if preview.is_sampled and preview.total is not None and preview.fetched >= preview.total:
        # Overlapping pieces were fetched twice.
        return f"{size(preview.total)}, sampled"
    if preview.is_sampled:
        return f"{size(preview.fetched)} of {size(preview.total) or 'more'}, sampled"
    return f"first {size(preview.head)}{f' of {size(preview.total)}' if preview.total is not None else ''}"


def joined(recording: RenderedDocument, transcript: RenderedDocument) -> RenderedDocument:
    """A recording with its transcript below the waveform."""
    below = len(recording.lines) + 1
    turns = tuple((below + line, start) for line, start in transcript.turns)
    return recording._replace(lines=(*recording.lines, RenderedLine(""), *transcript.lines), turns=turns, wraps=True)


def _body(preview: Preview, width: int) -> tuple[str, Sequence[RenderedLine], bool]:
    body = preview.body
    if isinstance(body, Table):
        return _table(body)
    if isinstance(body, Listing):
        return f"{'bytes':>15}  {'changed':16}  name", [*_members(body)], False
    if isinstance(body, Dialogue):
        return _dialogue(body)
    if isinstance(body, Waveform):
        return "", [RenderedLine(text, ((0, len(text), "wave"),)) for text in draw_waveform(body, width)], False
    if isinstance(body, Bytes):
        return _HEX_HEAD, [RenderedLine(text, ((0, 8, "time"),)) for text in _hex_lines(body.data)], False
    if isinstance(body, Text):
        return "", [RenderedLine(_safe(line)) for line in body.lines], True
    return "", [], True


def _safe(text: str) -> str:
    return plain(text.expandtabs(_TAB) if "\t" in text else text, MAX_LINE)


def _fact(name: str, value: str) -> RenderedLine:
    title = f"{plain(name):13} "
    return RenderedLine(f"{title}{plain(value)}", ((0, len(title), "name"),), len(title))


def _node(node: TreeNode, above: int, nodes: Sequence[TreeNode]) -> RenderedLine:
    start, key, value = "  " * node.depth, plain(node.key, MAX_LINE), plain(node.value, MAX_LINE)
    comma = "," if node.has_next else ""
    label = f"{start}{key}: " if key else start
    roles = [(len(start), len(start) + len(key), "key")] if key else []
    if node.kind in _VALUES:
        roles.append((len(label), len(label) + len(value), _VALUES[node.kind]))
    folded = ""
    if node.last:
        last = nodes[node.last]
        closing = f"{last.value}{',' if last.has_next else ''}" if last.kind == "close" else "…"
        folded = plain(node.source, MAX_LINE) or f"{label}{value} … {node.count:,} {closing}"
    fold_end = node.last + above if node.last else 0
    return RenderedLine(label + value + comma, tuple(roles), len(label), fold_end, folded)


def _table(table: Table) -> tuple[str, Sequence[RenderedLine], bool]:
    rows = [tuple(map(plain, row)) for row in table.rows]
    header = tuple(map(plain, table.header))
    widths = [min(len(cell), _MAX_CELL) for cell in header]
    for row in rows[:_SAMPLE_ROWS]:
        widths += [0] * (len(row) - len(widths))
        widths[: len(row)] = (max(widths[place], min(len(cell), _MAX_CELL)) for place, cell in enumerate(row))
    return _cells(header, widths), [RenderedLine(_cells(row, widths)) for row in rows], False


def _cells(row: Sequence[str], widths: Sequence[int]) -> str:
    shown = (_fit(cell, widths[place] if place < len(widths) else _MAX_CELL) for place, cell in enumerate(row))
    return "  ".join(shown).rstrip()


def _fit(cell: str, width: int) -> str:
    return f"{cell[: width - 1]}…" if len(cell) > width > 0 else cell.ljust(width)


def _members(listing: Listing) -> Iterator[RenderedLine]:
    for member in listing.members:
        when = member.modified.strftime("%Y-%m-%d %H:%M") if member.modified else ""
        size = f"{member.size:,}" if member.size is not None and member.note != "folder" else ""
        start = f"{size:>15}  {when:16}  "
        note = f"  ({plain(member.note)})" if member.note else ""
        yield RenderedLine(f"{start}{plain(member.name)}{note}", ((0, len(start), "time"),), len(start))


def _dialogue(dialogue: Dialogue) -> tuple[str, Sequence[RenderedLine], bool]:
    names = [plain(turn.speaker, _MAX_SPEAKER) for turn in dialogue.turns]
    order = {name: place for place, name in enumerate(dict.fromkeys(names))}
    width = max(map(len, order), default=0)
    is_timed = any(turn.start is not None for turn in dialogue.turns)
    lines = []
    for turn, name in zip(dialogue.turns, names, strict=True):
        time = f"{clock(turn.start) if turn.start is not None else '':>7}  " if is_timed else ""
        start = f"{time}{name:{width}}  " if width else time
        side = "first" if order[name] % 2 == 0 else "second"
        roles = ((0, len(time), "time"), (len(time), len(start), side))
        lines.append(RenderedLine(start + plain(turn.text, MAX_LINE), roles, len(start)))
    head = f"{'time':>7}  " if is_timed else ""
    return f"{head}{'who':{width}}  words" if width else f"{head}words", lines, True


def _hex_lines(data: bytes) -> Iterator[str]:
    """Offset, bytes in hexadecimal, and the printable characters among them."""
    for offset in range(0, len(data), _HEX_ROW):
        row = data[offset : offset + _HEX_ROW]
        left, right = row[:8].hex(" "), row[8:].hex(" ")
        letters = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
        yield f"{offset:08x}  {left:23}  {right:23}  {letters}"


def columns_of(width: int) -> int:
    """Columns of a waveform on a screen of this width."""
    return max(_NARROWEST, min(width - MARGIN - 1, _WIDEST))


def draw_waveform(waveform: Waveform, width: int) -> Iterator[str]:
    """Bars of `_CHANNEL_LINES` lines for each channel, and a time axis below them."""
    columns = columns_of(width)
    top = max((max(channel, default=_FLOOR_DB) for channel in waveform.channels), default=_FLOOR_DB)
    names = ("left", "right") if len(waveform.channels) == 2 else ("",) * len(waveform.channels)
    for name, channel in zip(names, waveform.channels, strict=True):
        heights = [_height(level, max(top, _MIN_TOP_DB)) for level in _column_levels(channel, columns)]
        for row in range(_CHANNEL_LINES, 0, -1):
            bars = "".join(_STEPS[max(0, min(height - 8 * (row - 1), 8))] for height in heights)
            yield f"{name if row == _CHANNEL_LINES else '':{MARGIN}}{bars}".rstrip()
    yield f"{'':{MARGIN}}{_axis(waveform.seconds, columns)}"


def _column_levels(levels: Sequence[float], columns: int) -> list[float]:
    """One level for each column: the loudest of those that fall into it."""
    count = len(levels)
    if not count:
        return [_FLOOR_DB] * columns
    edges = [place * count // columns for place in range(columns + 1)]
    return [max(levels[edges[place] : max(edges[place + 1], edges[place] + 1)]) for place in range(columns)]


def _height(level: float, top: float) -> int:
    share = (level - _FLOOR_DB) / (top - _FLOOR_DB)
    return round(max(0.0, min(share, 1.0)) * 8 * _CHANNEL_LINES)


def _axis(seconds: float, columns: int) -> str:
    """The time axis: round times, as many as there is room for."""
    if not 0 < seconds < float("inf"):
        return ""
    # A damaged file may claim any length.
    least = seconds * _TICK_COLUMNS / columns
    step = next((tick for tick in _TICK_STEPS_S if tick >= least), least)
    line = ""
    for number in range(int(seconds / step) + 1):
        at = number * step
        column = round(at / seconds * columns)
        if column <= columns - 5:
            line = f"{line:{column}}{clock(at) if step >= 1 else f'{at:.1f} s'}"
    return line
