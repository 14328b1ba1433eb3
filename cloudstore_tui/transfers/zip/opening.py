"""The members of a fetched zip become files."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cloudstore_tui.core.errors import IntegrityError, StorageError
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.fs.names import safe_name
from cloudstore_tui.transfers.context import TransferContext
from cloudstore_tui.transfers.live import LiveTransfer
from cloudstore_tui.transfers.model import DownloadRequest, OnConflict, State
from cloudstore_tui.transfers.workers import Stop
from cloudstore_tui.transfers.zip.archive import Archive
from cloudstore_tui.transfers.zip.match import Matching, match
from cloudstore_tui.transfers.zip.member import Member
from cloudstore_tui.transfers.zip.wanted import Wanted


@dataclass
class Opened:
    """What came out of a zip."""

    missing: list[Wanted] = field(default_factory=list)
    damaged: list[Wanted] = field(default_factory=list)
    extra: tuple[Member, ...] = ()
    """Members that nobody asked for, or all where nobody knows what was asked for."""


class Opening:
    """Takes members out of archives."""

    def __init__(self, live: LiveTransfer, provider: StorageProvider, context: TransferContext) -> None:
        self._live = live
        self._provider = provider
        self._context = context

    async def match(self, archive: Archive, wanted: Sequence[Wanted]) -> Matching:
        """Which member is which object."""
        entries = [one.entry for one in wanted]

        def work(stop: Stop) -> Matching:
            return match(entries, archive.members, lambda member: _md5(archive, member, stop))

        return await self._context.workers.run(work)

    async def take(self, archive: Archive, wanted: Sequence[Wanted]) -> Opened:
        """Make files of the members that are wanted; those that are done already are only recognised.

        Raises:
            LocalDiskError: the disk refuses.
        """
        self._live.to(State.VERIFYING, "the zip is opened")
        found = await self.match(archive, wanted)
        opened = Opened([wanted[place] for place in found.missing if wanted[place].is_open], extra=found.extra)
        for number, (place, member) in enumerate(sorted(found.members.items()), 1):
            self._live.note = f"the zip is opened: {number} of {len(found.members)} objects"
            one = wanted[place]
            if one.is_open and await one.unpack(archive, member):
                opened.damaged.append(one)
        return opened

    async def take_unknown(
        self, archive: Archive, members: Sequence[Member], folder: Path, zip_: Location
    ) -> list[Wanted]:
        """Make files of members of which only the zip tells, under safe forms of their names."""
        made = []
        for number, member in enumerate(members, 1):
            self._live.note = f"the zip is opened: {number} of {len(members)} objects"
            place = Location(zip_.profile, zip_.region, f"{zip_.path}/{member.index}")
            entry = StoredObject(place, member.name)
            request = DownloadRequest(place, folder, safe_name(member.name), OnConflict.KEEP_BOTH, entry)
            one = Wanted(member.index, request, self._provider, self._context, self._live.touched)
            made.append(one)
            try:
                why = await one.unpack(archive, member)
            except StorageError as error:
                one.fail(error)
                raise
            if why:
                one.fail(IntegrityError(why))
        return made


def _md5(archive: Archive, member: Member, stop: Stop) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    try:
        # Only members are asked for that have the size of an object.
        for piece in archive.read(member, member.size):
            stop.check()
            digest.update(piece)
    except StorageError:
        return ""
    return digest.hexdigest()
