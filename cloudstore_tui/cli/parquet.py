"""A Parquet file of what was found."""

from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from cloudstore_tui.cli.options import FIELDS, TIMES
from cloudstore_tui.cli.rows import NewFile, RowSink, row_of
from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.core.models import Entry
from cloudstore_tui.core.profile import Profile

try:
    import pyarrow
    from pyarrow import parquet
except ImportError:
    raise UsageError(
        "writing Parquet takes the library pyarrow, which is not installed",
        subject="--format parquet",
        hint="Install it: uv tool install 'cloudstore-tui[parquet]', or pip install pyarrow.",
    ) from None

GROUP = 10_000
"""Rows kept in memory until they are written."""
_TYPES = {
    "size": pyarrow.int64(),
    "size_exact": pyarrow.bool_(),
    "tags": pyarrow.map_(pyarrow.string(), pyarrow.string()),
    **dict.fromkeys(TIMES, pyarrow.timestamp("ms", tz="UTC")),
}


class ParquetFile(RowSink):
    """Written in groups of rows."""

    def __init__(self, path: Path, columns: tuple[str, ...], profile: Profile) -> None:
        self._file = NewFile(path)
        self._columns = columns
        self._profile = profile
        self._schema = pyarrow.schema([(name, _type_of(name)) for name in columns])
        self._rows: list[dict[str, object]] = []

    def __enter__(self) -> Self:
        self._writer = parquet.ParquetWriter(self._file.__enter__(), self._schema, compression="zstd")
        return self

    def add(self, entry: Entry) -> None:
        """One more."""
        row = row_of(entry, self._profile, self._columns)
        self._rows.append({name: _value(name, row.get(name)) for name in self._columns})
        if len(self._rows) >= GROUP:
            self._write()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish the file; after an error there is none."""
        try:
            if kind is None:
                self._write()
            self._writer.close()
        except OSError as failure:
            kind, error, trace = type(failure), failure, failure.__traceback__
        self._file.__exit__(kind, error, trace)

    def _write(self) -> None:
        if self._rows:
            self._writer.write_table(pyarrow.Table.from_pylist(self._rows, schema=self._schema))
        self._rows.clear()


def _type_of(name: str) -> "pyarrow.DataType":
    return _TYPES.get(name, pyarrow.string())


def _value(name: str, value: object) -> object:
    if value is None:
        return None
    if name in TIMES:
        return datetime.fromisoformat(str(value))
    if name == "tags":
        assert isinstance(value, dict)
        return [(_clean(key), _clean(text)) for key, text in value.items()]
    return value if name in _TYPES and name in FIELDS else _clean(str(value))


def _clean(text: str) -> str:
    # Half a surrogate pair cannot be written as UTF-8.
    return text.encode("utf-8", "replace").decode()
