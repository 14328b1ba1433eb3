"""What a name template can ask of an object."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from cloudstore_tui.core.entry import StoredObject
from cloudstore_tui.fiql.fields import TAG_UNITS, TYPES, Unit

Text = Callable[[StoredObject, str], str]
"""Gives the text of a field of an object of a provider; empty if unknown."""
Moment = Callable[[StoredObject], datetime | None]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

TAGS = frozenset(tag for known in TYPES for tag in known.tags)
"""Tags that objects are known to have."""


def _attribute(name: str) -> Text:
    def value(entry: StoredObject, _provider: str) -> str:
        found = getattr(entry, name)
        return "" if found is None else str(found)

    return value


_PLAIN = ("region", "id", "name", "type", "mime", "size", "state", "checksum", "checksum_type", "bucket_id")

TEXTS: Mapping[str, Text] = {
    "profile": lambda entry, _provider: entry.location.profile,
    "provider": lambda _entry, provider: provider,
    "key": lambda entry, _provider: "" if entry.id else entry.location.path,
    **{name: _attribute(name) for name in _PLAIN},
}
"""Fields of the JSON contract that are texts or numbers."""


def _tag_moment(name: str) -> Moment:
    def moment(entry: StoredObject) -> datetime | None:
        text = entry.tag(name)
        # Longer numbers are no time that a calendar knows.
        if not (text.isascii() and text.isdigit() and len(text) <= 14):
            return None
        return _EPOCH + timedelta(milliseconds=int(text))

    return moment


def start_of(entry: StoredObject) -> datetime | None:
    """When the call began, as well as that is known."""
    return _tag_moment("startTime")(entry) or entry.created or entry.modified


TIMES: Mapping[str, Moment] = {
    "start": start_of,
    "created": lambda entry: entry.created,
    "modified": lambda entry: entry.modified,
    "updated": lambda entry: entry.updated,
    **{name: _tag_moment(name) for name, unit in TAG_UNITS.items() if unit is Unit.EPOCH_MS},
}
"""Fields and tags that are times."""

KNOWN = (*TIMES, *TEXTS, *sorted(TAGS - set(TIMES) - set(TEXTS)))
"""Every name a template may use; a tag that is called like a field is hidden by it."""
