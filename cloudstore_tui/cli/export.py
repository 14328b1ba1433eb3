"""The formats of `ls` and `find`: a table, JSON lines, CSV or Parquet, printed or in a file."""

import json
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from msgspec import Struct

from cloudstore_tui.cli.options import FIELDS, TIMES
from cloudstore_tui.cli.output import Output
from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.core.models import Entry, StoredObject
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.records import csv_row, entry_record, iso, json_text
from cloudstore_tui.core.text import plain
from cloudstore_tui.fiql.fields import KNOWN_FIELDS, nearest
from cloudstore_tui.fs.whole_file import new_file

DEFAULT_COLUMNS = ("region", "id", "type", "name", "size", "created", "state", "tags")
"""The default columns of an export."""


def columns_of(text: str) -> tuple[str, ...]:
    """The names in `a,b`.

    Raises:
        UsageError: a name is empty or repeated.
    """
    names = tuple(name.strip() for name in text.split(","))
    if not all(names) or len(set(names)) < len(names):
        hint = f"Write them like {','.join(DEFAULT_COLUMNS[:5])},agentName."
        raise UsageError("columns are different names, separated by commas", subject=f"--columns {text}", hint=hint)
    return names


def is_known(name: str) -> bool:
    """Whether this is a field, or a tag that the service documents."""
    return name in FIELDS or name in KNOWN_FIELDS


def note_unknown(output: Output, names: Iterable[str]) -> None:
    """Note which names look mistyped; other unknown names may be the user's own tags."""
    for name in names:
        if not is_known(name) and (near := nearest(name, {*FIELDS, *KNOWN_FIELDS})):
            output.note(f"Note: unknown field or tag {name}. Did you mean {near}?")


def row_of(entry: Entry, profile: Profile, columns: tuple[str, ...]) -> dict[str, object]:
    """The values of an entry in these columns; unknown ones are absent."""
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
    """Takes entries one by one, inside a block, and writes them into a new file, or without a path prints them.

    The file gets its name at the end of the block; after an error it is removed.
    """

    def __init__(self, columns: tuple[str, ...], profile: Profile, path: Path | None) -> None:
        self._columns = columns
        self._profile = profile
        self._file: AbstractContextManager[BinaryIO | None] = nullcontext() if path is None else new_file(path)

    @abstractmethod
    def __enter__(self) -> Self:
        """Open the file."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.__exit__(kind, error, trace)

    async def take(self, listing: AsyncIterator[Entry], limit: int | None) -> bool:
        """Add entries as they come, at most `limit`, without requesting more; whether the limit was reached."""
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


class Format(StrEnum):
    """How rows are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


_ENDINGS = {
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), Format.JSON),
    ".csv": Format.CSV,
    ".parquet": Format.PARQUET,
    **dict.fromkeys(("", ".txt", ".log", ".lst", ".list"), Format.TABLE),
}
"""The format that the ending of a file name stands for."""


class ExportOptions(Struct, frozen=True):
    """The options of an export."""

    columns: str = ""
    format: Format = Format.TABLE
    file: Path | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The chosen columns; empty for the default ones.

        Raises:
            UsageError: they are not a list of names.
        """
        return columns_of(self.columns) if self.columns else ()

    def sink(self, output: Output, profile: Profile) -> RowSink:
        """Where the entries of a profile are written.

        Raises:
            UsageError: the options contradict each other, or a library is missing.
            ConflictError: the file exists.
        """
        names = self.names
        note_unknown(output, names)
        if self.format is Format.PARQUET:
            if self.file is None:
                raise UsageError("Parquet is written into a file", subject="--format parquet", hint="Add -o FILE.")
            return ParquetFile(names or DEFAULT_COLUMNS, profile, self.file)
        return _LINES[self.format](output, names, profile, self.file)


def read_export_options(output: Output, columns: str, form: str | None, file: Path | None) -> ExportOptions:
    """Read `--columns`, `--format`, `-o` and `--json`; if JSON is printed, errors become JSON, too.

    Raises:
        UsageError: they exclude each other.
    """
    if output.as_json and form not in (None, Format.JSON):
        raise UsageError(f"--json and --format {form} exclude each other", hint="Leave one of them out.")
    named = Format.JSON if output.as_json else form
    chosen = Format(named) if named else _format_of(file) if file else Format.TABLE
    output.as_json = chosen is Format.JSON and file is None
    return ExportOptions(columns, chosen, file)


def _format_of(path: Path) -> Format:
    """The format for a file of this name.

    Raises:
        UsageError: the ending is unknown, or the name is that of a format.
    """
    if path.name in list(Format):
        raise UsageError("is a format, not a file", subject=f"-o {path}", hint=f"Write --format {path.name}.")
    if (ending := path.suffix.lower()) not in _ENDINGS:
        hint = "End the name with .csv, .json, .parquet or .txt, or choose the format with --format."
        raise UsageError(f"cannot write {ending} files", subject=f"-o {path}", hint=hint)
    return _ENDINGS[ending]


async def noting_absent(
    listing: AsyncIterator[Entry], names: Iterable[str], output: Output
) -> AsyncGenerator[Entry, None]:
    """The entries, and at the end a note about names that are neither known fields nor tags of any entry."""
    absent = {name for name in names if name and not is_known(name) and not nearest(name, {*FIELDS, *KNOWN_FIELDS})}
    rows = 0
    try:
        async for entry in listing:
            rows += 1
            if absent and isinstance(entry, StoredObject):
                absent.difference_update(key for key, _ in entry.tags)
            yield entry
    finally:
        if absent and rows:
            output.note(f"Note: none of these objects has {', '.join(sorted(absent))}.")


class _Lines(RowSink):
    """Entries as lines of text."""

    end = "\n"
    """The line ending in a file."""

    def __init__(self, output: Output, columns: tuple[str, ...], profile: Profile, path: Path | None) -> None:
        super().__init__(columns, profile, path)
        self._output = output
        self._write: Callable[[str], None] = output.data

    def __enter__(self) -> Self:
        if (file := self._file.__enter__()) is not None:
            self._write = partial(self._write_to, file)
        return self

    def _write_to(self, file: BinaryIO, text: str) -> None:
        file.write(f"{text}{self.end}".encode("utf-8", "replace"))

    def _cells(self, entry: Entry) -> list[str]:
        row = row_of(entry, self._profile, self._columns)
        return [text_of(row.get(name)) for name in self._columns]


class _Table(_Lines):
    """Rows for people, or chosen columns separated by tabs."""

    def add(self, entry: Entry) -> None:
        cells = self._cells(entry) if self._columns else [self._output.row(entry)]
        self._write("\t".join(plain(cell, len(cell)) for cell in cells))


class _JsonLines(_Lines):
    """The record of each entry, or chosen columns of it."""

    def add(self, entry: Entry) -> None:
        chosen = bool(self._columns)
        record = row_of(entry, self._profile, self._columns) if chosen else entry_record(entry, self._profile.provider)
        self._write(json.dumps(record, ensure_ascii=True))


class _CsvLines(_Lines):
    """CSV with a header line."""

    end = "\r\n"

    def __init__(self, output: Output, columns: tuple[str, ...], profile: Profile, path: Path | None) -> None:
        super().__init__(output, columns or DEFAULT_COLUMNS, profile, path)

    def __enter__(self) -> Self:
        """Write the header, even if nothing is found."""
        super().__enter__()
        self._write(csv_row(self._columns))
        return self

    def add(self, entry: Entry) -> None:
        self._write(csv_row(self._cells(entry)))


_LINES: dict[Format, type[_Lines]] = {Format.TABLE: _Table, Format.JSON: _JsonLines, Format.CSV: _CsvLines}


ROW_GROUP = 10_000
"""Rows of a Parquet file that are written together."""


class ParquetFile(RowSink):
    """A Parquet file, written in groups of rows."""

    def __init__(self, columns: tuple[str, ...], profile: Profile, path: Path) -> None:
        """Import the library.

        Raises:
            UsageError: the library is missing.
        """
        # Deferred: the library is large, and optional.
        try:
            import pyarrow
        except ImportError:
            raise UsageError(
                "writing Parquet takes the library pyarrow, which is not installed",
                subject="--format parquet",
                hint="Install it: uv tool install 'cloudstore-tui[parquet]', or pip install pyarrow.",
            ) from None
        super().__init__(columns, profile, path)
        known = {
            "size": pyarrow.int64(),
            "size_exact": pyarrow.bool_(),
            "tags": pyarrow.map_(pyarrow.string(), pyarrow.string()),
            **dict.fromkeys(TIMES, pyarrow.timestamp("ms", tz="UTC")),
        }
        self._schema = pyarrow.schema([(name, known.get(name, pyarrow.string())) for name in columns])
        self._new_table = pyarrow.Table.from_pylist
        self._rows: list[dict[str, object]] = []

    def __enter__(self) -> Self:
        from pyarrow import parquet

        self._writer: Any = parquet.ParquetWriter(self._file.__enter__(), self._schema, compression="zstd")
        return self

    def add(self, entry: Entry) -> None:
        row = row_of(entry, self._profile, self._columns)
        self._rows.append({name: _value(name, row.get(name)) for name in self._columns})
        if len(self._rows) >= ROW_GROUP:
            self._write()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._write()
            self._writer.close()
        except OSError as failure:
            kind, error, trace = type(failure), failure, failure.__traceback__
        super().__exit__(kind, error, trace)

    def _write(self) -> None:
        if self._rows:
            self._writer.write_table(self._new_table(self._rows, schema=self._schema))
        self._rows.clear()


def _value(name: str, value: object) -> object:
    """A value for Parquet: a time, a number, or text without lone surrogates."""
    if value is None or name in ("size", "size_exact"):
        return value
    if name in TIMES:
        return datetime.fromisoformat(str(value))
    if isinstance(value, dict):
        return [(_clean(key), _clean(text)) for key, text in value.items()]
    return _clean(str(value))


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
