"""`preview`: what is in an object or a local file, without reading all of it."""

import os
import shlex
import shutil
from collections.abc import Container
from functools import partial
from pathlib import Path, PurePath
from typing import BinaryIO

from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.session import CommandSession
from cloudstore_tui.config.paths import user_path
from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.core.links import Piece, ReadPiece
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.preview.model import ObjectFacts, Preview, Table, Waveform
from cloudstore_tui.preview.render import how_much, render
from cloudstore_tui.ui import format as in_words

_WIDTH = 80
"""Columns without a terminal."""


async def preview_command(session: CommandSession, path: str, *, wanted: int, as_text: bool) -> None:
    """Show the beginning of an object."""
    is_local = _is_local(path, session.config.profiles)
    name, preview = await (_local(path, wanted) if is_local else _remote(session, path, wanted))
    if session.output.as_json:
        session.output.record(_record(path, name, preview))
    else:
        _print(session.output, name, preview, as_text=as_text)


def _is_local(path: str, profiles: Container[str]) -> bool:
    """Whether a local file is meant; a word without a colon may be a profile if there is no such file."""
    is_file = ":" not in path and (path not in profiles or Path(path).is_file())
    return is_file or path.startswith(("/", "./", "../", "~"))


async def _local(path: str, wanted: int) -> tuple[str, Preview]:
    """Preview a local file."""
    from cloudstore_tui.preview.runner import make_preview

    with _opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        facts = ObjectFacts(PurePath(path).name, size=size)
        return facts.name, await make_preview(_reader(file.fileno(), size), facts, wanted)


def _opened(path: str) -> BinaryIO:
    file = user_path(path)
    try:
        if file.is_dir():
            raise UsageError("is a folder", subject=path, hint="Name a file in it.")
        if not file.is_file():
            hint = "An object is written PROFILE:REST."
            raise UsageError("there is no such file on this machine", subject=path, hint=hint)
        return file.open("rb")
    except OSError as error:
        raise UsageError(f"it cannot be read: {error.strerror}", subject=path) from None


def _reader(number: int, size: int) -> ReadPiece:
    async def read(first: int, count: int) -> Piece:
        return Piece(os.pread(number, count, first), size)

    return read


async def _remote(session: CommandSession, path: str, wanted: int) -> tuple[str, Preview]:
    """Preview an object."""
    # Deferred: local files need no libcurl.
    from cloudstore_tui.net.blob import BlobClient
    from cloudstore_tui.preview.runner import facts_of, make_preview
    from cloudstore_tui.transfers.fetch import may_be_html
    from cloudstore_tui.transfers.range_reader import RangeReader

    provider, location = session.resolve(path)
    entry = await provider.stat(location)
    if not isinstance(entry, StoredObject):
        raise UsageError("it is a folder", subject=path, hint=f"List it: cloudstore ls {shlex.quote(path)}")
    blob = BlobClient(session.timeouts)
    try:
        html = may_be_html(entry.name, entry.mime)
        reader = RangeReader(lambda: blob, partial(provider.source, location), known=entry, html=html)
        return entry.name, await make_preview(reader.read, facts_of(entry), wanted)
    finally:
        await blob.close()


def _print(output: Output, name: str, preview: Preview, *, as_text: bool) -> None:
    shown = render(preview, shutil.get_terminal_size((_WIDTH, 24)).columns)
    if as_text:
        if isinstance(preview.body, Table):
            output.line(shown.head)
        for line in shown.lines[shown.above :]:
            output.line(line.text)
        return
    heading = (name, preview.format, preview.encoding, how_much(preview, in_words.size))
    output.note(" · ".join(filter(None, heading)))
    if shown.head and not shown.above:
        output.line(shown.head)
    for line in shown.lines:
        output.line(line.text)


def _record(path: str, name: str, preview: Preview) -> dict[str, object]:
    shown = render(preview, _WIDTH)
    record: dict[str, object] = {
        "path": path,
        "name": name,
        "format": preview.format,
        "encoding": preview.encoding,
        "size": preview.total,
        "read": preview.fetched,
        "whole": preview.is_whole,
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
