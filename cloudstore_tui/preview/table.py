"""Tables: comma-separated values, Parquet, spreadsheets and SQLite databases."""

import csv
import io
import sqlite3
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import Any

from cloudstore_tui.preview.model import Nothing, Preview, Table
from cloudstore_tui.preview.sample import Sample
from cloudstore_tui.preview.text import DecodedText

MAX_ROWS = 100_000
MAX_COLUMNS = 200
_NAMES = {",": "CSV", ";": "CSV with semicolons", "\t": "tab-separated values", "|": "CSV with bars"}
_SAMPLE_ROWS = 40
"""Rows from which the separator is guessed."""
_LONGEST_CELL = 2000
_MAX_BINARY_ROWS = 500
"""Rows read of a Parquet file."""
_MAX_DATABASE_BYTES = 4 * 1024 * 1024
MAX_TABLES = 1000
MAX_SHEETS = 50
"""Sheets whose names are shown."""


def csv_preview(decoded: DecodedText, sample: Sample) -> Preview | None:
    """A table; `None` if the text is not one. A record that is cut off at the end is left out."""
    facts = sample.facts
    is_named = facts.extension in ("csv", "tsv") or facts.mime in ("text/csv", "text/tab-separated-values")
    text, declared = _declared_separator(decoded.text)
    is_named = is_named or bool(declared)
    separator = declared or _separator(text, is_named=is_named)
    if separator is None:
        return None
    rows = _records(text, separator, is_whole=sample.is_whole)
    if not rows:
        return None
    notes = [*decoded.notes]
    if len(rows) > MAX_ROWS + 1:
        notes.append(f"Only the first {MAX_ROWS:,} rows are shown.")
    table, further = _table(rows[0], rows[1 : MAX_ROWS + 1])
    return Preview(_NAMES[separator], table, notes=(*notes, *further), encoding=decoded.encoding)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[Table, tuple[str, ...]]:
    """A table of at most `MAX_COLUMNS`, and a note if some were left out."""
    width = max(map(len, (header, *rows)))
    cut = tuple(tuple(cell[:_LONGEST_CELL] for cell in row[:MAX_COLUMNS]) for row in (header, *rows))
    notes = (f"Only {MAX_COLUMNS} of {width:,} columns are shown.",) if width > MAX_COLUMNS else ()
    return Table(cut[0], cut[1:]), notes


def _declared_separator(text: str) -> tuple[str, str]:
    """The text after a first line such as `sep=;`, and the separator that it names."""
    first, line_end, _ = text[:32].partition("\n")
    declared = first.strip().lower().removeprefix("sep=")
    if line_end and first.lower().startswith("sep=") and declared in (*_NAMES, ""):
        return text[len(first) + 1 :], declared or "\t"
    return text, ""


def _separator(text: str, *, is_named: bool) -> str | None:
    """The separator with which most records have the same number of cells; `None` if there is none."""
    best, most = None, 1
    for separator in _NAMES:
        records = _records(text[:65_536], separator, _SAMPLE_ROWS, is_whole=len(text) <= 65_536)
        rows = [row for row in records if any(map(str.strip, row))]
        if not rows or (not is_named and _is_prose(rows, separator)):
            continue
        cells, count = Counter(map(len, rows)).most_common(1)[0]
        fits = count >= 0.8 * len(rows) and (is_named or (len(rows) >= 3 and cells >= 3))
        if cells > most and (fits or (is_named and len(rows[0]) >= 2)):
            best, most = separator, cells
    return best


def _is_prose(rows: list[list[str]], separator: str) -> bool:
    """Whether these are sentences or code: a space follows many separators, or many rows end like a statement."""
    further = [cell for row in rows for cell in row[1:]]
    if sum(cell.startswith(" ") for cell in further) > 0.2 * len(further):
        return True
    return separator != ";" and sum(row[-1].rstrip().endswith((";", "{", "}", ")")) for row in rows) > 0.5 * len(rows)


def _records(text: str, separator: str, most: int = MAX_ROWS + 2, *, is_whole: bool) -> list[list[str]]:
    """Records, with line breaks inside quotes; one that is cut off is left out."""
    rows: list[list[str]] = []
    lines = io.StringIO(text, newline="")
    try:
        rows.extend(islice(csv.reader(lines, delimiter=separator, strict=True), most))
    except csv.Error as error:
        if is_whole or "unexpected end" not in str(error):
            # Quotes inside cells, or one that is never closed: read as most programs do.
            return _lenient(text, separator, most)
    else:
        if rows and not is_whole and len(rows) < most and not text.endswith(("\n", "\r")):
            rows.pop()
    return [row for row in rows if row]


def _lenient(text: str, separator: str, most: int) -> list[list[str]]:
    try:
        return [row for row in islice(csv.reader(io.StringIO(text, newline=""), delimiter=separator), most) if row]
    except csv.Error:
        return []


def is_parquet(head: bytes) -> bool:
    """Whether these bytes begin a Parquet file."""
    return head.startswith(b"PAR1")


def parquet_preview(sample: Sample) -> Preview:
    """Columns with their types, and the first rows."""
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError:
        note = "To see its rows: pip install 'cloudstore-tui[parquet]'."
        return Preview("Parquet table", Nothing(), notes=(note,))
    file: Any = parquet.ParquetFile(arrow.PythonFile(sample.open(), mode="r"), memory_map=False)
    meta, schema = file.metadata, file.schema_arrow
    facts = (
        ("rows", f"{meta.num_rows:,}"),
        ("columns", f"{len(schema.names):,}"),
        ("row groups", f"{meta.num_row_groups:,}"),
        ("written by", str(meta.created_by)[:200]),
    )
    header = [f"{field.name} {field.type}" for field in schema]
    names = list(schema.names)[:MAX_COLUMNS]
    rows: list[tuple[str, ...]] = []
    notes: tuple[str, ...] = ()
    try:
        batch = next(file.iter_batches(_MAX_BINARY_ROWS, columns=names, use_threads=False), None)
        rows = [] if batch is None else list(zip(*(map(_cell, column.to_pylist()) for column in batch), strict=True))
    except OSError:
        notes = ("Its rows take more bytes than a preview reads.",)
    if len(rows) < meta.num_rows and not notes:
        notes = (f"The first {len(rows):,} rows are shown.",)
    table, further = _table(header, rows)
    return Preview("Parquet table", table, facts, (*notes, *further))


def spreadsheet_preview(sample: Sample, kind: str) -> Preview | None:
    """The first sheet, and the names of all; `None` if the library is not installed."""
    try:
        from python_calamine import CalamineWorkbook
    except ImportError:
        return None
    with CalamineWorkbook.from_filelike(sample.open()) as book:
        sheet = book.get_sheet_by_index(0)
        rows = [tuple(map(_cell, row)) for row in islice(sheet.iter_rows(), MAX_ROWS + 2)]
        names = book.sheet_names
    named = ", ".join([*names[:MAX_SHEETS], *(["…"] if len(names) > MAX_SHEETS else [])])
    facts = (("sheets", named), ("rows", f"{sheet.total_height:,}"))
    notes = (f"The first of {len(names)} sheets is shown.",) if len(names) > 1 else ()
    if len(rows) > MAX_ROWS + 1:
        notes = (*notes, f"Only the first {MAX_ROWS:,} rows are shown.")
    if not rows:
        return Preview(kind, Nothing(), facts, ("The first sheet is empty.",))
    table, further = _table(rows[0], rows[1 : MAX_ROWS + 1])
    return Preview(kind, table, facts, (*notes, *further))


def is_database(head: bytes) -> bool:
    """Whether these bytes begin a SQLite database."""
    return head.startswith(b"SQLite format 3\0")


def database_preview(sample: Sample) -> Preview:
    """The tables of a SQLite database, with their row counts and definitions."""
    if sample.size > _MAX_DATABASE_BYTES:
        note = f"Only databases of up to {_MAX_DATABASE_BYTES:,} bytes are read; d downloads it."
        return Preview("SQLite database", Nothing(), notes=(note,))
    connection = sqlite3.connect(":memory:")
    connection.deserialize(sample.open().read())
    found = connection.execute(
        "SELECT name, type, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
    ).fetchall()
    rows = [
        (str(name), str(kind), _row_count(connection, str(name)) if kind == "table" else "", _cell(sql))
        for name, kind, sql in found[:MAX_TABLES]
    ]
    tables = sum(kind == "table" for _, kind, _ in found)
    is_cut = len(found) > MAX_TABLES
    notes = (f"Only the first {MAX_TABLES:,} of {len(found):,} entries are shown.",) if is_cut else ()
    table, further = _table(("name", "kind", "rows", "definition"), rows)
    return Preview("SQLite database", table, (("tables", f"{tables:,}"),), (*notes, *further))


def _row_count(connection: sqlite3.Connection, name: str) -> str:
    quoted = name.replace('"', '""')
    try:
        (count,) = connection.execute('SELECT count(*) FROM "' + quoted + '"').fetchone()
        return f"{count:,}"
    except sqlite3.Error:
        return "?"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return " ".join(str(value)[:_LONGEST_CELL].split())
