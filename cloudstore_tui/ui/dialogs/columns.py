"""Dialogs for the columns of a list: what to sort by, show and count by."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace
from rich.cells import cell_len, set_cell_size
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Sparkline, Static

from cloudstore_tui.core.models import Column
from cloudstore_tui.ui.dialogs.dialog import Dialog, DialogList
from cloudstore_tui.ui.format import blocks, direction_words
from cloudstore_tui.ui.text import plain, show
from cloudstore_tui.ui.widgets.fields import Note


class SortDialog(Dialog[tuple[Column, bool] | None]):
    """Asks for a column, and whether to sort in descending order."""

    AUTO_FOCUS = "#columns"
    BUTTONS: ClassVar[Mapping[str, str]] = {"cancel": "Cancel", "sort": "Sort"}
    ENTER = "sort"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r,space", "reverse", "Reverse", tooltip="Sort the other way round", id="sort.reverse"),
    ]

    def __init__(
        self, columns: Sequence[Column], current: tuple[str, bool] | None, rows: Callable[[Column], str]
    ) -> None:
        """`rows` says which rows a column would sort, if not all."""
        super().__init__("Sort by", harmless=None)
        self._columns = tuple(columns)
        self._current = current
        self._rows = rows
        self._descending = False

    def compose_body(self) -> ComposeResult:
        yield DialogList(*(show(column.title) for column in self._columns), widget_id="columns")
        yield Note(widget_id="order")

    def on_mount(self) -> None:
        names = [column.name for column in self._columns]
        name = self._current[0] if self._current else ""
        self.query_one(OptionList).highlighted = names.index(name) if name in names else 0 if names else None

    @on(OptionList.OptionHighlighted)
    def look_at_column(self, event: OptionList.OptionHighlighted) -> None:
        """Propose the usual direction of the column, or the reverse of the current order."""
        event.stop()
        column = self._columns[event.option_index]
        if self._current is not None and self._current[0] == column.name:
            self._descending = not self._current[1]
        else:
            self._descending = column.kind.is_measure
        self._show_order()

    def action_reverse(self) -> None:
        self._descending = not self._descending
        self._show_order()

    def action_sort(self) -> None:
        column = self._column()
        self.dismiss((column, self._descending) if column else None)

    def _column(self) -> Column | None:
        highlighted = self.query_one(OptionList).highlighted
        return None if highlighted is None else self._columns[highlighted]

    def _show_order(self) -> None:
        if (column := self._column()) is not None:
            direction, rows = direction_words(column.kind, descending=self._descending), self._rows(column)
            text = direction[:1].upper() + direction[1:]
            self.query_one("#order", Note).set_text(f"{text} ({rows})" if rows else text)


NARROWEST, WIDEST = 4, 80


class _Line(Struct):
    column: Column
    on: bool


class ColumnsDialog(Dialog[tuple[Column, ...] | None]):
    """Answers with the columns to show; an empty tuple means the usual ones."""

    AUTO_FOCUS = "#columns"
    BUTTONS: ClassVar[Mapping[str, str]] = {"cancel": "Cancel", "usual": "Reset", "accept": "Apply"}
    ENTER = "accept"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,x", "switch", "Show", tooltip="Show or hide this column", id="columns.switch"),
        Binding("J,shift+down", "shift(1)", "Later", tooltip="Move this column to the right", id="columns.later"),
        Binding("K,shift+up", "shift(-1)", "Earlier", tooltip="Move this column to the left", id="columns.earlier"),
        Binding("plus,greater_than_sign", "widen(2)", "Wider", tooltip="Make it wider", id="columns.wider"),
        Binding("minus,less_than_sign", "widen(-2)", "Narrower", tooltip="Make it narrower", id="columns.narrower"),
        Binding("r", "usual", "Usual", tooltip="Show the usual columns again", id="columns.usual"),
    ]

    def __init__(self, shown: Sequence[Column], others: Sequence[Column]) -> None:
        super().__init__("Columns", harmless=None)
        self._lines = [_Line(column, True) for column in shown] + [_Line(column, False) for column in others]

    def compose_body(self) -> ComposeResult:
        yield DialogList(*self._texts(), widget_id="columns")
        keys = "Space shows or hides; J and K move; + and - change the width."
        yield Static(keys, classes="dialog-note", markup=False)

    def on_mount(self) -> None:
        self._show(0)

    def action_switch(self) -> None:
        at = self._at
        self._lines[at].on = not self._lines[at].on
        self._show(min(at + 1, len(self._lines) - 1))

    def action_shift(self, step: int) -> None:
        at, to = self._at, self._at + step
        if 0 <= to < len(self._lines):
            self._lines[at], self._lines[to] = self._lines[to], self._lines[at]
            self._show(to)

    def action_widen(self, cells: int) -> None:
        line = self._lines[self._at]
        width = min(max(line.column.width + cells, NARROWEST), WIDEST)
        line.column = replace(line.column, width=width)
        self._show(self._at)

    def action_usual(self) -> None:
        self.dismiss(())

    def action_accept(self) -> None:
        shown = tuple(line.column for line in self._lines if line.on)
        self.dismiss(shown or None)

    @property
    def _at(self) -> int:
        return self.query_one(OptionList).highlighted or 0

    def _show(self, at: int) -> None:
        self.query_one(DialogList).show(self._texts(), at)

    def _texts(self) -> list[Content]:
        return [
            Content.assemble(f"[{'x' if line.on else ' '}] {line.column.width:>3}  ", show(line.column.title))
            for line in self._lines
        ]


_HISTOGRAM_HEIGHTS = [(0, "-flat"), (20, "-high")]
_LABEL = 28
_GAP = "  "
_WIDTH = 60
"""Cells of a line before the first layout."""
_MIN_DRAWN = 8
"""Bars from which a sparkline is shown as well."""


class Bar(Struct, frozen=True):
    """One line of a histogram."""

    label: str
    """The value that is counted; not yet safe to draw."""
    count: int
    condition: str = ""
    """A phrase that matches only these rows; empty if there is none."""


class Grouping(Struct, frozen=True):
    """One way to group rows."""

    title: str
    bars: Callable[[], Awaitable[Sequence[Bar]]]
    over_time: bool = False
    """Whether the bars are consecutive, so that a sparkline makes sense."""


class HistogramDialog(Dialog[str | None]):
    """Shows one grouping at a time; answers with the condition of the chosen bar."""

    AUTO_FOCUS = "#bars"
    ENTER = "narrow"
    DEFAULT_CSS = """
    HistogramDialog {
        OptionList { height: 45vh; max-height: 45vh; }
        /* A cursor in the colour of the bars would hide its bar. */
        #bars > .option-list--option-highlighted {
            background: $block-cursor-blurred-background; color: $block-cursor-blurred-foreground;
            text-style: bold;
        }
        &:ansi #bars > .option-list--option-highlighted, &:nocolor #bars > .option-list--option-highlighted {
            text-style: reverse;
        }
        Sparkline { height: 3; margin-bottom: 1; display: none; }
        &.-high Sparkline.-shown { display: block; }
        .sparkline--max-color { color: $primary; }
        .sparkline--min-color { color: $primary; }
    }
    """
    VERTICAL_BREAKPOINTS = _HISTOGRAM_HEIGHTS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l,tab", "turn_on", "Next grouping", tooltip="Next grouping", id="histogram.next"),
        Binding("left,h,shift+tab", "turn(-1)", "Back", tooltip="Previous grouping", id="histogram.previous"),
    ]

    def __init__(self, groupings: Sequence[Grouping], of: str, *, narrows: bool) -> None:
        """`of` describes the rows counted; `narrows` says whether a bar can narrow the search."""
        super().__init__("", harmless=None)
        self._groupings = tuple(groupings)
        self._of = of
        self._narrows = narrows
        self._at = 0
        self._bars: Sequence[Bar] = ()

    def compose_body(self) -> ComposeResult:
        yield Sparkline()
        yield DialogList(widget_id="bars")
        keys = "←/→ change grouping" + ("; Enter narrows the search." if self._narrows else ".")
        yield Static(f"{plain(self._of)}. {keys}", classes="dialog-note", markup=False)

    @property
    def buttons(self) -> Mapping[str, str]:
        narrow = {"narrow": "Narrow"} if self._narrows else {}
        return {"cancel": "Close", "turn_on": "Next grouping", **narrow}

    def on_mount(self) -> None:
        self.action_turn(0)

    def on_resize(self) -> None:
        super().on_resize()
        self.call_after_refresh(self._draw)

    def action_turn(self, step: int) -> None:
        self._at = (self._at + step) % len(self._groupings)
        self.run_worker(self._count(self._groupings[self._at]), exclusive=True)

    def action_turn_on(self) -> None:
        self.action_turn(1)

    def action_narrow(self) -> None:
        highlighted = self.query_one(OptionList).highlighted
        if self._narrows and highlighted is not None and (condition := self._bars[highlighted].condition):
            self.answer(condition)

    async def _count(self, grouping: Grouping) -> None:
        self.set_title(f"Rows by {plain(grouping.title)}")
        self._bars = await grouping.bars()
        drawing = self.query_one(Sparkline)
        drawing.set_class(grouping.over_time and len(self._bars) >= _MIN_DRAWN, "-shown")
        # A sparkline starts at its lowest value: add zeros so that it starts at zero.
        drawing.data = [0, *(bar.count for bar in self._bars), 0]
        self._draw()
        self.query_one(OptionList).highlighted = 0

    def _draw(self) -> None:
        options = self.query_one(DialogList)
        # Leave a cell for the scrollbar.
        width = options.container_size.width - 1 if options.container_size.width else _WIDTH
        options.show(histogram_lines(self._bars, width), options.highlighted, empty="There is nothing to count.")


def histogram_lines(bars: Sequence[Bar], width: int) -> list[Content]:
    """Each bar as label, blocks and number, in lines of equal width."""
    largest = max((bar.count for bar in bars), default=0)
    label = min(max((cell_len(_label(bar)) for bar in bars), default=0), _LABEL, width // 2)
    room = max(width - label - len(f"{largest:,}") - 2 * len(_GAP), 1)
    return [
        Content(set_cell_size(_label(bar), label) + _GAP)
        + Content.styled(f"{blocks(_eighths(bar.count, largest, room)):{room}}", "$primary")
        + Content(f"{_GAP}{bar.count:>{len(f'{largest:,}')},}")
        for bar in bars
    ]


def _label(bar: Bar) -> str:
    return plain(bar.label, _LABEL) or "(none)"


def _eighths(count: int, most: int, room: int) -> int:
    """The length of a bar in eighths of a cell; at least one if anything was counted."""
    return max(count * room * 8 // most, 1) if count else 0
