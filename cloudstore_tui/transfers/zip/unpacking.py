"""One member of a zip becomes a file, by the same rules as a download."""

from pathlib import Path

from cloudstore_tui.core.errors import IntegrityError, UnsafeError
from cloudstore_tui.transfers.destination import Destination
from cloudstore_tui.transfers.failpoint import failpoint
from cloudstore_tui.transfers.part_file import PartFile
from cloudstore_tui.transfers.verify import ExpectedChecksum, needed
from cloudstore_tui.transfers.workers import Stop
from cloudstore_tui.transfers.zip.archive import Archive
from cloudstore_tui.transfers.zip.member import Member

_WEAK = ("size", "size+etag", "unverified")
LEVEL = "crc32+size"
"""What the archive itself proves of a member."""


class Unpacking:
    """Writes one member into a part file, verifies what is on the disk, and publishes it."""

    def __init__(self, archive: Archive, member: Member, expected: ExpectedChecksum, modified: float | None) -> None:
        self._archive = archive
        self._member = member
        self._expected = expected
        self._modified = modified
        self.path: Path | None = None
        """The file; `None` where something has its name that is to be left alone."""
        self.level = ""
        self.sha256 = ""

    def run(self, part: PartFile, destination: Destination, stop: Stop, *, sha256: bool) -> str:
        """Why the member is not the object, as a clause; empty if all is well. Blocks; leaves no part file.

        Raises:
            StorageError: the disk refuses, or something is in the way.
        """
        try:
            part.open()
            part.expect(self._member.size)
            if why := self._written(part, stop):
                return why
            digests = part.content(stop).digests(
                needed(self._expected) | (frozenset({"sha256"}) if sha256 else frozenset())
            )
            result = part.content(stop).verify(self._expected, digests)
            if result.contradiction:
                return result.contradiction
            failpoint("member_verified")
            self.path = destination.publish(part, digests, stop)
            self.level = LEVEL if result.level in _WEAK else result.level
            self.sha256 = digests.sha256
            return ""
        finally:
            part.discard()

    def _written(self, part: PartFile, stop: Stop) -> str:
        try:
            for piece in self._archive.read(self._member, self._expected.size):
                stop.check()
                part.write(piece)
        except (IntegrityError, UnsafeError) as error:
            return error.message
        if self._modified is not None:
            part.set_time(self._modified)
        part.sync()
        return ""
