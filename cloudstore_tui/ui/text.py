"""The only way from data to the screen, and a guard behind it.

Names, tags and messages come from other people. Whatever they contain, a row stays one row, nothing is interpreted as
markup, and nothing reaches the terminal as a command: invisible characters are shown as symbols or codes.
"""

import re
from contextlib import suppress
from pathlib import Path

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.content import Content, Span
from textual.strip import Strip

from cloudstore_tui.core.errors import UnsafeError
from cloudstore_tui.core.text import MAX_LENGTH, cut, pieces
from cloudstore_tui.core.text import plain as _plain
from cloudstore_tui.ui.mask import MASK

_CODE_STYLE = "$text-warning"
LONGEST_NAME = 500
"""Characters of a name that are processed, where few of them fit."""
_MASKED_BEYOND = 200
"""Characters beyond a limit that are masked with the text, as a name may extend across it."""

COMMANDS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
"""Characters that a terminal obeys, that reorder a line, or that cannot be encoded."""

_ATTACK = "\x1b]52;c;QQ==\x1b\\"


def plain(text: str, limit: int = MAX_LENGTH) -> str:
    """`text` as one line that is safe to draw, masked if wanted; more than `limit` characters end with `…`."""
    return _plain(_masked(text, limit), limit)


def show(text: str, limit: int = MAX_LENGTH) -> Content:
    """`text` for widgets: literal, one line, with invisible characters as codes in their own style."""
    text = cut(_masked(text, limit), limit)
    if text.isascii() and text.isprintable():
        return Content(text)
    shown: list[str] = []
    spans: list[Span] = []
    end = 0
    for piece, is_code in pieces(text):
        start, end = end, end + len(piece)
        shown.append(piece)
        if is_code:
            spans.append(Span(start, end, _CODE_STYLE))
    return Content("".join(shown), spans)


def fitting(text: str, width: int) -> int:
    """How many characters of a text fit in `width` cells; at least one."""
    if text.isascii():
        return max(min(len(text), width), 1)
    return len(text) if cell_len(text) <= width else max(len(chop_cells(text, width)[0]), 1)


def cell(text: str, width: int) -> str:
    """A safe text in exactly `width` cells."""
    return set_cell_size(shorten(plain(text, LONGEST_NAME), width, middle=True), max(width, 0))


def end_of(text: str, width: int) -> str:
    """The end of a text in at most `width` cells, which is the informative part of a path."""
    return text if cell_len(text) <= width else f"…{_tail(text, max(width - 1, 0))}"


def home_path(path: Path | str) -> str:
    """A local path in short form, `~/calls` or `./calls`; only its end while masked."""
    path = Path(path)
    if path == Path():
        # A single dot would not say where that is.
        with suppress(OSError):
            path = Path.cwd()
    if MASK.on:
        return MASK.path(path)
    home = Path.home()
    if path.is_relative_to(home):
        return f"~/{path.relative_to(home)}".removesuffix("/.")
    # The current folder may have been removed.
    with suppress(OSError):
        return f"./{path.relative_to(here)}" if (here := Path.cwd()) in path.parents else str(path)
    return str(path)


def _masked(text: str, limit: int) -> str:
    return MASK.text(text[: limit + _MASKED_BEYOND]) if MASK.on else text


def shorten(text: str, width: int, *, middle: bool = False) -> str:
    """`text` in at most `width` cells, with `…` for its end or its middle where it is longer."""
    if (len(text) if text.isascii() else cell_len(text)) <= width:
        return text
    if width <= 1:
        return "…"[:width]
    tail = _tail(text, (width - 1) // 2) if middle else ""
    return _head(text, width - 1 - cell_len(tail)) + "…" + tail


def _head(text: str, width: int) -> str:
    if text.isascii():
        return text[:width]
    head = set_cell_size(text, width)
    return head.rstrip("\u200d")


def _tail(text: str, width: int) -> str:
    if text.isascii():
        return text[-width:] if width else ""
    for start in range(max(len(text) - width, 0), len(text)):
        tail = text[start:]
        # A text must not begin with a combining character.
        if cell_len(text[start]) and text[start - 1] != "\u200d" and cell_len(tail) <= width:
            return tail
    return ""


# The guard: all text that widgets draw passes through these two methods of Textual.

_render_style = Strip.render_style
_render = Strip.render


def _guarded_render_style(_: type[Strip], style: Style, text: str, color_system: ColorSystem) -> str:
    return _render_style(style, COMMANDS.sub("\ufffd", text), color_system)


def _guarded_render(strip: Strip, console: Console) -> str:
    if any(style is None and control is None and COMMANDS.search(text) for text, style, control in strip):
        strip = Strip(
            [
                Segment(COMMANDS.sub("\ufffd", text) if control is None else text, style, control)
                for text, style, control in strip
            ]
        )
    return _render(strip, console)


def install_guard() -> None:
    """Keep control characters in the text of any widget from reaching the terminal.

    Raises:
        UnsafeError: the guard does not work with this version of Textual, so the app must not run.
    """
    for name, method in (("render_style", classmethod(_guarded_render_style)), ("render", _guarded_render)):
        setattr(Strip, name, method)
    check_guard()


def check_guard() -> None:
    """Test the guard by drawing an attack off-screen.

    Raises:
        UnsafeError: it came through.
    """
    console = Console(force_terminal=True, color_system="truecolor", width=80)
    for style in (None, Style(), Style(bold=True)):
        if _ATTACK[:5] in Strip([Segment(_ATTACK, style)]).render(console):
            raise UnsafeError(
                "this version of Textual would send characters of remote names to the terminal as commands",
                hint="Install the versions that cloudstore-tui asks for: uv tool install --force cloudstore-tui.",
            )
