"""What a command prints: entries and errors, as text for people or as JSON lines for programs."""

import errno
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

import click

from cloudstore_tui.cli.options import QUIET
from cloudstore_tui.core.errors import (
    FilterError,
    LocalDiskError,
    MissingError,
    StorageError,
    UsageError,
    common_code,
)
from cloudstore_tui.core.models import Entry, Folder
from cloudstore_tui.core.paging import Pager
from cloudstore_tui.core.text import plain
from cloudstore_tui.ui import format as in_words

Record = Mapping[str, object]


_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class Output:
    """Prints results to stdout and messages to stderr, and remembers what failed.

    With `as_json`, every result and every error is a line of JSON on stdout, in the order in which they occurred.
    """

    def __init__(self, *, as_json: bool, zone: ZoneInfo | None = None) -> None:
        self.as_json = as_json
        self.zone = zone or ZoneInfo("UTC")
        self.errors: list[StorageError] = []
        context = click.get_current_context(silent=True)
        self.quiet = context is not None and bool(context.meta.get(QUIET))
        """Whether to print only results and errors."""
        self.asks = sys.stdin.isatty() and sys.stderr.isatty()
        """Whether questions can be asked: there is a terminal."""
        self.signal_code = 0
        """The exit code of the signal that ends the command; 0 if none came."""
        self.if_failed = ""
        """A message for the end if anything failed or a signal came."""
        self.notes: list[str] = []
        """Messages that are not errors, for the report of a run."""
        self.asking = False
        """Whether the command is waiting for input."""
        self.clear_line: Callable[[], None] = lambda: None
        """Erases the progress line, if there is one, before a message is printed."""

    def record(self, record: Record) -> None:
        """One line of JSON."""
        _print(json.dumps(record, ensure_ascii=True))

    def line(self, text: str) -> None:
        """One line of text, without control characters and line breaks, even on a pipe, which may end at a terminal.

        JSON has names unchanged.
        """
        _print(plain(text, len(text)))

    def result(self, record: Record, line: str) -> None:
        """One result: its record with `as_json`, else its line."""
        if self.as_json:
            self.record(record)
        else:
            self.line(line)

    def planned(self, what: str, address: str, **more: object) -> None:
        """What a dry run would have done with an object."""
        if self.as_json:
            self.record({"path": address, "would": what} | more)
        else:
            size, is_exact = more.pop("size", None), more.pop("size_exact", True) is True
            shown = [in_words.size(size, exact=is_exact)] if isinstance(size, int) else []
            self.line("  ".join([f"would {what}", address, *map(str, more.values()), *shown]))

    def data(self, text: str) -> None:
        """Lines in a format for programs.

        Only tabs and line breaks are kept of all control characters, and only tabs on a terminal.
        """
        if sys.stdout.isatty():
            _print("\t".join(plain(cell, len(cell)) for cell in text.split("\t")))
        else:
            shown = _CONTROLS.sub(lambda found: plain(found[0]), text)
            _print(shown.encode("utf-8", "replace").decode())

    def note(self, text: str) -> None:
        """A message about the work, which is not a result; `-q` hides it."""
        self.notes.append(text)
        if not self.quiet:
            self.print_message(text)

    def print_message(self, text: str) -> None:
        """Print a message on standard error, even with `-q`. If standard error is closed, the work goes on."""
        with suppress(OSError):
            self.clear_line()
            for line in text.split("\n"):
                click.echo(plain(line), err=True)

    @contextmanager
    def reporting_failures_of(self, pager: Pager[Any]) -> Iterator[None]:
        """Report, after the block, what the pages that it read lacked."""
        try:
            yield
        finally:
            self.report_failures(pager.failures)

    def report_failures(self, failures: Iterable[StorageError]) -> None:
        """Report what a listing lacks; as any error, it decides the exit code."""
        for failure in failures:
            self.error(failure)

    def error(self, error: StorageError, path: str = "") -> None:
        """Report something that failed while the rest goes on; it decides the exit code."""
        error = error.about(path)
        self.errors.append(error)
        if self.as_json:
            self.record(error_record(error, path or error.subject))
        self.print_message(describe_error(error))

    def confirm(self, question: str, *, default: bool = False) -> bool:
        """Ask a yes-or-no question.

        Raises:
            click.Abort: the user interrupts.
        """
        with self.awaiting_input():
            return click.confirm(plain(question), err=True, default=default)

    def require_yes(self, question: str, unattended: UsageError) -> None:
        """Return only if the user says yes.

        Raises:
            UsageError: `unattended`, without a terminal.
            click.Abort: the user interrupts.
            click.exceptions.Exit: the answer is no.
        """
        if not self.asks:
            raise unattended
        if not self.confirm(question):
            refuse()

    def choose(self, question: str, ways: Sequence[str], default: str) -> str:
        """Ask for one of several answers.

        Raises:
            click.Abort: the user interrupts.
        """
        with self.awaiting_input():
            return str(click.prompt(plain(question), type=click.Choice(ways), default=default, err=True))

    def ask_text(self, question: str, default: str = "") -> str:
        """Ask for a text; the default if nothing is typed.

        Raises:
            click.Abort: the user interrupts.
        """
        shown = f"{question} [{default}]" if default else question
        with self.awaiting_input():
            return str(click.prompt(plain(shown), err=True, default=default, show_default=False)).strip()

    def ask_secret(self, question: str) -> str:
        """Ask for a text that is not shown while it is typed.

        Raises:
            click.Abort: the user interrupts.
        """
        with self.awaiting_input():
            return str(click.prompt(plain(question), err=True, default="", show_default=False, hide_input=True))

    @contextmanager
    def awaiting_input(self) -> Iterator[None]:
        """Read from stdin inside the block, which blocks the loop; a signal ends it at once.

        Raises:
            click.Abort: a signal came.
        """
        self.asking = True
        try:
            yield
        except KeyboardInterrupt:
            raise click.Abort from None
        finally:
            self.asking = False

    @property
    def code(self) -> int:
        """The exit code so far: 0, the code that all errors share, or 1."""
        return common_code(self.errors)

    def row(self, entry: Entry) -> str:
        """An entry as one line of a listing."""
        if isinstance(entry, Folder):
            name = entry.location.path or entry.location.address
            return f"{'':>10}  {'':16}  {name}"
        size = in_words.size(entry.size, exact=entry.size_exact)
        when = in_words.time(entry.created or entry.modified, self.zone)
        if not entry.id:
            return f"{size:>10}  {when:16}  {entry.location.path}"
        return f"{size:>10}  {when:16}  {entry.state:9}  {entry.location.address}  {entry.type}  {entry.name}"


def refuse() -> NoReturn:
    """End a command because the answer to its question was no.

    Raises:
        click.exceptions.Exit: always, with the code 1, unlike an interruption.
    """
    raise click.exceptions.Exit(1)


@contextmanager
def writing() -> Iterator[None]:
    """Write to stdout inside the block.

    Raises:
        BrokenPipeError: the reader has gone.
        LocalDiskError: it cannot be written.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno == errno.EIO:
            # The terminal was closed.
            raise BrokenPipeError from None
        message = f"the output cannot be written: {(error.strerror or 'unknown').lower()}"
        raise LocalDiskError(message, hint="Check where it goes.") from None


def show_progress(text: str) -> None:
    """Replace the progress line on stderr, cut to the width of the terminal; an empty text erases it."""
    # The terminal may have been closed; the work goes on.
    with suppress(OSError):
        sys.stderr.write(f"\r\x1b[K{text[: shutil.get_terminal_size().columns - 2]}")
        sys.stderr.flush()


def _print(text: str) -> None:
    with writing():
        click.echo(text)


def error_record(error: StorageError, path: str) -> dict[str, object]:
    """One error with the field names of the JSON contract."""
    return {"error": str(_explained(error)), "code": error.code, "retryable": error.retryable, "path": path}


def describe_error(error: StorageError) -> str:
    """An error as a sentence, and for a filter a second line that marks where it is wrong."""
    if isinstance(error, FilterError):
        return f"{error}\n  {error.text}\n  {' ' * error.position}^"
    return str(_explained(error))


def _explained(error: StorageError) -> StorageError:
    """The error, with a hint why nothing was found if the address shows it."""
    if not isinstance(error, MissingError):
        return error
    # Deferred: needed only when something is missing.
    from cloudstore_tui.cli.habits import where_else, why_missing

    hint = why_missing(error.subject) or ("" if error.hint else where_else(error.subject))
    return error.with_(hint=hint) if hint else error
