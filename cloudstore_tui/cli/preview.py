"""`preview`: what is in an object, without fetching it whole."""

import shutil

import click

from cloudstore_tui.cli.options import json_option, timeout_option
from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.session import Session, run
from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.preview.document import document
from cloudstore_tui.preview.facts import facts_of
from cloudstore_tui.preview.preview import Listing, Look, Nothing, Waveform
from cloudstore_tui.preview.reading import HEAD, MOST_HEAD
from cloudstore_tui.ui import format as in_words

_WIDTH = 80
"""Cells of a waveform where there is no terminal."""


@click.command("preview", short_help="Show what is in an object without fetching it whole.")
@click.argument("path")
@click.option(
    "--bytes",
    "wanted",
    type=click.IntRange(1, MOST_HEAD),
    default=HEAD,
    show_default=True,
    help="Read so many bytes from its beginning.",
)
@json_option
@timeout_option()
def preview_command(path: str, *, wanted: int, as_json: bool, timeout: float) -> None:
    """Show the beginning of an object: text, JSON, tables, transcripts, archive members, facts and loudness of sound.

    Only a part of the object is fetched: its beginning, and of archives and recordings a few pieces more.

    \b
    Examples:
      cloudstore preview acme:exports/reporting/outreach/outreach-20240901.tar
      cloudstore preview acme8:us-east/58bc5748-339b-43c2-ad15-572a35dc3aad --bytes 1000
    """

    async def work(session: Session) -> None:
        # Deferred: libcurl, and the libraries for sound and images, are needed by this command alone.
        from cloudstore_tui.net.blob import BlobClient
        from cloudstore_tui.preview.look import look
        from cloudstore_tui.transfers.fetch import may_be_html
        from cloudstore_tui.transfers.peek import Peek

        provider, location = session.resolve(path)
        entry = await provider.stat(location)
        if not isinstance(entry, StoredObject):
            raise UsageError("it is a folder", subject=path, hint="List it: cloudstore ls.")
        blob = BlobClient(session.timeouts)
        try:
            html = may_be_html(entry.name, entry.mime)
            peek = Peek(lambda: blob, lambda: provider.source(location), html=html)
            seen = await look(peek.read, facts_of(entry), wanted)
        finally:
            await blob.close()
        if as_json:
            session.output.record(_record(entry, seen))
        else:
            _print(session.output, entry, seen)

    run(work, as_json=as_json, timeout=timeout)


def _print(output: Output, entry: StoredObject, look: Look) -> None:
    shown = document(look.preview, shutil.get_terminal_size((_WIDTH, 24)).columns)
    what = " · ".join(part for part in (entry.name, look.preview.format, look.preview.encoding, _amount(look)) if part)
    output.note(what)
    for number, line in enumerate(shown.lines):
        if number == shown.above and shown.head:
            output.line(shown.head)
        output.line(line.text)


def _amount(look: Look) -> str:
    if look.is_whole:
        return f"all {in_words.size(look.total)}"
    if isinstance(look.preview.body, Listing | Waveform | Nothing):
        return f"{in_words.size(look.fetched)} of {in_words.size(look.total)} read"
    return f"first {in_words.size(look.head)} of {in_words.size(look.total) or 'more'}"


def _record(entry: StoredObject, look: Look) -> dict[str, object]:
    preview = look.preview
    shown = document(preview, _WIDTH)
    record: dict[str, object] = {
        "path": entry.location.address,
        "name": entry.name,
        "format": preview.format,
        "encoding": preview.encoding,
        "size": look.total,
        "read": look.fetched,
        "whole": look.is_whole,
        "facts": dict(preview.facts),
        "notes": list(preview.notes),
        "head": shown.head,
        "lines": [line.text for line in shown.lines],
    }
    if isinstance(preview.body, Waveform):
        record |= {
            "seconds": preview.body.seconds,
            "loudness_db": [[round(level, 1) for level in channel] for channel in preview.body.channels],
        }
    return {name: value for name, value in record.items() if value not in ("", None)}
