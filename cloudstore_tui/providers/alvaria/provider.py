"""Alvaria Cloud Media Storage as the program sees it."""

import asyncio
from collections.abc import Sequence

from cloudstore_tui.core.errors import MissingError, StorageError, UnreadableError, UsageError
from cloudstore_tui.core.links import LinkForm, SignedLink, Source, Target
from cloudstore_tui.core.models import Column, ColumnKind, Entry, Folder, Location, Query
from cloudstore_tui.core.paging import Page
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.provider import Capability, Check, Deletion, Fate, Session, StorageProvider
from cloudstore_tui.net import LostReplyError
from cloudstore_tui.providers.alvaria.checks import Checks
from cloudstore_tui.providers.alvaria.client import AlvariaClient
from cloudstore_tui.providers.alvaria.level import FILES, Levels, root_folders
from cloudstore_tui.providers.alvaria.links import LARGEST_UPLOAD, LinkRules, upload_headers
from cloudstore_tui.providers.alvaria.wire import as_entry

TAKEN_TO = ("processed", "errors")
"""Folders below one of `imports/` into which the service sorts what it took from there."""
COLUMNS = (
    Column("name", "Name", width=40),
    Column("size", "Size", ColumnKind.SIZE, width=10),
    Column("modified", "Modified", ColumnKind.TIME, width=16),
)


class AlvariaProvider(StorageProvider):
    """One organisation of the service, in v2 or v3."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self._client = AlvariaClient(profile)
        self._levels = Levels(self._client, profile.name)
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
        # The two folders of the root are known, so a forgotten slash can be added.
        return Location(self.profile.name, path=f"{rest}/" if rest in ("exports", "imports") else rest)

    def is_folder(self, location: Location) -> bool:
        """Keys of folders end with `/`, and the root has none."""
        return not location.path or location.path.endswith("/")

    def parent(self, location: Location) -> Location | None:
        """The folder above."""
        if not location.path:
            return None
        above = location.path.removesuffix("/").rpartition("/")[0]
        return Location(self.profile.name, path=f"{above}/" if above else "")

    async def folders(self, location: Location, cursor: str | None = None) -> Page[Folder]:
        """The folders right below one."""
        self._require_folder(location)
        if not location.path:
            return Page(tuple(root_folders(self.profile.name)))
        return await self._levels.folders(location, cursor)

    async def browse(self, location: Location, cursor: str | None = None) -> Page[Entry]:
        """Files and folders one level below."""
        self._require_folder(location)
        if not location.path:
            return Page(tuple(root_folders(self.profile.name)))
        return await self._levels.page(location, cursor)

    def query(self, location: Location) -> Query | None:
        """No place of this service stands for a query."""
        return None

    async def stat(self, location: Location) -> Entry:
        """The entry of a key, asked for by itself."""
        if not location.path:
            return Folder(location, self.profile.name)
        if self.is_folder(location):
            return await self._levels.folder(location)
        reply = await self._client.keys(location.path, FILES, location.address)
        # A service that takes the key for a prefix tells of its neighbours, too.
        entries, damaged = reply.entries()
        for item in entries:
            if item.path == location.path:
                return as_entry(item, self.profile.name)
        if damaged:
            raise UnreadableError(damaged, subject=location.address)
        raise MissingError("there is no such object", subject=location.address)

    async def source(self, location: Location) -> Source:
        """A signed link; the service rounds sizes, so the length is learned from the store."""
        link = await self.link(location)
        return Source(link.url, expires=link.expires, local=self._client.local, networks=self._networks)

    def columns(self, location: Location, types: frozenset[str] = frozenset()) -> tuple[Column, ...]:
        """Name, size and time: the service knows no more."""
        return COLUMNS

    async def check(self) -> tuple[Check, ...]:
        """Token, scopes, folders, clock."""
        return await Checks(self.profile, self._client).run()

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    @property
    def session(self) -> Session:
        """When the token ends, and what is waited for."""
        return Session(self._client.login.ends, self._client.note)

    async def link(self, location: Location, form: LinkForm | None = None) -> SignedLink:
        """A link through the vendor's proxy, or to the object store itself."""
        return await self._signed(location, "download", form)

    async def target(self, location: Location, size: int) -> Target:
        """A link to put a file to, with the headers that its signature covers."""
        self.require(Capability.UPLOAD, location)
        if size > LARGEST_UPLOAD:
            raise UsageError(
                "the file is larger than 5 GiB, which is the most the service takes",
                subject=location.address,
                hint="Split it, if whoever reads it there can put it together.",
            )
        link = await self._signed(location, "upload", None)
        try:
            headers = upload_headers(link.url.reveal())
        except StorageError as error:
            raise error.with_(subject=location.address) from None
        return Target(link.url, headers, link.expires, self._client.local, self._networks)

    def upload_caution(self, location: Location) -> str:
        """Everything outside `imports/` is written by the service itself."""
        return "" if location.path.startswith("imports/") else "uploads usually go below imports/"

    def taken_to(self, location: Location) -> tuple[Location, ...]:
        """What is put below `imports/` is read, and then sorted by how that went."""
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
            done += await asyncio.gather(*(self._delete(location) for location in some))
        return tuple(done)

    async def _delete(self, location: Location) -> Deletion:
        try:
            await self._client.delete(location.path, location.address)
        except MissingError:
            return Deletion(location, Fate.GONE)
        except LostReplyError as error:
            return await self._look(location, error)
        except StorageError as error:
            return Deletion(location, Fate.KEPT, error)
        return await self._look(location)

    async def _look(self, location: Location, lost: StorageError | None = None) -> Deletion:
        """What a deletion has really done, whatever the service said of it."""
        try:
            await self.stat(location)
        except MissingError:
            return Deletion(location, Fate.DELETED)
        except StorageError as error:
            return Deletion(location, Fate.UNKNOWN, lost or error)
        still = StorageError("it is still there", subject=location.address, hint="Look again, then try again.")
        return Deletion(location, Fate.KEPT, lost or still)

    async def _signed(self, location: Location, direction: str, form: LinkForm | None) -> SignedLink:
        self._require_object(location)
        wanted = LinkForm(form or self.profile.text("link_form") or LinkForm.PROXIED)
        if wanted is LinkForm.PRESIGNED:
            raise UsageError("this service gives proxied and native links only", subject=location.address)
        native = wanted is LinkForm.NATIVE
        reply = await self._client.signed(location.path, direction, location.address, native=native)
        return self._links.choose(reply, direction, wanted, location)

    def _require_object(self, location: Location) -> None:
        if self.is_folder(location):
            raise UsageError("is a folder, not an object", subject=location.address, hint="Objects do not end with /.")

    def _require_folder(self, location: Location) -> None:
        if not self.is_folder(location):
            raise UsageError(
                "is an object, not a folder", subject=location.address, hint=f"Folders end with /: {location.address}/"
            )
