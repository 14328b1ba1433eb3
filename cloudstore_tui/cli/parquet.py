"""A Parquet file of what was found."""

import os
import tempfile
from datetime import datetime
from pathlib import Path
from types import TracebackType

from cloudstore_tui.cli.cells import FIELDS, TIMES, row_of
from cloudstore_tui.cli.sink import Sink
from cloudstore_tui.core.entry import Entry
from cloudstore_tui.core.errors import ConflictError, LocalDiskError, UsageError

try:
    import pyarrow
    from pyarrow import parquet
except ImportError:
    raise UsageError(
        "writing Parquet takes the library pyarrow, which is not installed",
        subject="--parquet",
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


class ParquetFile(Sink):
    """Has its name once it is complete; nothing is left where it could not be finished."""

    def __init__(self, path: Path, columns: tuple[str, ...], provider: str) -> None:
        """Refuse to write over what is there.

        Raises:
            ConflictError: there is such a file.
        """
        if path.exists():
            raise ConflictError("there is such a file already", subject=str(path), hint="Name another, or remove it.")
        self._path = path
        self._columns = columns
        self._provider = provider
        self._schema = pyarrow.schema([(name, _type_of(name)) for name in columns])
        self._rows: list[dict[str, object]] = []

    def __enter__(self) -> "ParquetFile":
        try:
            # Readable by nobody else: it tells who called whom.
            handle, part = tempfile.mkstemp(".part", ".cloudstore-", self._path.parent)
            self._part = Path(part)
            self._file = os.fdopen(handle, "wb")
            self._writer = parquet.ParquetWriter(self._file, self._schema, compression="zstd")
        except OSError as error:
            raise self._failed(error) from None
        return self

    def add(self, entry: Entry) -> None:
        """One more."""
        row = row_of(entry, self._provider, self._columns)
        self._rows.append({name: _value(name, row.get(name)) for name in self._columns})
        if len(self._rows) >= GROUP:
            self._write()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the file its name, or remove it after an error."""
        try:
            if kind is None:
                self._write()
            self._writer.close()
            self._file.close()
            if kind is None:
                _publish(self._part, self._path)
        except OSError as failure:
            raise self._failed(failure) from None
        finally:
            self._part.unlink(missing_ok=True)

    def _write(self) -> None:
        try:
            if self._rows:
                self._writer.write_table(pyarrow.Table.from_pylist(self._rows, schema=self._schema))
        except OSError as error:
            raise self._failed(error) from None
        self._rows.clear()

    def _failed(self, error: OSError) -> LocalDiskError:
        return LocalDiskError(
            f"the file cannot be written: {(error.strerror or 'unknown').lower()}", subject=str(self._path)
        )


def _publish(part: Path, path: Path) -> None:
    """Give a finished file its name, which is nobody else's meanwhile."""
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:
        # A disk without hard links.
        part.replace(path)


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
