"""The provider for Alvaria Cloud Media Storage."""

import asyncio
from collections.abc import Sequence

from cloudstore_tui.core.errors import MissingError, StorageError, UnreadableError, UsageError
from cloudstore_tui.core.links import LinkForm, SignedLink, Source, Target
from cloudstore_tui.core.models import Entry, Folder, Location, StoredObject
from cloudstore_tui.core.paging import Page
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.provider import Capability, Check, Deletion, DeletionOutcome, Session, StorageProvider
from cloudstore_tui.net.failures import LostReplyError
from cloudstore_tui.providers.alvaria.checks import check_profile
from cloudstore_tui.providers.alvaria.client import AlvariaClient
from cloudstore_tui.providers.alvaria.links import LARGEST_UPLOAD, LinkRules, upload_headers, wanted_form
from cloudstore_tui.providers.alvaria.listing import FILES, FolderLister
from cloudstore_tui.providers.alvaria.wire import ObjectKey, as_entry, read_size

ROOT = ("exports", "imports")
"""The folders of the root, which the service does not list."""

TAKEN_TO = ("processed", "errors")
"""Subfolders of a folder in `imports/` to which the service moves files once it has read them."""


class AlvariaProvider(StorageProvider):
    """One organisation of the service, in v2 or v3."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self._client = AlvariaClient(profile)
        self._lister = FolderLister(self._client, profile.name)
        self._links = LinkRules(self._client.local, profile.texts("allow_hosts"))
        self._networks = profile.texts("allow_networks")

    def locate(self, rest: str) -> Location:
        """A key, literally; folders end with `/`."""
        if rest.startswith("/"):
            raise UsageError(
                "a key begins without a slash",
                subject=f"{self.profile.name}:{rest}",
                hint=f"Write {self.profile.name}:{rest.lstrip('/')}",
            )
        # The folders of the root are known, so a missing slash can be added.
        return Location(self.profile.name, path=f"{rest}/" if rest in ROOT else rest)

    def is_folder(self, location: Location) -> bool:
        """Keys of folders end with `/`, and the root has none."""
        return not location.path or location.path.endswith("/")

    def parent(self, location: Location) -> Location | None:
        if not location.path:
            return None
        above = location.path.removesuffix("/").rpartition("/")[0]
        return Location(self.profile.name, path=f"{above}/" if above else "")

    async def folders(self, location: Location, cursor: str | None = None) -> Page[Folder]:
        self._require_folder(location)
        return await self._lister.folders(location, cursor) if location.path else Page(self._root())

    async def browse(self, location: Location, cursor: str | None = None) -> Page[Entry]:
        """Files and folders one level below."""
        self._require_folder(location)
        return await self._lister.page(location, cursor) if location.path else Page(self._root())

    def _root(self) -> tuple[Folder, ...]:
        return tuple(Folder(Location(self.profile.name, path=f"{name}/"), name) for name in ROOT)

    async def stat(self, location: Location) -> Entry:
        """The entry at a key, from a request for it alone."""
        if not location.path:
            return Folder(location, self.profile.name)
        if self.is_folder(location):
            return await self._lister.folder(location)
        reply = await self._client.keys(location.path, FILES, location.address)
        # A service that takes the key for a prefix returns its neighbours, too.
        entries, damaged = reply.entries()
        for item in entries:
            if item.path == location.path:
                return as_entry(item, self.profile.name)
        if damaged:
            raise UnreadableError(damaged, subject=location.address)
        raise MissingError("there is no such object", subject=location.address)

    def object_from_address(self, location: Location) -> StoredObject | None:
        """Any key of an object: its name is enough to request a link."""
        if self.is_folder(location):
            return None
        return StoredObject(location, location.path.rsplit("/", 1)[-1], type="file")

    async def source(self, location: Location, known: StoredObject | None = None) -> Source:
        """A signed link, which comes with the record; its size is rounded, so the store has the exact one."""
        reply, link = await self._signed(location, "download", None)
        return Source(
            link.url,
            rough_size=read_size(reply.size),
            modified=reply.modified,
            expires=link.expires,
            local=self._client.local,
            networks=self._networks,
        )

    async def check(self) -> tuple[Check, ...]:
        """Token, scopes, folders, clock."""
        return await check_profile(self.profile, self._client)

    async def close(self) -> None:
        await self._client.close()

    @property
    def session(self) -> Session:
        client = self._client
        return Session(client.login.ends, client.note, client.pace_used, client.clock_skew)

    async def link(self, location: Location, form: LinkForm | None = None) -> SignedLink:
        """A link through the vendor's proxy, or to the object store itself."""
        return (await self._signed(location, "download", form))[1]

    async def target(self, location: Location, size: int) -> Target:
        """A link to upload to, with the headers that its signature covers."""
        self.require(Capability.UPLOAD, location)
        if size > LARGEST_UPLOAD:
            raise UsageError(
                "the file is larger than 5 GiB, the most that the service accepts",
                subject=location.address,
                hint="Split it, if its reader can join the parts.",
            )
        reply, link = await self._signed(location, "upload", None)
        try:
            headers = upload_headers(link.url.reveal())
        except StorageError as error:
            raise error.with_(subject=location.address) from None
        replaces = bool(read_size(reply.size))
        return Target(link.url, headers, link.expires, self._client.local, self._networks, replaces)

    def upload_caution(self, location: Location) -> str:
        """Everything outside `imports/` is written by the service itself."""
        return "" if location.path.startswith("imports/") else "uploads usually go below imports/"

    def taken_to(self, location: Location) -> tuple[Location, ...]:
        """The service reads files in `imports/` and then moves them, according to whether it could."""
        folder, _, name = location.path.rpartition("/")
        if not folder.startswith("imports/") or folder.rpartition("/")[2] in TAKEN_TO:
            return ()
        return tuple(Location(self.profile.name, path=f"{folder}/{result}/{name}") for result in TAKEN_TO)

    async def delete(self, locations: Sequence[Location]) -> tuple[Deletion, ...]:
        """Delete files one by one, a few at a time; the key of a folder is never sent."""
        for location in locations:
            self.require(Capability.DELETE, location)
            self._require_object(location)
        done: list[Deletion] = []
        at_once = max(self.profile.concurrency, 1)
        for first in range(0, len(locations), at_once):
            some = locations[first : first + at_once]
            # Failed deletions are values, so that none cancels the others; any other exception cancels all.
            async with asyncio.TaskGroup() as group:
                deletions = [group.create_task(self._delete(location)) for location in some]
            done += [deletion.result() for deletion in deletions]
        return tuple(done)

    async def _delete(self, location: Location) -> Deletion:
        try:
            await self._client.delete(location.path, location.address)
        except MissingError:
            return Deletion(location, DeletionOutcome.GONE)
        except LostReplyError as error:
            return await self._outcome_of(location, error)
        except StorageError as error:
            return Deletion(location, DeletionOutcome.KEPT, error)
        return await self._outcome_of(location)

    async def _outcome_of(self, location: Location, lost: StorageError | None = None) -> Deletion:
        """The outcome of a deletion, looked up afterwards."""
        try:
            await self.stat(location)
        except MissingError:
            return Deletion(location, DeletionOutcome.DELETED)
        except StorageError as error:
            return Deletion(location, DeletionOutcome.UNKNOWN, lost or error)
        still = StorageError("it is still there", subject=location.address, hint="Look again, then try again.")
        return Deletion(location, DeletionOutcome.KEPT, lost or still)

    async def _signed(self, location: Location, direction: str, form: LinkForm | None) -> tuple[ObjectKey, SignedLink]:
        """The service's reply with both links to a key, and the link of the wanted form."""
        self._require_object(location)
        wanted = wanted_form(form, self.profile, location)
        native = wanted is LinkForm.NATIVE
        reply = await self._client.signed(location.path, direction, location.address, native=native)
        return reply, self._links.choose(reply, direction, wanted, location)

    def _require_object(self, location: Location) -> None:
        if self.is_folder(location):
            raise UsageError("is a folder, not an object", subject=location.address, hint="Objects do not end with /.")

    def _require_folder(self, location: Location) -> None:
        if not self.is_folder(location):
            raise UsageError(
                "is an object, not a folder", subject=location.address, hint=f"Folders end with /: {location.address}/"
            )
