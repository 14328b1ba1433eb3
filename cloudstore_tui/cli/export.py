"""The forms in which `find` gives what it finds: text, JSON lines, CSV, Parquet."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from cloudstore_tui.cli.cells import FIELDS, USUAL, columns_of, row_of, text_of
from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.sink import Sink
from cloudstore_tui.core.csv_text import csv_row
from cloudstore_tui.core.entry import Entry
from cloudstore_tui.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class Form:
    """What the options ask for."""

    columns: str = ""
    as_csv: bool = False
    parquet: str = ""

    def sink(self, output: Output, provider: str) -> Sink:
        """Where entries of a provider go.

        Raises:
            UsageError: the options contradict each other, or a library is missing.
        """
        if output.as_json + self.as_csv + bool(self.parquet) > 1:
            raise UsageError("--json, --csv and --parquet exclude each other", hint="Leave out all but one.")
        names = columns_of(self.columns) if self.columns else ()
        if self.parquet:
            # Deferred: the library is large, and optional.
            from cloudstore_tui.cli.parquet import ParquetFile

            return ParquetFile(Path(self.parquet), names or USUAL, provider)
        if self.as_csv:
            return CsvLines(output, names or USUAL, provider)
        return _Columns(output, names, provider) if names else _Lines(output, provider)


def export_options(command: Callable[..., None]) -> Callable[..., None]:
    """`--columns`, `--csv` and `--parquet`, given to the command as one `form`."""

    @functools.wraps(command)
    def wrapped(*, columns: str, as_csv: bool, parquet: str, **others: Any) -> None:
        command(form=Form(columns, as_csv, parquet), **others)

    options = (
        click.option("--parquet", default="", metavar="FILE", help="Write a Parquet file; takes the extra `parquet`."),
        click.option("--csv", "as_csv", is_flag=True, help="Print CSV that spreadsheets may open."),
        click.option(
            "--columns", default="", metavar="a,b", help=f"Fields ({', '.join(FIELDS)}) and tags, in this order."
        ),
    )
    for option in options:
        wrapped = option(wrapped)
    return wrapped


class _Lines(Sink):
    """The usual rows, or JSON lines."""

    def __init__(self, output: Output, provider: str) -> None:
        self._output = output
        self._provider = provider

    def add(self, entry: Entry) -> None:
        self._output.entry(entry, self._provider)


class _Columns(Sink):
    """Chosen columns with tabs between them, or as JSON."""

    def __init__(self, output: Output, columns: tuple[str, ...], provider: str) -> None:
        self._output = output
        self._columns = columns
        self._provider = provider

    def add(self, entry: Entry) -> None:
        row = row_of(entry, self._provider, self._columns)
        if self._output.as_json:
            self._output.record(row)
        else:
            self._output.cells(text_of(row.get(name)) for name in self._columns)


class CsvLines(Sink):
    """CSV with a line of names above it."""

    def __init__(self, output: Output, columns: tuple[str, ...], provider: str) -> None:
        self._output = output
        self._columns = columns
        self._provider = provider

    def __enter__(self) -> "Sink":
        """The names come first, also where nothing is found."""
        self._output.data(csv_row(self._columns))
        return self

    def add(self, entry: Entry) -> None:
        """One more."""
        row = row_of(entry, self._provider, self._columns)
        self._output.data(csv_row(text_of(row.get(name)) for name in self._columns))
