"""How many rows there are of each hour, day or month, and of each value of a column."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Sparkline, Static

from cloudstore_tui.ui.dialogs.dialog import Dialog, button
from cloudstore_tui.ui.text import plain

_EIGHTHS = " ▏▎▍▌▋▊▉"
_HEIGHTS = [(0, "-flat"), (20, "-high")]
_LABEL = 28
_GAP = "  "
_WIDTH = 60
"""Cells of a line before anything was drawn."""
_LEAST_DRAWN = 8
"""Bars from which on their line says more than they do."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a histogram."""

    label: str
    """What is counted; not yet safe to draw."""
    count: int
    condition: str = ""
    """A phrase that only these rows meet; empty where none is known."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """One way to count."""

    title: str
    bars: Callable[[], Awaitable[Sequence[Bar]]]
    over_time: bool = False
    """Whether the bars follow each other, so that a line of them says something."""


class HistogramDialog(Dialog[str | None]):
    """Shows one grouping at a time; answers with the condition of the bar that was chosen."""

    AUTO_FOCUS = "#bars"
    DEFAULT_CSS = """
    HistogramDialog {
        OptionList { height: 45vh; max-height: 45vh; }
        Sparkline { height: 3; margin-bottom: 1; display: none; }
        &.-high Sparkline.-shown { display: block; }
        .sparkline--max-color { color: $primary; }
        .sparkline--min-color { color: $primary; }
    }
    """
    VERTICAL_BREAKPOINTS = _HEIGHTS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l,tab", "turn_on", "Next grouping", tooltip="Count by the next column", id="histogram.next"),
        Binding("left,h,shift+tab", "turn(-1)", "Back", tooltip="Count by the one before", id="histogram.previous"),
        Binding("j", "move(1)", "Down", show=False, tooltip="Next bar", id="histogram.down"),
        Binding("k", "move(-1)", "Up", show=False, tooltip="Bar before", id="histogram.up"),
    ]

    def __init__(self, groupings: Sequence[Grouping], of: str, *, narrows: bool) -> None:
        """Take what can be counted, `of` which rows, and whether the query can be narrowed."""
        super().__init__("", harmless=None)
        self._groupings = tuple(groupings)
        self._of = of
        self._narrows = narrows
        self._at = 0
        self._bars: Sequence[Bar] = ()

    def compose_body(self) -> ComposeResult:
        """A drawing over time, and one line for each bar."""
        yield Sparkline()
        yield OptionList(id="bars", markup=False, compact=True)
        keys = "←/→ change grouping" + ("; Enter narrows the search." if self._narrows else ".")
        yield Static(f"{plain(self._of)}. {keys}", classes="dialog-note", markup=False)

    def compose_buttons(self) -> ComposeResult:
        """Close, then the deeds."""
        yield button("Close", "cancel")
        yield button("Next grouping", "turn_on")
        if self._narrows:
            yield button("Narrow", "narrow", enter=True)

    def on_mount(self) -> None:
        """Begin with the first grouping."""
        self.action_turn(0)

    def on_resize(self) -> None:
        """Let the bars fill another width."""
        super().on_resize()
        self.call_after_refresh(self._draw)

    @on(OptionList.OptionSelected)
    def take(self, event: OptionList.OptionSelected) -> None:
        """Enter narrows."""
        event.stop()
        self.action_narrow()

    def action_turn(self, step: int) -> None:
        """Count by the next column, or by the one before."""
        self._at = (self._at + step) % len(self._groupings)
        self.run_worker(self._count(self._groupings[self._at]), exclusive=True)

    def action_turn_on(self) -> None:
        """Count by the next column."""
        self.action_turn(1)

    def action_move(self, step: int) -> None:
        """Go to the next bar or the one before."""
        options = self.query_one(OptionList)
        if step > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def action_narrow(self) -> None:
        """Answer with the condition of the bar under the cursor."""
        highlighted = self.query_one(OptionList).highlighted
        if not self._narrows or self.was_pasted or highlighted is None or highlighted >= len(self._bars):
            return
        if self._bars[highlighted].condition:
            self.dismiss(self._bars[highlighted].condition)

    async def _count(self, grouping: Grouping) -> None:
        self.entitle(f"Rows by {plain(grouping.title)}")
        self._bars = await grouping.bars()
        drawing = self.query_one(Sparkline)
        drawing.set_class(grouping.over_time and len(self._bars) >= _LEAST_DRAWN, "-shown")
        # The lowest value is drawn as nothing: it has to be none, or a difference of one looks like all there is.
        drawing.data = [0, *(bar.count for bar in self._bars), 0]
        self._draw()
        self.query_one(OptionList).highlighted = 0

    def _draw(self) -> None:
        options = self.query_one(OptionList)
        at = options.highlighted
        # One column for the scroll bar, which comes where there are more lines than fit.
        width = options.container_size.width - 1 if options.container_size.width else _WIDTH
        options.clear_options()
        options.add_options(lines(self._bars, width) or [Content("There is nothing to count.")])
        options.highlighted = at


def lines(bars: Sequence[Bar], width: int) -> list[Content]:
    """Each bar as label, blocks and number, in lines of one width that the blocks fill."""
    most = max((bar.count for bar in bars), default=0)
    label = min(max((cell_len(_label(bar)) for bar in bars), default=0), _LABEL, width // 2)
    room = max(width - label - len(f"{most:,}") - 2 * len(_GAP), 1)
    return [
        Content(set_cell_size(_label(bar), label) + _GAP)
        + Content.styled(f"{_blocks(bar.count, most, room):{room}}", "$primary")
        + Content(f"{_GAP}{bar.count:>{len(f'{most:,}')},}")
        for bar in bars
    ]


def _label(bar: Bar) -> str:
    return plain(bar.label, _LABEL) or "(none)"


def _blocks(count: int, most: int, room: int) -> str:
    eighths = max(count * room * 8 // most, 1) if count else 0
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
