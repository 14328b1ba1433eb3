"""Local names of objects: by a template such as `{start:%Y/%m/%d}/{agentName}-{callId}`, or by the keys of the service.

A template can use a fixed list of fields and nothing else: no attribute, index, conversion or nested field. Only the
slashes of the template make folders; a value always stays within its path segment.
"""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from string import Formatter
from typing import TypeAlias

import msgspec

from cloudstore_tui.core.errors import ConfigError, UsageError
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.fiql.fields import TAG_UNITS, TYPES, Unit
from cloudstore_tui.fs.names import extension_of, fitting_extension, safe_name, with_extension

# Templates

UNKNOWN = "_"
"""Stands for an unknown value."""
MAX_SEGMENTS = 32

_DIRECTIVE = re.compile(r"%([YmdHMSyjVGuw%])")
_DEFAULT_TIME = "%Y-%m-%dT%H-%M-%S"


class _Literal(msgspec.Struct, frozen=True):
    text: str


class _Field(msgspec.Struct, frozen=True):
    name: str


class _Time(msgspec.Struct, frozen=True):
    name: str
    form: str
    """Without slashes, which separate segments."""


_Piece: TypeAlias = _Literal | _Field | _Time


class Template:
    """A valid template."""

    def __init__(self, text: str, zone: tzinfo) -> None:
        """Parse a template.

        Args:
            text: as the user wrote it.
            zone: the time zone for its times.

        Raises:
            UsageError: it is invalid; the message says where.
        """
        self.text = text
        self._zone = zone
        self._segments = tuple(_segments(text))

    def path(self, entry: StoredObject, provider: str) -> tuple[str, ...]:
        """Folders and file name of an object, each one harmless segment."""
        texts = ["".join(self._texts(segment, entry, provider)) for segment in self._segments]
        if not self._has_extension:
            texts[-1] = with_extension(texts[-1], fitting_extension(entry.name, entry.mime))
        return tuple(readable_segment(text) for text in texts)

    @property
    def _has_extension(self) -> bool:
        last = self._segments[-1][-1]
        return isinstance(last, _Literal) and bool(extension_of(f"x{last.text}"))

    def _texts(self, segment: tuple[_Piece, ...], entry: StoredObject, provider: str) -> Iterator[str]:
        for piece in segment:
            if isinstance(piece, _Literal):
                yield piece.text
            elif isinstance(piece, _Time):
                yield self._moment(TIME_FIELDS[piece.name](entry), piece.form)
            else:
                value = TEXT_FIELDS[piece.name](entry, provider) if piece.name in TEXT_FIELDS else entry.tag(piece.name)
                yield value.strip() or UNKNOWN

    def _moment(self, moment: datetime | None, form: str) -> str:
        if moment is None:
            return UNKNOWN
        try:
            return moment.astimezone(self._zone).strftime(form)
        except (OverflowError, ValueError):
            return UNKNOWN


def readable_segment(text: str) -> str:
    """A safe path segment in which a colon becomes a dash, which reads better than a code."""
    return safe_name(text.replace(":", "-"))


def _segments(text: str) -> Iterator[tuple[_Piece, ...]]:
    """The segments of a template, each with its pieces."""
    if not text:
        raise UsageError("the template for names is empty", hint="For example {start:%Y/%m/%d}/{name}.")
    segment: list[_Piece] = []
    count = 0
    for piece, position in _pieces(text):
        if piece is not None:
            segment.append(piece)
            continue
        yield _checked(segment, text, position)
        segment = []
        count += 1
        if count >= MAX_SEGMENTS:
            raise _refusal(text, position, f"more than {MAX_SEGMENTS} folders")
    yield _checked(segment, text, len(text))


def _checked(segment: list[_Piece], text: str, position: int) -> tuple[_Piece, ...]:
    if not segment:
        raise _refusal(text, position, "a folder or file without a name")
    literal = "".join(piece.text if isinstance(piece, _Literal) else "x" for piece in segment)
    if literal.strip(". ") == "":
        raise _refusal(text, position, f"{literal!r} is not a name for a folder or file")
    return tuple(segment)


def _pieces(text: str) -> Iterator[tuple[_Piece | None, int]]:
    """Pieces with their positions; `None` for a slash between two segments."""
    position = 0
    try:
        parsed = list(Formatter().parse(text))
    except ValueError as error:
        raise _refusal(text, _odd_brace(text), str(error).lower()) from None
    for literal, name, form, conversion in parsed:
        yield from _divided(literal, position)
        position += len(literal) + literal.count("{") + literal.count("}")
        if name is not None:
            yield from _field(text, position, name, form or "", conversion)
            position = text.index("}", position) + 1


def _divided(literal: str, position: int) -> Iterator[tuple[_Piece | None, int]]:
    for number, part in enumerate(literal.split("/")):
        if number:
            yield None, position - 1
        if part:
            yield _Literal(part), position
        position += len(part) + 1


def _field(
    text: str, position: int, name: str, form: str, conversion: str | None
) -> Iterator[tuple[_Piece | None, int]]:
    if fault := _fault(name, form, conversion):
        raise _refusal(text, position, *fault)
    if name not in TIME_FIELDS:
        yield _Field(name), position
        return
    for number, part in enumerate((form or _DEFAULT_TIME).split("/")):
        if number:
            yield None, position
        if part:
            yield (_Time(name, part) if "%" in part else _Literal(part)), position


def _fault(name: str, form: str, conversion: str | None) -> tuple[str, ...]:
    """What is wrong with a field, as a clause, and perhaps a hint; empty if it is valid."""
    if conversion or "{" in form or "}" in form:
        return ("a field is written {name} or {time:%Y-%m-%d} and in no other way",)
    if name not in FIELDS:
        return f"there is no field {name!r}" if name else "a field without a name", _nearest(name)
    if form and name not in TIME_FIELDS:
        return (f"{name} is not a time, so it takes no format",)
    if "%" in _DIRECTIVE.sub("", form):
        return (f"the format {form!r} uses more than %Y %m %d %H %M %S %y %j %G %V %u %w",)
    return ()


def _nearest(name: str) -> str:
    near = difflib.get_close_matches(name, FIELDS, 1)
    return f"Did you mean {near[0]}?" if near else f"Fields: {', '.join(FIELDS)}."


def _odd_brace(text: str) -> int:
    """The position of an unmatched brace."""
    inside, position = False, 0
    while position < len(text):
        mark = text[position]
        if mark in "{}" and text[position : position + 2] == mark * 2 and not inside:
            position += 2
            continue
        if (mark == "}" and not inside) or (mark == "{" and inside):
            return position
        inside = mark == "{" or (inside and mark != "}")
        position += 1
    return text.rfind("{")


def _refusal(text: str, position: int, what: str, hint: str = "") -> UsageError:
    return UsageError(f"at character {position + 1} of {text!r}: {what}", subject="--name", hint=hint)


# Fields

_Text = Callable[[StoredObject, str], str]
"""Returns the text of a field, given an object and the name of its provider; empty if unknown."""
_Moment = Callable[[StoredObject], datetime | None]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

KNOWN_TAGS = frozenset(tag for known in TYPES for tag in known.tags)
"""Tags that objects are known to have."""


def _attribute(name: str) -> _Text:
    def value(entry: StoredObject, _provider: str) -> str:
        found = getattr(entry, name)
        return "" if found is None else str(found)

    return value


_PLAIN = ("region", "id", "name", "type", "mime", "size", "state", "checksum", "checksum_type", "bucket_id")

TEXT_FIELDS: Mapping[str, _Text] = {
    "profile": lambda entry, _provider: entry.location.profile,
    "provider": lambda _entry, provider: provider,
    "key": lambda entry, _provider: "" if entry.id else entry.location.path,
    **{name: _attribute(name) for name in _PLAIN},
}
"""Fields of the JSON record that are texts or numbers."""


def _tag_moment(name: str) -> _Moment:
    def moment(entry: StoredObject) -> datetime | None:
        text = entry.tag(name)
        # A longer number is beyond the range of datetime.
        if not (text.isascii() and text.isdigit() and len(text) <= 14):
            return None
        return _EPOCH + timedelta(milliseconds=int(text))

    return moment


def start_of(entry: StoredObject) -> datetime | None:
    """When the call began, or else the earliest known time of the object."""
    return _tag_moment("startTime")(entry) or entry.created or entry.modified


TIME_FIELDS: Mapping[str, _Moment] = {
    "start": start_of,
    "created": lambda entry: entry.created,
    "modified": lambda entry: entry.modified,
    "updated": lambda entry: entry.updated,
    **{name: _tag_moment(name) for name, unit in TAG_UNITS.items() if unit is Unit.EPOCH_MS},
}
"""Fields and tags that are times."""

FIELDS = (*TIME_FIELDS, *TEXT_FIELDS, *sorted(KNOWN_TAGS - set(TIME_FIELDS) - set(TEXT_FIELDS)))
"""Every name that a template may use; a field hides a tag of the same name."""


# Names by key, and the folder of a call


class KeyNames:
    """Gives every object the path that its key has below the pulled folder."""

    def __init__(self, root: str) -> None:
        self._root = root

    def path(self, entry: StoredObject, _provider: str) -> tuple[str, ...]:
        """Folders and file name of an object, each one harmless segment."""
        key = entry.location.path.removeprefix(self._root)
        parts = [part for part in key.split("/") if part] or [entry.name]
        if len(parts) > MAX_SEGMENTS:
            parts = [*parts[: MAX_SEGMENTS - 1], "/".join(parts[MAX_SEGMENTS - 1 :])]
        return tuple(readable_segment(part) for part in parts)


class CallFolder:
    """Names the folder of a call by a template of the settings."""

    def __init__(self, text: str, zone: tzinfo) -> None:
        """Parse a template.

        Raises:
            ConfigError: it is invalid; the message says where.
        """
        text = text.rstrip("/")
        try:
            Template(text, zone)
        except UsageError as error:
            raise ConfigError(error.message, subject="call_folder under [settings]", hint=error.hint) from None
        # Otherwise the last folder would get the extension of a file.
        self._template = Template(f"{text}/{{name}}", zone)

    def path(self, representative: StoredObject, provider: str) -> Path:
        """The folder for the files of a call, below the folder for downloads; each segment is safe.

        Args:
            representative: an object with all tags of the call's objects.
            provider: the name of its service.
        """
        return Path(*self._template.path(representative, provider)[:-1])
