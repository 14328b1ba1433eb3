"""Comma-separated values as a table."""

import csv
import io
from collections import Counter

from cloudstore_tui.preview.encoding import Decoded
from cloudstore_tui.preview.facts import Facts
from cloudstore_tui.preview.preview import Preview, Table

_NAMES = {",": "CSV", ";": "CSV with semicolons", "\t": "tab-separated values", "|": "CSV with bars"}
_TRIED = 40
"""Lines that tell what separates cells."""
MOST_ROWS = 100_000
MOST_COLUMNS = 200
_LONGEST_CELL = 2000


def csv_preview(decoded: Decoded, facts: Facts, *, whole: bool) -> Preview | None:
    """A table; `None` if the text is none. A row that is cut at the end is left out."""
    is_named = facts.extension in ("csv", "tsv") or facts.mime in ("text/csv", "text/tab-separated-values")
    text = decoded.text if whole else decoded.text[: decoded.text.rfind("\n") + 1]
    separator = _separator(text, is_named=is_named)
    if separator is None:
        return None
    try:
        rows = _rows(text, separator)
    except csv.Error:
        return None
    if not rows:
        return None
    notes = (f"Only the first {MOST_ROWS:,} rows are shown.",) if len(rows) > MOST_ROWS else ()
    return Preview(
        _NAMES[separator], Table(rows[0], tuple(rows[1 : MOST_ROWS + 1])), notes=notes, encoding=decoded.encoding
    )


def _separator(text: str, *, is_named: bool) -> str | None:
    """What separates cells: what gives most lines the same number of them."""
    lines = [line for line in text[:65_536].splitlines()[: _TRIED + 1] if line.strip()][:_TRIED]
    best, most = None, 1
    for separator in _NAMES:
        try:
            rows_of_cells = list(csv.reader(lines, delimiter=separator))
        except csv.Error:
            continue
        if not is_named and _is_prose(rows_of_cells):
            continue
        counts = Counter(map(len, rows_of_cells))
        cells, rows = counts.most_common(1)[0] if counts else (0, 0)
        fits = rows >= 0.8 * len(lines) and (is_named or (len(lines) >= 3 and cells >= 3))
        if cells > most and fits:
            best, most = separator, cells
    return best


def _is_prose(rows: list[list[str]]) -> bool:
    """Whether a blank follows many of the separators, as it does in sentences."""
    further = [cell for row in rows for cell in row[1:]]
    return sum(cell.startswith(" ") for cell in further) > 0.2 * len(further)


def _rows(text: str, separator: str) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
        if row:
            rows.append(tuple(cell[:_LONGEST_CELL] for cell in row[:MOST_COLUMNS]))
        if len(rows) > MOST_ROWS + 1:
            break
    return rows
