"""Images: their format and size, without decoding a pixel."""

import struct

from cloudstore_tui.preview.media import Track, media_tracks
from cloudstore_tui.preview.model import Nothing, Preview
from cloudstore_tui.preview.remote_file import NotFetchedError
from cloudstore_tui.preview.sample import Sample

_MARKS = (
    (b"\x89PNG\r\n\x1a\n", "PNG"), (b"\xff\xd8\xff", "JPEG"), (b"GIF87a", "GIF"), (b"GIF89a", "GIF"), (b"BM", "BMP"),
    (b"II*\0", "TIFF"), (b"MM\0*", "TIFF"), (b"II+\0", "TIFF"), (b"MM\0+", "TIFF"), (b"\0\0\1\0", "ICO"),
    (b"8BPS", "Photoshop"), (b"\0\0\0\x0cJXL ", "JPEG XL"), (b"\0\0\0\x0cjP  ", "JPEG 2000"),
)  # fmt: skip
_BRANDS = {b"heic": "HEIC", b"heix": "HEIC", b"mif1": "HEIF", b"avif": "AVIF", b"avis": "AVIF"}
_BMP_HEADERS = (12, 40, 108, 124)
"""Lengths of the headers of bitmaps."""
MAX_PAGES = 1000


def is_image(head: bytes) -> bool:
    """Whether these bytes begin an image."""
    return bool(_kind(head))


def image_preview(sample: Sample) -> Preview:
    """Metadata of an image."""
    head = sample.head
    kind = _kind(head)
    facts: list[tuple[str, str]] = []
    notes: tuple[str, ...] = ()
    pages = ""
    size = _webp_size(head) or _icon_size(head) or _bmp_size(head)
    track: Track = {}
    if kind == "TIFF" and head[2:4] in (b"*\0", b"\0*"):
        size, pages = _tiff(sample)
    elif size is None:
        found, problem = media_tracks(sample)
        track = next((track for track in found if track.get("track_type") == "Image"), {})
        size = _size(track)
        notes = (problem,) if problem else ()
    if size is not None:
        facts.append(("size", f"{size[0]:,} × {size[1]:,} pixels"))
    elif not notes:
        notes = ("Its size is not in the part that was read; it may be cut or damaged.",)
    colours = " ".join(str(track[name]) for name in ("color_space", "chroma_subsampling") if track.get(name))
    if colours:
        facts.append(("colours", f"{colours}, {track.get('bit_depth', '?')} bits"))
    if track.get("density"):
        facts.append(("resolution", str(track["density"])))
    if pages:
        facts.append(("pages", pages))
    return Preview(f"{kind} image", Nothing(), tuple(facts), notes)


def _kind(head: bytes) -> str:
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WebP"
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "")
    kind = next((kind for mark, kind in _MARKS if head.startswith(mark)), "")
    # Two marks are so short that the rest of the header has to fit as well.
    if kind == "BMP":
        return kind if len(head) >= 26 and int.from_bytes(head[14:18], "little") in _BMP_HEADERS else ""
    return kind if kind != "ICO" or 0 < int.from_bytes(head[4:6], "little") < 256 else ""


def _size(track: Track) -> tuple[int, int] | None:
    width, height = track.get("width"), track.get("height")
    return (width, height) if isinstance(width, int) and isinstance(height, int) else None


def _webp_size(head: bytes) -> tuple[int, int] | None:
    """The size in the first chunk of a WebP, which is of one of three kinds. libmediainfo does not read it."""
    if not head.startswith(b"RIFF") or len(head) < 30:
        return None
    if head[12:16] == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", head, 26)
    return width & 0x3FFF, height & 0x3FFF


def _icon_size(head: bytes) -> tuple[int, int] | None:
    """The size of the largest image of an icon."""
    if not head.startswith(b"\0\0\1\0"):
        return None
    count = int.from_bytes(head[4:6], "little")
    sizes = [(head[at] or 256, head[at + 1] or 256) for at in range(6, min(6 + 16 * count, len(head) - 15), 16)]
    return max(sizes, default=None)


def _bmp_size(head: bytes) -> tuple[int, int] | None:
    if not head.startswith(b"BM") or head[14] == 12:
        return None
    width, height = struct.unpack_from("<ii", head, 18)
    return abs(width), abs(height)


def _tiff(sample: Sample) -> tuple[tuple[int, int] | None, str]:
    """Size of the first page of a TIFF, and the number of pages if there are several.

    Not by libmediainfo, which pages that form a circle hang.
    """
    order = "<" if sample.head.startswith(b"II") else ">"
    file, seen, size = sample.open(4096), set[int](), None
    (at,) = struct.unpack(f"{order}I", sample.head[4:8])
    try:
        while at and at not in seen and len(seen) < MAX_PAGES:
            seen.add(at)
            file.seek(at)
            (count,) = struct.unpack(f"{order}H", file.read(2))
            entries = file.read(12 * count)
            size = size or _tiff_size(entries, order)
            (at,) = struct.unpack(f"{order}I", file.read(4))
    except (struct.error, NotFetchedError):
        at = 0
    more = "more than " if at and at not in seen else ""
    return size, f"{more}{len(seen):,}" if len(seen) > 1 else ""


def _tiff_size(entries: bytes, order: str) -> tuple[int, int] | None:
    found: dict[int, int] = {}
    for at in range(0, len(entries) - 11, 12):
        tag, kind = struct.unpack_from(f"{order}HH", entries, at)
        found[tag] = struct.unpack_from(f"{order}{'H' if kind == 3 else 'I'}", entries, at + 8)[0]
    return (found[256], found[257]) if 256 in found and 257 in found else None
