"""The bytes of a local file, read back from the disk."""

from collections.abc import Iterator
from pathlib import Path

from cloudstore_tui.fs.disk import Disk, os_errors_as
from cloudstore_tui.transfers.running_digests import RunningDigests
from cloudstore_tui.transfers.verify import Digests, ExpectedChecksum, VerifyResult, needed, part_digest, verify
from cloudstore_tui.transfers.workers import Stop

CHUNK = 1 << 18
"""Bytes read at once: small enough to stay in the processor's cache until they are hashed twice."""


class Content:
    """What an open file holds. Every method reads; `stop` ends it early."""

    def __init__(self, disk: Disk, descriptor: int, subject: Path, stop: Stop) -> None:
        self._disk = disk
        self._place = subject
        self._descriptor = descriptor
        self._stop = stop

    def digests(self, wanted: frozenset[str]) -> Digests:
        """Length and the digests asked for, of the whole file."""
        running = RunningDigests(wanted)
        for chunk in self._pieces():
            running.update(chunk)
        return running.digests()

    def verify(self, expected: ExpectedChecksum, digests: Digests | None = None) -> VerifyResult:
        """Compare the file with what is claimed of the object; its digests are taken unless they are given."""
        return verify(expected, digests or self.digests(needed(expected)), self._part_digest)

    def _part_digest(self, size: int) -> str:
        return part_digest(self._parts(size))

    def _parts(self, size: int) -> Iterator[bytes]:
        """The file in pieces of exactly `size` bytes, but for the last."""
        part = bytearray()
        for piece in self._pieces():
            part += piece
            if len(part) >= size:
                yield bytes(part[:size])
                del part[:size]
        if part:
            yield bytes(part)

    def _pieces(self) -> Iterator[bytes]:
        offset = 0
        while True:
            self._stop.check()
            with os_errors_as(self._place):
                piece = self._disk.read(self._descriptor, CHUNK, offset)
            if not piece:
                return
            offset += len(piece)
            yield piece
