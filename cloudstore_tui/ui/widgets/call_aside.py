"""What was said in a call, or is in another small file of it, beside the list of its files."""

import textwrap
from collections.abc import Iterator
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from cloudstore_tui.core.text import plain
from cloudstore_tui.preview.clock import clock
from cloudstore_tui.preview.model import Dialogue, Preview
from cloudstore_tui.preview.render import render
from cloudstore_tui.ui.mask import MASK

_LOW = 6
"""Lines below which there is room for what was said only, a line for each turn."""
_WIDEST_SPEAKER = 20
_LONGEST = 4_000
_STYLES = {"time": "$text-muted", "first": "bold $text-primary", "second": "bold $text-accent", "note": "$text-warning"}


class CallAside(VerticalScroll, can_focus=True):
    """Shows a transcript as a dialogue, and anything else as the preview does; scrolls when it has the focus."""

    DEFAULT_CSS = """
    CallAside {
        background: $surface; scrollbar-size-vertical: 1;
        &:focus > Static { background: $boost; }
        & > Static { height: auto; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll_by(1)", "Down", show=False, id="aside.down", tooltip="Read on"),
        Binding("k,up", "scroll_by(-1)", "Up", show=False, id="aside.up", tooltip="Read back"),
        Binding("pagedown,ctrl+f", "scroll_by(8)", "Further", show=False, id="aside.page_down", tooltip="Read on"),
        Binding("pageup,ctrl+b", "scroll_by(-8)", "Back", show=False, id="aside.page_up", tooltip="Read back"),
        Binding("g,home", "scroll_by(-100000)", "Top", show=False, id="aside.top", tooltip="To the first line"),
        Binding("G,end", "scroll_by(100000)", "Bottom", show=False, id="aside.bottom", tooltip="To the last line"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: tuple[str, Preview] | None = None
        self._text = Static(markup=False)

    def compose(self) -> Iterator[Static]:
        """One text."""
        yield self._text

    def say(self, text: str) -> None:
        """Show a sentence, or nothing."""
        self._shown = None
        self._text.update(Content.styled(plain(text), "$text-muted"))

    def show(self, title: str, preview: Preview) -> None:
        """Show what is in a file of this title."""
        if self._shown != (title, preview):
            self._shown = title, preview
            self._draw()
            self.scroll_home(animate=False)

    def on_resize(self) -> None:
        """Wrap anew."""
        self._draw()

    def remask(self) -> None:
        """Mask what was said, or show it again."""
        self._draw()

    def action_scroll_by(self, lines: int) -> None:
        """Move the text."""
        self.scroll_relative(y=lines, animate=False)

    def _draw(self) -> None:
        if self._shown is None or not self.size.width:
            return
        title, preview = self._shown
        width = max(self.scrollable_content_region.width - 1, 10)
        if self.size.height < _LOW:
            lines = [f" {line}" for line in _short_lines(preview, width)][: self.size.height]
            self._text.update(Content("\n".join(lines)))
            return
        head = " · ".join(part for part in (title.upper(), *_terms(preview)) if part)
        body = list(_dialogue(preview.body, width) if isinstance(preview.body, Dialogue) else _lines(preview, width))
        heading = Content.styled(MASK.text(plain(head, width)), "bold $text-muted")
        self._text.update(Content("\n").join([heading, Content(""), *body]))


def _terms(preview: Preview) -> Iterator[str]:
    """What is worth a place beside the title: language and confidence, and how much is shown."""
    facts = dict(preview.facts)
    yield facts.get("language", "")
    try:
        confidence = float(facts.get("confidence", ""))
    except ValueError:
        confidence = -1.0
    if 0 <= confidence <= 1:
        yield f"confidence {confidence:.0%}".replace("%", " %")
    if preview.is_partial:
        yield "the beginning; Enter shows more"


def _dialogue(dialogue: Dialogue, width: int) -> Iterator[Content]:
    names = [_masked(turn.speaker, _WIDEST_SPEAKER) for turn in dialogue.turns]
    order = {name: place for place, name in enumerate(dict.fromkeys(names))}
    wide = max(map(cell_len, order), default=0)
    times = [clock(turn.start) if turn.start is not None else "" for turn in dialogue.turns]
    long = max(map(len, times), default=0)
    hang = (long + 1 if long else 0) + (wide + 2 if wide else 0)
    for turn, name, time in zip(dialogue.turns, names, times, strict=True):
        side = "first" if order[name] % 2 == 0 else "second"
        parts = [Content.styled(f"{time:{long}} ", _STYLES["time"])] if long else []
        parts += [Content.styled(f"{name:{wide}}  ", _STYLES[side])] if wide else []
        wrapped = textwrap.wrap(_masked(turn.text, _LONGEST), max(width - hang, 10)) or [""]
        yield Content("").join([*parts, Content(wrapped[0])])
        yield from (Content(" " * hang + line) for line in wrapped[1:])


def _lines(preview: Preview, width: int) -> Iterator[Content]:
    for line in render(preview, width).lines:
        text = MASK.text(line.text)
        for part in textwrap.wrap(text, width, subsequent_indent=" " * min(line.hang, width // 2)) or [""]:
            yield Content(part)


def _short_lines(preview: Preview, width: int) -> Iterator[str]:
    if not isinstance(preview.body, Dialogue):
        yield from (_cut(MASK.text(line.text), width) for line in render(preview, width).lines if line.text.strip())
        return
    names = [_masked(turn.speaker, _WIDEST_SPEAKER) for turn in preview.body.turns]
    wide = max(map(cell_len, names), default=0)
    times = [clock(turn.start) if turn.start is not None else "" for turn in preview.body.turns]
    long = max(map(len, times), default=0)
    for turn, name, time in zip(preview.body.turns, names, times, strict=True):
        start = f"{f'{time:{long}} ' if long else ''}{f'{name:{wide}}  ' if wide else ''}"
        yield _cut(start + _masked(turn.text, _LONGEST), width)


def _masked(text: str, longest: int) -> str:
    return MASK.text(plain(text, longest))


def _cut(text: str, width: int) -> str:
    return plain(text, width - 1) if len(text) >= width else text
