"""The detail pane: who, when and how long, the other files of the call, and all fields of an entry."""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace
from rich.cells import cell_len
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.timer import Timer

from cloudstore_tui.calls import SHARED, title_of
from cloudstore_tui.core.models import Entry, Folder, Retention, StoredObject, identity
from cloudstore_tui.fiql.fields import Unit, unit_of
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.restore_text import ASKED
from cloudstore_tui.ui.text import fitting, show
from cloudstore_tui.ui.widgets.cursor_list import ScrolledText

_LABEL_STYLE = "$text-muted"
_HEAD_STYLE = "bold $text-muted"
_GAP = 2
_CALL = ". shows all its files"
_MAX_LABEL = 16
"""Cells of the column of labels; a longer label pushes its value to the right."""
_MIN_LABEL = 8
_TIME = len("2024-09-01 09:12:33 UTC")
_MIN_COLUMN = 40
"""Least cells of a column, for two fields in a line."""
_SHORT_LIST = 8
"""Fields shown in the preview."""
_MIN_HIDDEN = 3
"""Fields that are worth hiding: the line that counts them takes the place of one."""
_MIN_LARGE = 1_000_000
"""Bytes from which the size of another object of the call is shown."""
_FIRST = ("callId", "agentId", "userId", "extensionNumber", "branchId", "Checksum", "Address")
"""Fields that people look up most, shown first."""
_SHOWN_ABOVE = frozenset(
    {"agentName", "userName", "direction", "queueName", "duration", "address", "callerId", "calleeId"}
)
"""Tags whose values are in the first lines."""
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class DetailField(Struct, frozen=True):
    """A label and a value, not yet safe to draw."""

    label: str
    value: str
    is_tag: bool = False


class Subject(Struct, frozen=True):
    """An entry, and what is known about it without a request."""

    entry: Entry
    zone: tzinfo
    call: tuple[StoredObject, ...] = ()
    """The rows of its call that are loaded, including itself."""
    around: str = ""
    """Totals of the list that it is in."""
    head: str = ""
    """The beginning of its content; safe to draw."""
    title: str = ""
    """The heading of `head`."""
    retention: Retention | None = None
    """The policy that determines when it expires."""
    is_asked: bool = False
    """Whether its restore was requested."""

    @property
    def named(self) -> Entry:
        """The entry, or another one of its call if only that has the agent's name."""
        named = (one for one in (self.entry, *self.call) if isinstance(one, StoredObject) and _agent(one))
        return next(named, self.entry)


def preview(subject: Subject, width: int) -> Content:
    """Who, when and what, the call, and some fields, in lines of at most `width` cells."""
    beginning = [_cut(line, width) for line in subject.head.split("\n")]
    sections = [
        list(_opening(subject, width)),
        _this_call(subject, width),
        _headed("HERE", width, subject.around) if subject.around else [],
        [*_headed(subject.title, width), *beginning] if subject.head else [],
        _details(subject.entry, subject.zone, width),
    ]
    return Content("\n\n").join([Content("\n").join(lines) for lines in sections if lines])


def everything(subject: Subject, width: int) -> Content:
    """Who and when, then every field and every tag."""
    fields = detail_text(subject.entry, subject.zone, width)
    return Content("\n").join([*_opening(subject, width), Content(""), fields])


def two_lines(subject: Subject, width: int) -> Content:
    """Two lines for small screens: who and what, then the beginning of the content or what else is known."""
    others, (moment, direction) = _others(subject), _when(subject)
    name, other, queue = _parties(subject)
    who = f"{name} {other}".rstrip()
    first = _joined([part for part in (who, direction, queue, *_what(subject)) if part], width)[0]
    lines = [line for line in subject.head.split("\n") if line.strip()]
    text = next(iter(lines), "")
    # Join the lines of speech, and of JSON that begins with a lone bracket; lists stay lists.
    if subject.title == "TRANSCRIPT" or not any(map(str.isalnum, text)):
        text = " ".join(subject.head.split())
    call = f"This call: {', '.join(map(title_of, others))}" if others else ""
    second = text or call or subject.around or moment
    return first.stylize("bold", 0, len(who)) + "\n" + _cut(second, width)


def _opening(subject: Subject, width: int) -> Iterator[Content]:
    """Who, with whom, when and what: one line each, so that nothing below moves from one recording to the next."""
    name, *parties = _parties(subject)
    yield from show(name).stylize("bold").wrap(width)
    for parts in (parties, _when(subject), _what(subject)):
        if line := " · ".join(filter(None, parts)):
            yield _cut(line, width)
    entry = subject.entry
    if isinstance(entry, StoredObject) and not entry.is_available:
        how = "" if entry.state != "ARCHIVED" else f" {ASKED}" if subject.is_asked else " B restores it."
        yield from show(f"{words.state(entry.state).capitalize()}.{how}").stylize("$text-warning").wrap(width)
    if isinstance(entry, StoredObject) and subject.retention and (ends := subject.retention.expires(entry)):
        expiry = f"Expires {words.local(ends, subject.zone):%Y-%m-%d} by your policy"
        yield from show(expiry).stylize(_LABEL_STYLE).wrap(width)


def _parties(subject: Subject) -> tuple[str, str, str]:
    """`Khang Glynn`, `← +1 669 555 3203` and the queue; the name of the entry if no person or number is known."""
    named = subject.named
    if isinstance(named, Folder):
        return f"{named.name.rstrip('/')}/", "", ""
    agent, queue = MASK.field("agentName", _agent(named)), named.tag("queueName")
    key = next((key for key in ("address", "callerId") if named.tag(key)), "")
    number = phone(MASK.field(key, named.tag(key))) if key else ""
    if not (agent and number):
        return agent or number or subject.entry.name, "", queue
    arrow = {"INBOUND": "←", "OUTBOUND": "→"}.get(named.tag("direction").upper(), "·")
    return agent, f"{arrow} {number}", queue


def _when(subject: Subject) -> tuple[str, str]:
    """The day and time, and the direction of the call."""
    entry, named = subject.entry, subject.named
    moment = entry.modified if isinstance(entry, Folder) else entry.created or entry.modified
    direction = named.tag("direction").lower() if isinstance(named, StoredObject) else ""
    return _moment(moment, subject.zone), direction


def _what(subject: Subject) -> tuple[str, str, str]:
    """Length, size and kind."""
    entry = subject.entry
    if isinstance(entry, Folder):
        return "", "", "folder"
    title = title_of(entry) if entry.type else ""
    if title in ("", "Recording", "file"):
        title = entry.name.rpartition(".")[2].lower() if "." in entry.name[-6:] else entry.mime
    return words.duration(entry.duration), words.size(entry.size, exact=entry.size_exact), title


def _agent(entry: Entry) -> str:
    return (entry.tag("agentName") or entry.tag("userName")) if isinstance(entry, StoredObject) else ""


def _moment(moment: datetime | None, zone: tzinfo) -> str:
    if moment is None:
        return ""
    return f"{_DAYS[words.local(moment, zone).weekday()]} {words.day_and_time(moment, zone)}"


def phone(number: str) -> str:
    """A North American phone number with spaces; others as they are."""
    digits = number.removeprefix("+1")
    if number.startswith("+1") and len(digits) == 10 and digits.isdecimal():
        return f"+1 {digits[:3]} {digits[3:6]} {digits[6:]}"
    return number


def _others(subject: Subject) -> list[StoredObject]:
    here = identity(subject.entry)
    return [one for one in subject.call if identity(one) != here]


def _this_call(subject: Subject, width: int) -> list[Content]:
    others, entry = _others(subject), subject.entry
    if not others:
        shared = isinstance(entry, StoredObject) and any(entry.tag(key) for key in SHARED)
        return _headed("THIS CALL", width, _CALL) if shared else []
    total = f"{len(subject.call)} here · {words.total_size(subject.call) or 'unknown size'}"
    return _headed("THIS CALL", width, total) + _joined([_named(one) for one in others], width, "   ")


def _named(entry: StoredObject) -> str:
    large = entry.size is not None and entry.size >= _MIN_LARGE
    return f"{title_of(entry)} {words.size(entry.size, exact=entry.size_exact)}" if large else title_of(entry)


def _details(entry: Entry, zone: tzinfo, width: int) -> list[Content]:
    fields = [field for field in fields_of(entry, zone) if field.label not in _SHOWN_ABOVE]
    first = sorted((field for field in fields if field.label in _FIRST), key=lambda field: _FIRST.index(field.label))
    shown = (first + [field for field in fields if field.is_tag and field not in first])[:_SHORT_LIST]
    if len(fields) - len(shown) < _MIN_HIDDEN:
        shown += [field for field in fields if field not in shown]
    label_width = _label_width(shown, width)
    lines = [_field_text(field, label_width).truncate(width, ellipsis=True) for field in shown]
    left = len(fields) - len(shown)
    more = [_cut(f"… {counted(left, 'more field')}: i shows all", width).stylize(_LABEL_STYLE)] if left else []
    return [*_headed("DETAILS", width), *lines, *more] if shown else []


def _headed(title: str, width: int, right: str = "") -> list[Content]:
    head = Content.styled(title, _HEAD_STYLE)
    if not right:
        return [head]
    gap = width - cell_len(title) - cell_len(right)
    return [head + " " * gap + show(right)] if gap >= _GAP else [head, *show(right).wrap(width)]


def _joined(parts: Sequence[str], width: int, between: str = " · ") -> list[Content]:
    """Parts in lines, as many in each as fit."""
    lines: list[str] = []
    for part in parts:
        line = f"{lines[-1]}{between}{part}" if lines else part
        if lines and cell_len(line) <= width:
            lines[-1] = line
        else:
            lines.append(part)
    return [_cut(line, width) for line in lines]


def _cut(line: str, width: int) -> Content:
    return show(line).truncate(width, ellipsis=True)


# Everything


def fields_of(entry: Entry, zone: tzinfo) -> list[DetailField]:
    """All fields that have a value, the most important first."""
    found = _folder_fields(entry, zone) if isinstance(entry, Folder) else _object_fields(entry, zone)
    return [field for field in found if field.value]


def detail_text(entry: Entry, zone: tzinfo, width: int) -> Content:
    """All fields in lines of at most `width` cells; short ones two in a line where there is room."""
    fields = fields_of(entry, zone)
    if not fields:
        return Content("")
    label_width = _label_width(fields, width)
    column = (width - _GAP) // 2
    lines: list[Content] = []
    left: Content | None = None
    for field in fields:
        text = _field_text(field, label_width)
        if column < _MIN_COLUMN or text.cell_length > column:
            lines += [part for part in (left, _wrapped(text, label_width + _GAP, width)) if part is not None]
            left = None
        elif left is None:
            left = text
        else:
            lines.append(left.pad_right(column - left.cell_length + _GAP) + text)
            left = None
    return Content("\n").join(lines if left is None else [*lines, left])


def _label_width(fields: Iterable[DetailField], width: int) -> int:
    """Cells of the labels: as the longest one, but so few that a full time fits beside them."""
    most = min(max(width - _GAP - _TIME, _MIN_LABEL), _MAX_LABEL)
    return min(max((cell_len(field.label) for field in fields), default=0), most)


def _folder_fields(folder: Folder, zone: tzinfo) -> Iterator[DetailField]:
    yield DetailField("Name", folder.name)
    yield DetailField("Modified", words.full_time(folder.modified, zone))
    yield DetailField("Address", folder.location.address)
    if folder.query is not None:
        yield DetailField("FIQL", folder.query.filter)


def _object_fields(entry: StoredObject, zone: tzinfo) -> Iterator[DetailField]:
    yield DetailField("What", title_of(entry) if entry.type else "")
    yield DetailField("Size", _size(entry))
    yield DetailField("Duration", words.duration(entry.duration))
    yield DetailField("State", _state(entry.state))
    yield DetailField("Created", words.full_time(entry.created, zone))
    yield DetailField("Modified", words.full_time(entry.modified, zone))
    yield DetailField("Updated", words.full_time(entry.updated, zone))
    for key, value in entry.tags:
        yield DetailField(key, _value_text(entry, key, value, zone), is_tag=True)
    yield DetailField("Name", entry.name)
    yield DetailField("Type", entry.type)
    yield DetailField("MIME type", entry.mime)
    kind = f" ({entry.checksum_type})" if entry.checksum and entry.checksum_type else ""
    yield DetailField("Checksum", f"{entry.checksum}{kind}")
    yield DetailField("Bucket", entry.bucket_id)
    yield DetailField("User", entry.user_id)
    yield DetailField("Customer", entry.customer_id)
    yield DetailField("Address", entry.location.address)


def _value_text(entry: StoredObject, key: str, value: str, zone: tzinfo) -> str:
    """The value of a tag; times and durations whose unit is known also in readable form."""
    unit = unit_of(key, entry.type)
    is_number = value.isascii() and value.isdigit() and len(value) <= 14
    if is_number and unit is Unit.EPOCH_MS:
        return f"{words.full_time(_EPOCH + timedelta(milliseconds=int(value)), zone)} ({value})"
    if is_number and unit is Unit.MILLISECONDS:
        return f"{words.duration(int(value) / 1000)} ({value} ms)"
    return value or "(empty)"


def _size(entry: StoredObject) -> str:
    text = words.exact_size(entry.size, exact=entry.size_exact)
    return text if entry.size is None or entry.size_exact else f"{text}, rounded by the service"


def _state(word: str) -> str:
    shown = words.state(word)
    return shown if shown.lower() == word.lower() else f"{shown}: {word}"


def _field_text(field: DetailField, label_width: int) -> Content:
    label = show(field.label, _MAX_LABEL * 4).stylize(_LABEL_STYLE)
    gap = max(label_width - label.cell_length, 0) + _GAP
    value = MASK.field(field.label, field.value) if field.is_tag else field.value
    return label + Content(" " * gap) + show(value)


def _wrapped(text: Content, indent: int, width: int) -> Content:
    """The text in lines of `width` cells, broken at blanks if possible, with a hanging indent."""
    lines: list[Content] = []
    while text.plain:
        room, start = (max(width - indent, 8), 0) if lines else (max(width, 8), indent)
        end = fitting(text.plain, room)
        blank = text.plain.rfind(" ", start + 1, end + 1) if end < len(text.plain) else -1
        cut = blank if blank > 0 else end
        lines.append(text[:cut].pad_left(indent) if lines else text[:cut])
        text = text[cut + (blank > 0) :]
    return Content("\n").join(lines)


def totals(folders: int, files: int, size: int, *, exact: bool) -> str:
    """`7 folders · 31 files · 41.0 MB`."""
    parts = [counted(folders, "folder") if folders else "", counted(files, "file") if files else ""]
    return " · ".join(part for part in (*parts, words.size(size, exact=exact) if size else "") if part)


PAUSE = 0.15
"""Seconds that the cursor rests before the pane is drawn, so that a held key draws it once."""
REST = 1.0
"""Seconds that the cursor rests before content may be fetched for the pane."""
_FLAT = 3
"""Height up to which the pane shows only two lines."""


class DetailMode(StrEnum):
    """What the pane shows; the key i switches."""

    PREVIEW = "preview"
    FIELDS = "fields"
    NONE = "none"

    @property
    def next(self) -> "DetailMode":
        modes = list(DetailMode)
        return modes[(modes.index(self) + 1) % len(modes)]

    @property
    def panes(self) -> "tuple[DetailMode, ...]":
        """The parts that are visible in this mode."""
        return {"preview": (DetailMode.PREVIEW, DetailMode.FIELDS), "fields": (DetailMode.FIELDS,)}.get(self.value, ())

    @classmethod
    def of(cls, hidden: Container[str]) -> "DetailMode":
        """The mode in which these parts are hidden."""
        return next((mode for mode in (cls.PREVIEW, cls.FIELDS) if mode.value not in hidden), cls.NONE)


class DetailPane(ScrolledText):
    """Shows the preview of one entry, or all its fields."""

    DEFAULT_CSS = """
    DetailPane {
        padding: 0 0 0 1;
        border-top: solid $border-blurred; border-title-align: left; border-title-color: $foreground;
        &:focus { border-top: solid $border; border-title-color: $border; border-title-style: bold; }
    }
    """

    mode: reactive[DetailMode] = reactive(DetailMode.PREVIEW, init=False, repaint=False)

    class Rested(Message):
        """The cursor has rested on an entry, so that its content may be fetched."""

    def __init__(self, subject_of: Callable[[Entry, tzinfo], Subject], *, id: str | None = None) -> None:
        """`subject_of` collects what is known about an entry."""
        super().__init__(id=id)
        self._subject_of = subject_of
        self.border_title = "Preview"
        self.entry: Entry | None = None
        """The entry that is shown, or will be once the cursor rests."""
        self._zone: tzinfo = UTC
        self._pending: Timer | None = None
        self._resting: Timer | None = None
        self._head: tuple[str, str, str] = ("", "", "")
        """Identity of an entry, and the heading and lines of the beginning of its content."""

    def show(self, entry: Entry | None, zone: tzinfo) -> None:
        """Show an entry once the cursor rests."""
        if (entry, zone) == (self.entry, self._zone):
            return
        is_other = entry is None or self.entry is None or identity(entry) != identity(self.entry)
        self.entry, self._zone = entry, zone
        for timer in (self._pending, self._resting if is_other else None):
            if timer is not None:
                timer.stop()
        self._pending = self.set_timer(PAUSE, self._draw_from_top if is_other else self.draw)
        if is_other:
            self._resting = self.set_timer(REST, self._post_rested)

    def watch_mode(self, mode: DetailMode) -> None:
        self.border_title = "Details" if mode is DetailMode.FIELDS else "Preview"
        self.set_class(mode is DetailMode.NONE, "-off")
        self._draw_from_top()
        self._post_rested()

    def show_head(self, entry: Entry, title: str, head: str) -> None:
        """Show the beginning of the content of an entry, or of another one of its call, while the entry is shown."""
        self._head = (identity(entry), title, head)
        self.draw()

    def has_head(self, entry: Entry) -> bool:
        return self._head[0] == identity(entry)

    def on_resize(self) -> None:
        self.draw()

    @property
    def subject(self) -> Subject | None:
        if self.entry is None:
            return None
        subject = self._subject_of(self.entry, self._zone)
        _of, title, head = self._head
        return replace(subject, title=title, head=head) if self.has_head(self.entry) else subject

    def draw(self) -> None:
        if not self.is_mounted:
            return
        subject, height = self.subject, self.content_region.height
        # Leave room for the scrollbar in any case.
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

    def _post_rested(self) -> None:
        if self.entry is not None and self.mode is DetailMode.PREVIEW:
            self.post_message(self.Rested())
