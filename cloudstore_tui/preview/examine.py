"""Decides what an object is: by its content first, then by its name and type. Runs in the worker."""

from collections.abc import Callable

import msgspec

from cloudstore_tui.preview import archive
from cloudstore_tui.preview.document import is_pdf, mail_preview, pdf_preview
from cloudstore_tui.preview.image import image_preview, is_image
from cloudstore_tui.preview.model import MAX_HEX, Bytes, Nothing, Preview
from cloudstore_tui.preview.remote_file import NotFetchedError
from cloudstore_tui.preview.sample import Sample
from cloudstore_tui.preview.sound import hidden_sound, is_media, sound_preview
from cloudstore_tui.preview.structured import structured_preview
from cloudstore_tui.preview.table import csv_preview, database_preview, is_database, is_parquet, parquet_preview
from cloudstore_tui.preview.text import DecodedText, decode, text_preview
from cloudstore_tui.preview.transcript import transcript_preview

_MAX_DEPTH = 2
"""Layers of compression that are removed."""

_OTHER_FORMATS = (
    (b"\x7fELF", "Linux program"), (b"\xd0\xcf\x11\xe0", "old Office document"), (b"MZ", "Windows program"),
    (b"%!PS", "PostScript document"), (b"OTTO", "font"), (b"wOFF", "font"), (b"wOF2", "font"),
)  # fmt: skip
"""Formats that are named, but not read."""


def examine(sample: Sample) -> Preview:
    """The preview of an object, from its first bytes and from more that is fetched. Never fails."""
    if not sample.head:
        return Preview("empty", Nothing(), notes=("There is nothing in it.",))
    try:
        found = _by_content(sample)
    except NotFetchedError as error:
        return _bytes(sample, str(error))
    except MemoryError:
        return _bytes(sample, "Reading its content takes more memory than a preview may use.")
    except Exception:  # noqa: BLE001 - libraries raise anything about bytes that somebody damaged
        return _bytes(sample, "It looks damaged: what it seems to be could not be read.")
    if found.is_sampled:
        return found
    return msgspec.structs.replace(found, is_partial=found.is_partial or not sample.is_whole)


def _by_content(sample: Sample) -> Preview:
    for recognizes, read in _BINARY_READERS:
        if recognizes(sample.head):
            # The first that recognizes its format decides; if that was a mistake, the object may still be text.
            found = read(sample)
            if found is not None:
                return found
            break
    decoded = decode(sample.head)
    if decoded is not None:
        for read_text in _TEXT_READERS:
            if (found := read_text(decoded, sample)) is not None:
                return found
    return hidden_sound(sample) or _bytes(sample)


def _decompressed(sample: Sample) -> Preview:
    if sample.depth >= _MAX_DEPTH:
        return _bytes(sample, "It is compressed in more layers than a preview removes.")
    found = archive.decompress_sample(sample)
    if not found.content:
        return _bytes(sample, found.note or "Its first bytes decompress to nothing.")
    inner = examine(sample.decompressed(found.content, is_all=found.is_all))
    packed = f"{found.kind}, {found.packed:,} bytes opened to {len(found.content):,}"
    notes = [*inner.notes, found.note]
    if not found.is_all and not found.note:
        notes.append("This is what the first bytes hold; m reads on.")
    return msgspec.structs.replace(
        inner,
        format=f"{inner.format} in {found.kind}",
        facts=(("packed", packed), *inner.facts),
        notes=tuple(filter(None, notes)),
        is_partial=not found.is_all,
    )


def _is_media(head: bytes) -> bool:
    """Whether bytes begin sound or a film, and are not a text that happens to begin with the same letters."""
    return is_media(head) and (b"\0" in head[:512] or decode(head[:512]) is None)


def _bytes(sample: Sample, note: str = "") -> Preview:
    head = sample.head
    kind = next((name for magic, name in _OTHER_FORMATS if head.startswith(magic)), "bytes")
    notes = [note] if note else []
    if len(head) > MAX_HEX:
        notes.append(f"Only the first {MAX_HEX:,} bytes are shown in hexadecimal.")
    return Preview(kind, Bytes(head[:MAX_HEX]), notes=tuple(notes), is_partial=not sample.is_whole)


_BINARY_READERS: tuple[tuple[Callable[[bytes], bool], Callable[[Sample], Preview | None]], ...] = (
    (archive.is_compressed, _decompressed),
    (archive.is_zip, archive.zip_preview),
    (archive.is_seven_zip, archive.seven_zip_preview),
    (archive.is_rar, archive.rar_preview),
    (archive.is_tar, archive.tar_preview),
    (is_pdf, pdf_preview),
    (is_database, database_preview),
    (is_parquet, parquet_preview),
    (is_image, image_preview),
    (_is_media, sound_preview),
)
"""What recognizes a format by its first bytes, and what reads it; `None` if it is something else after all."""

_TEXT_READERS: tuple[Callable[[DecodedText, Sample], Preview | None], ...] = (
    transcript_preview, structured_preview, mail_preview, csv_preview, text_preview,
)  # fmt: skip
"""The first that makes a preview of a text wins; the last takes any."""
