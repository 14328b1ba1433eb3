"""Rows of CSV that say the same to every reader, and in which no spreadsheet finds a formula."""

import re
from collections.abc import Iterable

_NUMBER = r"(?:-[0-9]+(?:\.[0-9]+)?|\+[0-9]{7,15})"
_FORMULA = re.compile(
    rf"""
    # A spreadsheet may begin a cell behind each of these. A number, or a phone number, stays as it is where
    # every reader that begins a cell there ends it behind the number.
    (   ^       (?! {_NUMBER} [\r\n]* \Z )
    |   ;       (?! {_NUMBER} (?:[;\r\n]|\Z) )
    |   \t      (?! {_NUMBER} (?:[\t\r\n]|\Z) )
    |   [\r\n]  (?! {_NUMBER} (?:[\r\n]|\Z) )
    )
    (?=[\s"]*[=+\-@|%＝＋－＠])   # what a formula begins with, also in full width, also behind blanks and empty quotes
    """,  # noqa: RUF001 - these very characters begin a formula in East Asian spreadsheets
    re.VERBOSE,
)
_NEEDS_QUOTES = re.compile(r"""[",;\t\r\n\x00\v\f\x1c-\x1e\x85\u2028\u2029]|\A\s|\s\Z""")


def csv_row(cells: Iterable[str]) -> str:
    """One row without its line end: quoted where a reader could see a cell or row end, formulas disarmed."""
    return ",".join(_quoted(without_formula(cell)) for cell in cells)


def without_formula(text: str) -> str:
    """The text with a `'` before everything that a spreadsheet would run, wherever it may see a cell begin."""
    return _FORMULA.sub(r"\1'", text)


def _quoted(text: str) -> str:
    if not _NEEDS_QUOTES.search(text):
        return text
    return '"' + text.replace('"', '""') + '"'
