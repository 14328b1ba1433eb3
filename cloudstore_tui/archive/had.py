"""Whether a file of an earlier pull is still what it was."""

import hashlib
import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from cloudstore_tui.archive.line import mtime_of
from cloudstore_tui.fs.disk import os_errors_as
from cloudstore_tui.transfers.workers import Stop

_CHUNK = 1 << 20


class Standing(StrEnum):
    """How a file compares with its line."""

    SAME = "same"
    """By size and time, or by its digest."""
    TOUCHED = "touched"
    """The bytes are the same, the time is another one."""
    OTHER = "other"


def compare(file: Path, found: os.stat_result, line: Mapping[str, Any], stop: Stop) -> Standing:
    """A file and the line about it; its bytes are read only where its time is not the one of the line."""
    if found.st_size != line.get("size"):
        return Standing.OTHER
    if mtime_of(found) == line.get("mtime"):
        return Standing.SAME
    digest = line.get("sha256")
    return Standing.TOUCHED if digest and sha256_of(file, stop) == digest else Standing.OTHER


def sha256_of(file: Path, stop: Stop) -> str:
    """The digest of a file in hex.

    Raises:
        StorageError: it cannot be read, or is no plain file.
    """
    digest = hashlib.sha256()
    with os_errors_as(file):
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb", buffering=0) as content:
            while chunk := content.read(_CHUNK):
                stop.check()
                digest.update(chunk)
    return digest.hexdigest()
