"""The forms in which commands give what they find: a table, JSON lines, CSV or Parquet, printed or in a file."""

import functools
import json
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from msgspec import Struct

from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.rows import USUAL, NewFile, RowSink, columns_of, row_of, text_of
from cloudstore_tui.config.paths import user_path
from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.core.models import Entry
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.records import csv_row, entry_record
from cloudstore_tui.core.text import plain


class Format(StrEnum):
    """How rows are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


_ENDINGS = {".json": Format.JSON, ".jsonl": Format.JSON, ".csv": Format.CSV, ".parquet": Format.PARQUET}
"""What the name of a file says of its form."""


class Form(Struct, frozen=True):
    """What the options ask for."""

    columns: str = ""
    format: Format = Format.TABLE
    file: Path | None = None

    def sink(self, output: Output, profile: Profile) -> RowSink:
        """Where entries of a profile go.

        Raises:
            UsageError: the options do not fit each other, or a library is missing.
            ConflictError: there is such a file.
        """
        names = columns_of(self.columns) if self.columns else ()
        if self.format is Format.PARQUET:
            if self.file is None:
                raise UsageError("Parquet is written into a file", subject="--format parquet", hint="Add -o FILE.")
            # Deferred: the library is large, and optional.
            from cloudstore_tui.cli.parquet import ParquetFile

            return ParquetFile(self.file, names or USUAL, profile)
        lines = _LINES[self.format](output, names, profile)
        return lines if self.file is None else _FileOf(lines, self.file)


def form_given(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command what `--columns`, `--format`, `-o` and `--json` ask for as one `form`, and `as_json`."""

    @functools.wraps(command)
    def wrapped(*, columns: str, form: str | None, file: str, as_json: bool, **others: Any) -> None:
        if as_json and form not in (None, Format.JSON):
            raise UsageError(f"--json and --format {form} exclude each other", hint="Leave one of them out.")
        path = user_path(file) if file else None
        guessed = _ENDINGS.get(path.suffix.lower(), Format.TABLE) if path else Format.TABLE
        chosen = Format.JSON if as_json else Format(form or guessed)
        command(form=Form(columns, chosen, path), as_json=chosen is Format.JSON and path is None, **others)

    return wrapped


class Lines(RowSink):
    """Entries as lines of text, on standard output or wherever `write` is set to."""

    end = "\n"
    """What ends a line in a file."""

    def __init__(self, output: Output, columns: tuple[str, ...], profile: Profile) -> None:
        self.write: Callable[[str], None] = output.data
        self._output = output
        self._columns = columns
        self._profile = profile

    def _cells(self, entry: Entry) -> list[str]:
        row = row_of(entry, self._profile, self._columns)
        return [text_of(row.get(name)) for name in self._columns]


class _Table(Lines):
    """The usual rows, or chosen columns with a tab between each two."""

    def add(self, entry: Entry) -> None:
        cells = self._cells(entry) if self._columns else [self._output.row(entry)]
        self.write("\t".join(plain(cell, len(cell)) for cell in cells))


class _JsonLines(Lines):
    """The record of each entry, or chosen columns of it."""

    def add(self, entry: Entry) -> None:
        chosen = bool(self._columns)
        record = row_of(entry, self._profile, self._columns) if chosen else entry_record(entry, self._profile.provider)
        self.write(json.dumps(record, ensure_ascii=True))


class CsvLines(Lines):
    """CSV with a line of names above it."""

    end = "\r\n"

    def __init__(self, output: Output, columns: tuple[str, ...], profile: Profile) -> None:
        super().__init__(output, columns or USUAL, profile)

    def __enter__(self) -> Self:
        """The names come first, also where nothing is found."""
        self.write(csv_row(self._columns))
        return self

    def add(self, entry: Entry) -> None:
        """One more."""
        self.write(csv_row(self._cells(entry)))


_LINES: dict[Format, type[Lines]] = {Format.TABLE: _Table, Format.JSON: _JsonLines, Format.CSV: CsvLines}


class _FileOf(RowSink):
    """Lines that go into a new file."""

    def __init__(self, lines: Lines, path: Path) -> None:
        self._lines = lines
        self._file = NewFile(path)

    def __enter__(self) -> Self:
        file = self._file.__enter__()

        def write(text: str) -> None:
            file.write(f"{text}{self._lines.end}".encode("utf-8", "replace"))

        self._lines.write = write
        self._lines.__enter__()
        return self

    def add(self, entry: Entry) -> None:
        self._lines.add(entry)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.__exit__(kind, error, trace)
