"""Decides what an object is: by its content first, then by its name and type. Runs in the worker."""

import msgspec

from cloudstore_tui.preview.archive import archive_preview, is_archive, is_wrapping, unwrap
from cloudstore_tui.preview.document import document_preview, is_document, mail_preview
from cloudstore_tui.preview.image import image_preview, is_image
from cloudstore_tui.preview.model import MAX_HEX, Bytes, Nothing, Preview
from cloudstore_tui.preview.remote_file import NotFetchedError
from cloudstore_tui.preview.sample import Sample
from cloudstore_tui.preview.sound import hidden_sound, is_media, sound_preview
from cloudstore_tui.preview.structured import structured_preview
from cloudstore_tui.preview.table import csv_preview
from cloudstore_tui.preview.text import decode, text_preview
from cloudstore_tui.preview.transcript import transcript_preview

_MAX_DEPTH = 2
"""Wrappings that are opened, one in the other."""

_KNOWN = (
    (b"\x7fELF", "Linux program"), (b"\xd0\xcf\x11\xe0", "old Office document"), (b"MZ", "Windows program"),
    (b"%!PS", "PostScript document"), (b"OTTO", "font"), (b"wOFF", "font"), (b"wOF2", "font"),
)  # fmt: skip


def examine(sample: Sample) -> Preview:
    """What the object is, from its first bytes and from more that is fetched. Never fails."""
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
    found = _by_mark(sample)
    if found is not None:
        return found
    decoded = decode(sample.head)
    if decoded is not None:
        return (
            transcript_preview(decoded, sample)
            or structured_preview(decoded, sample)
            or mail_preview(decoded, sample)
            or csv_preview(decoded, sample)
            or text_preview(decoded, sample)
        )
    return hidden_sound(sample) or _bytes(sample)


def _by_mark(sample: Sample) -> Preview | None:
    """What the first bytes are the mark of."""
    head = sample.head
    if is_wrapping(head):
        return _unwrapped(sample)
    if is_archive(head):
        return archive_preview(sample)
    if is_document(head):
        return document_preview(sample)
    if is_image(head):
        return image_preview(sample)
    return sound_preview(sample) if is_media(head) and not _is_prose(head) else None


def _unwrapped(sample: Sample) -> Preview:
    if sample.depth >= _MAX_DEPTH:
        return _bytes(sample, "It is compressed more often than is opened here.")
    found = unwrap(sample)
    if not found.content:
        return _bytes(sample, found.note or "Nothing came out of its first bytes.")
    inner = examine(sample.inner(found.content, is_all=found.is_all))
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


def _is_prose(head: bytes) -> bool:
    """Whether bytes with the mark of a sound are a text that happens to begin with the same letters."""
    return b"\0" not in head[:512] and decode(head[:512]) is not None


def _bytes(sample: Sample, note: str = "") -> Preview:
    head = sample.head
    kind = next((name for mark, name in _KNOWN if head.startswith(mark)), "bytes")
    notes = [note] if note else []
    if len(head) > MAX_HEX:
        notes.append(f"Only the first {MAX_HEX:,} bytes are shown as numbers.")
    return Preview(kind, Bytes(head[:MAX_HEX]), notes=tuple(notes), is_partial=not sample.is_whole)
