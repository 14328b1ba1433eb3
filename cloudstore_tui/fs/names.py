"""Local file names for remote names: one path segment each, safe on every system, different for different names."""

import hashlib
import re
import unicodedata

LONGEST = 180
"""Bytes; below the 255 that file systems allow, so that suffixes still fit."""

_LONGEST_EXTENSION = 16
_ENCODED = frozenset('<>:"/\\|?*%')
_LOOK_ALIKES = frozenset("\u2024\u2025\uff0e\u2215\uff0f\u2044\u29f5\u29f8\uff3c\ufe68\ufe52")
"""Characters that look like dots and slashes."""
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_DEVICES = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
    | {f"{stem}{digit}" for stem in ("COM", "LPT") for digit in "0123456789¹²³"}
)
_HARMLESS = re.compile(r"[ !#$&-)+-.0-9;=@-\[\]-{}~]*")
"""ASCII characters that are never encoded; nearly all names consist of them."""
_CUT = re.compile(r"~[0-9a-f]{8}(\.[^.]*)?$")
_PLAIN_ID = re.compile(r"[0-9A-Za-z-]{8,}")

_SANE_EXTENSION = re.compile(r"(?:\.tar)?\.(?=[0-9]*[A-Za-z])[A-Za-z0-9]{1,12}")
_BY_MIME = {
    "audio/mpeg": ".mp3",
    "audio/mp3": ".mp3",
    "audio/wav": ".wav",
    "audio/x-wav": ".wav",
    "audio/ogg": ".ogg",
    "video/mp4": ".mp4",
    "video/webm": ".webm",
    "application/json": ".json",
    "application/zip": ".zip",
    "application/pdf": ".pdf",
    "application/xml": ".xml",
    "text/xml": ".xml",
    "text/csv": ".csv",
    "text/html": ".html",
    "text/plain": ".txt",
}
"""Our own table, since those of operating systems differ."""


def safe_name(segment: str) -> str:
    """A remote name as one local path segment.

    Characters that have a meaning on some system, are invisible, or look like a dot or slash become `%XX`.
    The same name gives the same result everywhere; different names (in Unicode's composed form) give different ones.
    At most `LONGEST` bytes: longer names are cut and carry a digest of the whole.
    """
    name = unicodedata.normalize("NFC", segment)
    encoded = _encode_ends(_encode_characters(name))
    stem = encoded.partition(".")[0].rstrip(" ").upper()
    if stem in _DEVICES:
        encoded = _percent(encoded[0]) + encoded[1:]
    if not encoded:
        return "%"
    # A short name that looks like a cut one could equal one that was cut.
    if len(encoded.encode()) > LONGEST or (len(encoded.encode()) > LONGEST - 8 and _CUT.search(encoded)):
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        return _with_suffix(encoded, digest)
    return encoded


def distinct_name(name: str, identity: str, length: int = 8) -> str:
    """The local name `name` with a suffix that distinguishes this object from others of the same name.

    Args:
        name: a result of `safe_name`.
        identity: the object's id, or its key if it has none.
        length: characters of the suffix; more than 8 if 8 are not unique.
    """
    if _PLAIN_ID.fullmatch(identity):
        return _with_suffix(name, identity[:length].rstrip("-"))
    digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()
    return _with_suffix(name, digest[:length])


def extension_of(name: str) -> str:
    """The extension of a file name with its dot, empty if it has none."""
    stem, dot, end = name.rpartition(".")
    if not stem or not dot:
        return ""
    extension = f".tar.{end}" if stem.endswith(".tar") and len(stem) > len(".tar") else f".{end}"
    return extension if _SANE_EXTENSION.fullmatch(extension) else ""


def fitting_extension(name: str, mime: str) -> str:
    """The extension that a file of this name and type should have; empty if unknown."""
    return extension_of(name) or _BY_MIME.get(mime.partition(";")[0].strip().lower(), "")


def with_extension(name: str, extension: str) -> str:
    """`name`, with the extension appended if it is missing."""
    return name if name.lower().endswith(extension.lower()) else name + extension


def is_segment(name: str) -> bool:
    """Whether a name is a single path segment that can be the name of a file."""
    return name not in ("", ".", "..") and "/" not in name and "\0" not in name


def _encode_characters(name: str) -> str:
    if _HARMLESS.fullmatch(name):
        return name
    pieces: list[str] = []
    encoded = False
    for character in name:
        category = unicodedata.category(character)
        special = character in _ENCODED or character in _LOOK_ALIKES or category in _HIDDEN_CATEGORIES
        # A mark after an encoded character would join the last hex digit.
        encoded = special or (encoded and category.startswith("M"))
        pieces.append(_percent(character) if encoded else character)
    return "".join(pieces)


def _encode_ends(name: str) -> str:
    if name.startswith((".", "-", "~", " ")):
        name = _percent(name[0]) + name[1:]
    if name.endswith((".", " ")):
        name = name[:-1] + _percent(name[-1])
    return name


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))


def _with_suffix(name: str, suffix: str) -> str:
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension.encode()) > _LONGEST_EXTENSION:
        stem, dot, extension = name, "", ""
    tail = f"~{suffix}{dot}{extension}"
    return _cut(stem, LONGEST - len(tail.encode())) + tail


def _cut(text: str, limit: int) -> str:
    """At most `limit` bytes of `text`, without half a character or half an escape at the end."""
    if len(text.encode()) <= limit:
        return text
    short = text.encode()[:limit].decode(errors="ignore")
    return re.sub(r"%[0-9A-F]?$", "", short)
