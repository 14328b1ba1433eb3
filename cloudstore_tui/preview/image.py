"""Images: their size and kind, without a single point being decoded."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, UnidentifiedImageError

from cloudstore_tui.preview.preview import Nothing, Preview

_MARKS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM", b"II*\0", b"MM\0*", b"\0\0\1\0")
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "ICO")
_MODES = {
    "1": "black and white", "L": "grey", "P": "colours from a palette", "RGB": "colours",
    "RGBA": "colours, transparency", "CMYK": "colours for print", "LA": "grey, transparency", "I;16": "grey, 16 bits",
}  # fmt: skip

# Nothing is ever decoded, so a picture that would fill the memory does no harm, and no warning has to cover the screen.
Image.MAX_IMAGE_PIXELS = None


def is_image(head: bytes) -> bool:
    """Whether these bytes begin an image."""
    return head.startswith(_MARKS) or (head.startswith(b"RIFF") and head[8:12] == b"WEBP")


def image_preview(head: bytes) -> Preview | None:
    """Facts of an image; `None` if they are not in the first bytes."""
    try:
        with _quiet(), Image.open(io.BytesIO(head), formats=_FORMATS) as image:
            kind, (width, height), mode = image.format or "image", image.size, image.mode
            resolution, is_animated = image.info.get("dpi"), bool(getattr(image, "is_animated", False))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        return None
    facts = [("size", f"{width:,} × {height:,} points"), ("colours", _MODES.get(mode, mode))]
    if isinstance(resolution, tuple) and len(resolution) == 2:
        facts.append(("resolution", f"{float(resolution[0]):.0f} dpi"))
    if is_animated:
        facts.append(("animated", "yes"))
    return Preview(f"{kind} image", Nothing(), tuple(facts))


@contextmanager
def _quiet() -> Iterator[None]:
    """No warnings about damaged images: they would be written across the screen."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
