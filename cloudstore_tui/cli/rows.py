"""Rows of what was found: their columns, and the files that they are written into."""

import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from cloudstore_tui.cli.options import FIELDS
from cloudstore_tui.core.errors import ConflictError, LocalDiskError, UsageError
from cloudstore_tui.core.models import Entry, StoredObject
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.records import entry_record, iso, json_text

USUAL = ("region", "id", "type", "name", "size", "created", "state", "tags")
"""What an export has when nobody asks for columns."""


def columns_of(text: str) -> tuple[str, ...]:
    """The names in `a,b`.

    Raises:
        UsageError: a name is empty, or twice in it.
    """
    names = tuple(name.strip() for name in text.split(","))
    if not all(names) or len(set(names)) < len(names):
        hint = f"Write them like {','.join(USUAL[:5])},agentName."
        raise UsageError(
            "columns are different names with a comma between them", subject=f"--columns {text}", hint=hint
        )
    return names


def row_of(entry: Entry, profile: Profile, columns: tuple[str, ...]) -> dict[str, object]:
    """What an entry of a profile has in these columns; what is unknown is absent."""
    record = entry_record(entry, profile.provider) | {"path": entry.location.address}
    if profile.retention is not None and isinstance(entry, StoredObject):
        record["expires"] = iso(profile.retention.expires(entry)) or None
    tags = record.get("tags", {})
    assert isinstance(tags, dict)
    values = {name: record.get(name) if name in FIELDS else tags.get(name) for name in columns}
    return {name: value for name, value in values.items() if value is not None}


def text_of(value: object) -> str:
    """One value as text: times as ISO 8601 with zone, tags as JSON."""
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Mapping):
        return json_text(value, compact=True)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


class RowSink(ABC):
    """Takes entries one by one, inside a block; what was taken until an error is kept unless it says otherwise."""

    def __enter__(self) -> Self:
        return self

    def __exit__(  # noqa: B027 - most have nothing to finish
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish."""

    async def take(self, listing: AsyncIterator[Entry], limit: int | None) -> bool:
        """Add entries as they come; whether that ended at `limit`. What comes after it is not asked for."""
        taken = 0
        async for entry in listing:
            self.add(entry)
            taken += 1
            if taken == limit:
                return True
        return False

    @abstractmethod
    def add(self, entry: Entry) -> None:
        """One more."""


class NewFile:
    """A file that has its name once it is complete; nothing is left where it could not be finished.

    Its owner alone can read it: it tells who called whom.
    """

    def __init__(self, path: Path) -> None:
        """Refuse to write over what is there.

        Raises:
            ConflictError: there is such a file.
        """
        if os.path.lexists(path):
            raise self._taken(path)
        self._path = path

    def __enter__(self) -> BinaryIO:
        try:
            handle, part = tempfile.mkstemp(".part", ".cloudstore-", self._path.parent)
        except OSError as error:
            raise self._failed(error) from None
        self._part = Path(part)
        self._file = os.fdopen(handle, "wb")
        return self._file

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the file its name, or remove it after an error."""
        try:
            self._file.close()
            if kind is None:
                self._publish()
        except FileExistsError:
            raise self._taken(self._path) from None
        except OSError as failure:
            raise self._failed(failure) from None
        finally:
            self._part.unlink(missing_ok=True)
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            raise self._failed(error) from None

    def _publish(self) -> None:
        try:
            self._path.hardlink_to(self._part)
        except FileExistsError:
            raise
        except OSError:
            # A disk without hard links.
            self._part.replace(self._path)

    @staticmethod
    def _taken(path: Path) -> ConflictError:
        return ConflictError("there is such a file already", subject=str(path), hint="Name another, or remove it.")

    def _failed(self, error: OSError) -> LocalDiskError:
        what = (error.strerror or "unknown").lower()
        return LocalDiskError(f"the file cannot be written: {what}", subject=str(self._path))
