"""The end of a file's name that says what is in it."""

import re

from cloudstore_tui.core.entry import StoredObject

_SANE = re.compile(r"(?:\.tar)?\.(?=[0-9]*[A-Za-z])[A-Za-z0-9]{1,12}")
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
"""Of our own, because the one of the system differs from system to system."""


def extension_of(name: str) -> str:
    """The extension of a file name with its dot, empty if it has none."""
    stem, dot, end = name.rpartition(".")
    if not stem or not dot:
        return ""
    extension = f".tar.{end}" if stem.endswith(".tar") and len(stem) > len(".tar") else f".{end}"
    return extension if _SANE.fullmatch(extension) else ""


def fitting_extension(entry: StoredObject) -> str:
    """The extension that a file of this object should have, empty if nothing is known."""
    return extension_of(entry.name) or _BY_MIME.get(entry.mime.partition(";")[0].strip().lower(), "")


def with_extension(name: str, entry: StoredObject) -> str:
    """`name`, ending as a file of this object should."""
    extension = fitting_extension(entry)
    return name if name.lower().endswith(extension.lower()) else name + extension
