"""Digests of bytes that come piece by piece."""

import hashlib

from cloudstore_tui.transfers.verify import Digests


class RunningDigests:
    """Length, and those of MD5 and SHA-256 that are wanted."""

    def __init__(self, wanted: frozenset[str]) -> None:
        self.wanted = wanted
        self.size = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256()

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        self.size += len(data)
        if "md5" in self.wanted:
            self._md5.update(data)
        if "sha256" in self.wanted:
            self._sha256.update(data)

    def digests(self) -> Digests:
        """Of all bytes so far."""
        md5 = self._md5.hexdigest() if "md5" in self.wanted else ""
        sha256 = self._sha256.hexdigest() if "sha256" in self.wanted else ""
        return Digests(self.size, md5, sha256)
