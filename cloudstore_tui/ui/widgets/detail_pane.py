"""A look at the entry under the cursor, beside the list or in two lines below it."""

from collections.abc import Callable, Container, Sequence
from datetime import UTC, tzinfo
from enum import StrEnum

from textual.content import Content
from textual.timer import Timer

from cloudstore_tui.core.models import Entry, Retention, StoredObject, identity
from cloudstore_tui.ui.detail_text import Subject, everything, preview, two_lines
from cloudstore_tui.ui.widgets.scrolled_text import ScrolledText

PAUSE = 0.15
"""Seconds without a further step of the cursor before the pane is drawn: a held key draws it once."""
REST = 1.0
"""Seconds without a further step of the cursor after which something may be fetched for the pane."""
_FLAT = 3
"""Lines up to which the pane holds two lines and nothing else."""


class DetailMode(StrEnum):
    """What the pane shows."""

    PREVIEW = "preview"
    FIELDS = "fields"
    NONE = "none"

    @property
    def next(self) -> "DetailMode":
        """What comes after it."""
        modes = list(DetailMode)
        return modes[(modes.index(self) + 1) % len(modes)]

    @property
    def panes(self) -> "tuple[DetailMode, ...]":
        """What is not hidden then."""
        return {"preview": (DetailMode.PREVIEW, DetailMode.FIELDS), "fields": (DetailMode.FIELDS,)}.get(self.value, ())

    @classmethod
    def of(cls, hidden: Container[str]) -> "DetailMode":
        """The mode in which these are hidden."""
        return next((mode for mode in (cls.PREVIEW, cls.FIELDS) if mode.value not in hidden), cls.NONE)


class DetailPane(ScrolledText):
    """Says who, when and what of one entry, or shows all its fields."""

    DEFAULT_CSS = """
    DetailPane {
        background: $surface; padding: 0 0 0 1;
        border-top: solid $border-blurred; border-title-align: left; border-title-color: $foreground;
        &:focus { border-top: solid $border; border-title-color: $border; border-title-style: bold; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.border_title = "Preview"
        self.entry: Entry | None = None
        """What is shown, or will be as soon as the cursor rests."""
        self.mode = DetailMode.PREVIEW
        """What is shown of it; set by `show_mode`."""
        self.of_call: Callable[[Entry], Sequence[Entry]] = lambda _entry: ()
        """Finds the rows of the same call, without asking a service."""
        self.around: Callable[[], str] = lambda: ""
        """Says what the folder holds that is shown."""
        self.retention: Callable[[Entry], Retention | None] = lambda _entry: None
        """The policy by which it is told until when an entry is kept."""
        self.rested: Callable[[], object] | None = None
        """Called whenever the cursor has rested on an entry for a while."""
        self._zone: tzinfo = UTC
        self._pending: Timer | None = None
        self._resting: Timer | None = None
        self._head: tuple[str, str, str] = ("", "", "")
        """Which entry the beginning of a content is of, what it is, and its lines."""

    def show(self, entry: Entry | None, zone: tzinfo) -> None:
        """Show an entry as soon as the cursor rests."""
        if (entry, zone) == (self.entry, self._zone):
            return
        is_other = entry is None or self.entry is None or identity(entry) != identity(self.entry)
        self.entry, self._zone = entry, zone
        for timer in (self._pending, self._resting if is_other else None):
            if timer is not None:
                timer.stop()
        self._pending = self.set_timer(PAUSE, self._draw_from_top if is_other else self.draw)
        if is_other:
            self._resting = self.set_timer(REST, self._rest)

    def show_mode(self, mode: DetailMode) -> None:
        """Show the preview, all fields, or nothing."""
        self.mode = mode
        self.border_title = "Details" if mode is DetailMode.FIELDS else "Preview"
        self.set_class(mode is DetailMode.NONE, "-off")
        self._draw_from_top()
        self._rest()

    def show_head(self, entry: Entry, title: str, head: str) -> None:
        """Show what the content of an entry, or of one of its call, begins with, as long as that entry is shown."""
        self._head = (identity(entry), title, head)
        self.draw()

    def has_head(self, entry: Entry) -> bool:
        """Whether the beginning of its content is here."""
        return self._head[0] == identity(entry)

    def remask(self) -> None:
        """Make the text again: the mask was turned."""
        self.draw()

    def on_resize(self) -> None:
        """Set the text anew for the room there is."""
        self.draw()

    @property
    def subject(self) -> Subject | None:
        """What there is to say of the entry."""
        entry = self.entry
        if entry is None:
            return None
        _of, title, head = self._head if self.has_head(entry) else ("", "", "")
        call = tuple(one for one in self.of_call(entry) if isinstance(one, StoredObject))
        return Subject(entry, self._zone, call, self.around(), head, title, self.retention(entry))

    def draw(self) -> None:
        """Make the text for the room there is."""
        if not self.is_mounted:
            return
        subject, height = self.subject, self.content_region.height
        # Always as wide as beside a scrollbar, whether it is there yet or not.
        width = max(self.content_region.width - 1, 20)
        if subject is None or self.mode is DetailMode.NONE:
            text = Content("")
        elif height and height <= _FLAT:
            text = two_lines(subject, width)
        else:
            text = everything(subject, width) if self.mode is DetailMode.FIELDS else preview(subject, width)
        self.text.update(text)

    def _draw_from_top(self) -> None:
        self.scroll_to(y=0, animate=False, force=True)
        self.draw()

    def _rest(self) -> None:
        if self.rested is not None and self.entry is not None and self.mode is DetailMode.PREVIEW:
            self.rested()
