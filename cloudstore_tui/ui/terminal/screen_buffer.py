"""A screen buffer that compares what the terminal shows with what it should show, and sends the difference."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from rich.cells import split_graphemes

from cloudstore_tui.ui.terminal.charset import UTF_8, to_charset

PLAIN = ""
"""The default style."""

_INVISIBLE_ON_SPACES = {"1", "2", "3", "5", "6"}
_COMPLEX = {"38", "48"}


class Style(NamedTuple):
    """A parsed style."""

    attributes: frozenset[str]
    """SGR codes for bold, underline, reverse and so on."""
    foreground: str
    background: str

    @property
    def parameters(self) -> str:
        """The style as SGR parameters."""
        return ";".join(part for part in (*sorted(self.attributes, key=int), self.foreground, self.background) if part)


@lru_cache(4096)
def parse_style(parameters: str) -> Style:
    """Parse the parameters of one SGR sequence."""
    attributes: set[str] = set()
    foreground = background = ""
    for code in _codes(parameters):
        number = int(code.partition(";")[0] or 0)
        if number == 0:
            attributes, foreground, background = set(), "", ""
        elif 30 <= number <= 39 or 90 <= number <= 97:
            foreground = "" if number == 39 else code
        elif 40 <= number <= 49 or 100 <= number <= 107:
            background = "" if number == 49 else code
        else:
            attributes.add(code)
    return Style(frozenset(attributes), foreground, background)


@lru_cache(4096)
def normal(parameters: str, *, colours: bool) -> str:
    """The canonical form of a style, in which styles are compared; optionally without colours."""
    attributes, foreground, background = parse_style(parameters)
    return Style(attributes, *map(_shortest, (foreground, background) if colours else ("", ""))).parameters


_CUBE = (0, 95, 135, 175, 215, 255)
_FIRST_SURE = 22
"""The first palette index whose colour is the same in all terminals; some redefine lower ones."""


def _shortest(colour: str) -> str:
    """A colour as an index of the 256-colour palette if it is exactly in it, which is half as long."""
    if colour[2:5] != ";2;":
        return colour
    levels = [int(part) for part in colour.split(";")[2:]]
    red, green, blue = levels
    number = 0
    if red == green == blue and red % 10 == 8 and red <= 238:
        number = 232 + red // 10
    elif all(level in _CUBE for level in levels):
        number = 16 + 36 * _CUBE.index(red) + 6 * _CUBE.index(green) + _CUBE.index(blue)
    return f"{colour[:2]};5;{number}" if number >= _FIRST_SURE else colour


@lru_cache(4096)
def on_space(parameters: str) -> str:
    """The part of a style that is visible on a space: background, underline and strike-through."""
    style = parse_style(parameters)
    if "7" in style.attributes:
        return parameters
    lines = style.attributes - _INVISIBLE_ON_SPACES
    return Style(lines, style.foreground if lines else "", style.background).parameters


@lru_cache(16384)
def change(old: str | None, new: str) -> str:
    """The shortest sequence from one style, `None` if unknown, to another."""
    whole = f"\x1b[0;{new}m" if new else "\x1b[m"
    if old is None or not new:
        return whole if old != new else ""
    before, after = parse_style(old), parse_style(new)
    if before.attributes - after.attributes:
        return whole
    parts = sorted(after.attributes - before.attributes, key=int)
    if before.foreground != after.foreground:
        parts.append(after.foreground or "39")
    if before.background != after.background:
        parts.append(after.background or "49")
    step = f"\x1b[{';'.join(parts)}m" if parts else ""
    return min(step, whole, key=len)


def _codes(parameters: str) -> Iterator[str]:
    """The parameters, with those of one colour together."""
    parts = iter(parameters.split(";"))
    for part in parts:
        if part in _COMPLEX:
            kind = next(parts, "5")
            rest = [next(parts, "0") for _ in range(3 if kind == "2" else 1)]
            yield ";".join((part, kind, *rest))
        else:
            yield part


_TOKEN = re.compile(
    r"\x1b\[(?P<row>\d+);(?P<column>\d+)H|\x1b\[(?P<sgr>[\d;]*)m|(?P<text>[^\x1b\n]+)|\n|"
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]|\x1b",
    re.DOTALL,
)
_SHORT = 5
"""Unchanged cells up to which rewriting is no longer than the sequence that skips them."""

Place = tuple[int, int]


class ScreenBuffer:
    """Accepts frames, and returns the sequences that update the terminal."""

    def __init__(self, width: int, height: int, *, charset: str = UTF_8, colours: bool = True) -> None:
        self._charset = charset
        self._colours = colours
        self._width = width
        self._height = height
        self._cells: list[list[str]] = []
        self._styles: list[list[str]] = []
        self._shown: list[list[str] | None] = []
        self._shown_styles: list[list[str]] = []
        self._stale: set[int] = set()
        self._rest: Place | None = None
        """Where the cursor should be between frames."""
        self._cursor: Place | None = None
        """Where the cursor is; `None` if not certain."""
        self._style: str | None = None
        self.resize(width, height)

    @property
    def is_stale(self) -> bool:
        """Whether the terminal may need an update."""
        return bool(self._stale) or (self._rest is not None and self._rest != self._cursor)

    def resize(self, width: int, height: int) -> None:
        """Change the size. Terminals differ in what they show then, so every cell drawn is sent again."""
        cells, styles = self._cells[:height], self._styles[:height]
        self._cells = [(row + [" "] * width)[:width] for row in cells] + [
            [" "] * width for _ in range(height - len(cells))
        ]
        self._styles = [(row + [PLAIN] * width)[:width] for row in styles] + [
            [PLAIN] * width for _ in range(height - len(styles))
        ]
        for row in self._cells:
            if row and width < self._width:
                _mend(row, width)
        self._width, self._height = width, height
        self._shown = [None] * height
        self._shown_styles = [[] for _ in range(height)]
        self._stale = set()
        self._style = self._cursor = self._rest = None

    def blank(self) -> None:
        """The terminal was cleared: send everything again."""
        self._shown = [[" "] * self._width for _ in range(self._height)]
        self._shown_styles = [[PLAIN] * self._width for _ in range(self._height)]
        self._stale = set(range(self._height))
        self._cursor, self._style = (0, 0), PLAIN

    def draw(self, frame: str) -> None:
        """Draw a frame into the buffer."""
        x = y = 0
        style = PLAIN
        ends_with_move = False
        for token in _TOKEN.finditer(frame):
            kind, ends_with_move = token.lastgroup, False
            if kind == "text":
                x = self._put(x, y, token["text"], style)
            elif kind == "sgr":
                style = normal(token["sgr"], colours=self._colours)
            elif kind == "column":
                y, x = int(token["row"]) - 1, int(token["column"]) - 1
                ends_with_move = True
        if ends_with_move:
            self._rest = (max(0, min(x, self._width - 1)), max(0, min(y, self._height - 1)))

    def changes(self) -> str:
        """The sequences that make the terminal show the buffer, which then counts as shown."""
        out: list[str] = []
        for y in sorted(self._stale):
            cells, styles = self._cells[y], self._styles[y]
            if self._shown[y] != cells or self._shown_styles[y] != styles:
                self._send_row(out, y)
                self._shown[y] = cells.copy()
                self._shown_styles[y] = styles.copy()
        self._stale.clear()
        if self._rest is not None:
            self._go(out, *self._rest)
        return "".join(out)

    def _put(self, x: int, y: int, text: str, style: str) -> int:
        """Write a text into the buffer; return the column after it."""
        if self._charset != UTF_8:
            text = to_charset(text, self._charset)
        cells = list(text) if text.isascii() else list(_split(text))
        end = x + len(cells)
        if not 0 <= y < self._height or x >= self._width:
            return end
        row, styles = self._cells[y], self._styles[y]
        cut = min(end, self._width)
        drawn = [style] * (cut - x)
        blank = on_space(style)
        if blank != style and " " in cells:
            drawn = [blank if cell == " " else style for cell in cells[: cut - x]]
        row[x:cut] = cells[: cut - x]
        styles[x:cut] = drawn
        _mend(row, x)
        _mend(row, cut)
        self._stale.add(y)
        return end

    def _send_row(self, out: list[str], y: int) -> None:
        cells, styles = self._cells[y], self._styles[y]
        shown, shown_styles = self._shown[y], self._shown_styles[y]
        x = 0
        while x < self._width:
            if shown is not None and shown[x] == cells[x] and shown_styles[x] == styles[x]:
                x += 1
                continue
            while x and not cells[x]:
                x -= 1
            self._reach(out, x, y)
            x += self._write(out, x, y)

    def _reach(self, out: list[str], x: int, y: int) -> None:
        """Move the cursor to a cell, by rewriting the cells before it if they are few."""
        if self._cursor is not None and self._cursor[1] == y and 0 < x - self._cursor[0] <= _SHORT:
            here = self._cursor[0]
            between = self._cells[y][here:x]
            if all(cell.isascii() and cell for cell in between) and all(self._fits(y, at) for at in range(here, x)):
                out.append("".join(between))
                self._cursor = (x, y)
        self._go(out, x, y)

    def _fits(self, y: int, x: int) -> bool:
        """Whether a cell can be written without changing the style."""
        wanted = self._styles[y][x]
        return wanted == self._style or (
            self._cells[y][x] == " " and self._style is not None and on_space(self._style) == wanted
        )

    def _write(self, out: list[str], x: int, y: int) -> int:
        """Send one cell; return its width."""
        cell, style = self._cells[y][x], self._styles[y][x]
        if not self._fits(y, x):
            style = self._style_behind_blanks(y, x)
            out.append(change(self._style, style))
            self._style = style
        out.append(cell)
        width = 2 if x + 1 < self._width and not self._cells[y][x + 1] else 1
        behind = x + width
        # Terminals differ in the width of combined characters, and in what happens after the last column.
        certain = len(cell) == 1 and behind < self._width
        self._cursor = (behind, y) if certain else None
        return width

    def _style_behind_blanks(self, y: int, x: int) -> str:
        """The style of a cell; for blanks, that of the text after them if it looks the same on blanks."""
        cells, styles = self._cells[y], self._styles[y]
        at = x
        while at < min(x + _SHORT, self._width - 1) and cells[at] == " " and styles[at] == styles[x]:
            at += 1
        return styles[at] if at > x and on_space(styles[at]) == styles[x] else styles[x]

    def _go(self, out: list[str], x: int, y: int) -> None:
        if self._cursor == (x, y):
            return
        if self._cursor is not None and self._cursor[1] == y and x > self._cursor[0]:
            step = x - self._cursor[0]
            out.append(f"\x1b[{step}C" if step > 1 else "\x1b[C")
        else:
            out.append(f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H" if y else "\x1b[H")
        self._cursor = (x, y)


@lru_cache(4096)
def _split(text: str) -> tuple[str, ...]:
    """One text per cell: a whole grapheme, and an empty text for the second cell of a wide one."""
    cells: list[str] = []
    for start, end, width in split_graphemes(text)[0]:
        if width:
            cells.append(text[start:end])
            cells.extend([""] * (width - 1))
        elif cells:
            last = next(at for at in range(len(cells) - 1, -1, -1) if cells[at])
            cells[last] += text[start:end]
    return tuple(cells)


def _mend(row: list[str], x: int) -> None:
    """Replace halves of a wide character that was cut at column `x` by spaces."""
    if x < len(row) and not row[x] and (x == 0 or not _is_wide(row, x - 1)):
        row[x] = " "
    if 0 < x <= len(row) and row[x - 1] and (x == len(row) or row[x]) and _is_wide(row, x - 1):
        row[x - 1] = " "


def _is_wide(row: list[str], x: int) -> bool:
    return bool(row[x]) and not row[x].isascii() and len(_split(row[x])) == 2
