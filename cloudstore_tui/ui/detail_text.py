"""Everything known of one entry, as text for a pane."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo

from textual.content import Content

from cloudstore_tui.calls import SHARED
from cloudstore_tui.core.models import Entry, Folder, StoredObject
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.text import show

_LABEL_STYLE = "$text-muted"
_TAG_STYLE = "$text-accent"
_GAP = 2
_CALL = "press . for everything of this call"
_MOST_LABEL = 16
"""Cells of a label that values are aligned to; longer tag keys push theirs to the right."""
_LEAST_COLUMN = 40
"""Cells below which two fields do not stand side by side."""


@dataclass(frozen=True, slots=True)
class DetailField:
    """One thing known of an entry; both texts are as the service wrote them."""

    label: str
    value: str
    is_tag: bool = False


def fields_of(entry: Entry, zone: tzinfo) -> list[DetailField]:
    """What is known, most telling first; what the service did not tell is left out."""
    found = _folder_fields(entry, zone) if isinstance(entry, Folder) else _object_fields(entry, zone)
    return [field for field in found if field.value]


def detail_text(entry: Entry, zone: tzinfo, width: int) -> Content:
    """All fields in lines of at most `width` cells; short ones two in a line where there is room."""
    fields = fields_of(entry, zone)
    if not fields:
        return Content("")
    label_width = min(max(_cells(field.label) for field in fields), _MOST_LABEL)
    column = (width - _GAP) // 2
    lines: list[Content] = []
    left: Content | None = None
    for field in fields:
        text = _field_text(field, label_width)
        if column < _LEAST_COLUMN or text.cell_length > column:
            lines += [part for part in (left, _wrapped(text, label_width + _GAP, width)) if part is not None]
            left = None
        elif left is None:
            left = text
        else:
            lines.append(left.pad_right(column - left.cell_length + _GAP) + text)
            left = None
    return Content("\n").join(lines if left is None else [*lines, left])


def _folder_fields(folder: Folder, zone: tzinfo) -> Iterator[DetailField]:
    yield DetailField("Name", folder.name)
    yield DetailField("Address", folder.location.address)
    yield DetailField("Modified", words.full_time(folder.modified, zone))
    if folder.query is not None:
        yield DetailField("FIQL", folder.query.filter)


def _object_fields(entry: StoredObject, zone: tzinfo) -> Iterator[DetailField]:
    yield DetailField("Name", entry.name)
    yield DetailField("Address", entry.location.address)
    yield DetailField("Type", entry.type)
    yield DetailField("MIME type", entry.mime)
    yield DetailField("Size", _size(entry))
    yield DetailField("State", _state(entry.state))
    yield DetailField("Duration", words.duration(entry.duration))
    yield DetailField("Call", _CALL if any(entry.tag(key) for key in SHARED) else "")
    yield DetailField("Created", words.full_time(entry.created, zone))
    yield DetailField("Modified", words.full_time(entry.modified, zone))
    yield DetailField("Updated", words.full_time(entry.updated, zone))
    kind = f" ({entry.checksum_type})" if entry.checksum and entry.checksum_type else ""
    yield DetailField("Checksum", f"{entry.checksum}{kind}")
    yield DetailField("Bucket", entry.bucket_id)
    yield DetailField("User", entry.user_id)
    yield DetailField("Customer", entry.customer_id)
    for key, value in entry.tags:
        yield DetailField(key, value or "(empty)", is_tag=True)


def _size(entry: StoredObject) -> str:
    text = words.exact_size(entry.size, exact=entry.size_exact)
    return text if entry.size is None or entry.size_exact else f"{text}, rounded by the service"


def _state(word: str) -> str:
    shown = words.state(word)
    return shown if shown.lower() == word.lower() else f"{shown}: {word}"


def _field_text(field: DetailField, label_width: int) -> Content:
    label = show(field.label, _MOST_LABEL * 4).stylize(_TAG_STYLE if field.is_tag else _LABEL_STYLE)
    gap = max(label_width - label.cell_length, 0) + _GAP
    value = MASK.field(field.label, field.value) if field.is_tag else field.value
    return label + Content(" " * gap) + show(value)


def _wrapped(text: Content, indent: int, width: int) -> Content:
    """The text in lines of `width` cells, further ones indented to where values begin."""
    if text.cell_length <= width:
        return text
    room = max(width - indent, 8)
    first, rest = text.divide([_fitting(text.plain, max(width, 8))])[:2]
    lines = [first]
    while rest.plain:
        cut = _fitting(rest.plain, room)
        parts = rest.divide([cut]) if cut < len(rest.plain) else [rest, Content("")]
        lines.append(parts[0].pad_left(indent))
        rest = parts[1]
    return Content("\n").join(lines)


def _fitting(text: str, width: int) -> int:
    """How many characters of `text` fit into `width` cells; at least one."""
    used = 0
    for index, character in enumerate(text):
        used += _cells(character)
        if used > width:
            return max(index, 1)
    return len(text)


def _cells(text: str) -> int:
    return Content(text).cell_length
