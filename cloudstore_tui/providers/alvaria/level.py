"""One level of a folder, page by page, however the service can tell it."""

from collections.abc import Iterable, Iterator

import msgspec

from cloudstore_tui.core.errors import MissingError, StorageError, UnreadableError, UsageError
from cloudstore_tui.core.models import Entry, Folder, Location
from cloudstore_tui.core.paging import STALLED_PAGES, Page
from cloudstore_tui.providers.alvaria.client import AlvariaClient
from cloudstore_tui.providers.alvaria.refusals import BadRequestError
from cloudstore_tui.providers.alvaria.wire import ObjectKey, ObjectKeys, all_folders, as_entry

LEVEL, FILES, FOLDERS = "file:directory", "file", "directory"
"""The service's key types: what is right in a folder; all files below it; all folders below it, nested."""

MOST_SKIPPED = 1000
"""Pages of files far below a folder that are read for one page of files right in it."""


class Cursor(msgspec.Struct, array_like=True):
    """Where the next page starts."""

    kind: str
    token: str
    last: str
    """The last key of the page before: some tokens name it again as the first of the next."""


class Levels:
    """Lists folders of one profile.

    A service that does not know the key type `file:directory` is asked for the folders and then for all files, of
    which everything deeper is left out.
    """

    def __init__(self, client: AlvariaClient, profile: str) -> None:
        self._client = client
        self._profile = profile
        self._first_kind = LEVEL

    async def page(self, location: Location, cursor: str | None) -> Page[Entry]:
        """One page of what is right in a folder."""
        at = _unpacked(cursor, location) if cursor else Cursor(self._first_kind, "", "")
        if at.kind != LEVEL:
            return await self._by_two(location, at)
        try:
            reply = await self._reply(location, at)
        except BadRequestError:
            if cursor:
                raise
        else:
            return self._page(location, at, reply)
        page = await self._by_two(location, Cursor(FOLDERS, "", ""))
        # The key was well, so it is the key type that the service does not know.
        self._first_kind = FOLDERS
        return page

    async def folders(self, location: Location, cursor: str | None) -> Page[Folder]:
        """The folders right below a folder: one request tells all folders below, nested."""
        at = _unpacked(cursor, location) if cursor else Cursor(FOLDERS, "", "")
        reply = await self._reply(location, at)
        found, damaged = reply.entries()
        return Page(self._children(location, found), _next(at, reply, found), failures=_unreadable(damaged, location))

    async def folder(self, location: Location) -> Folder:
        """One folder by itself.

        Raises:
            MissingError: there is none.
        """
        reply = await self._client.keys(location.path, FOLDERS, location.address)
        found, _damaged = reply.entries()
        own = next((item for item in all_folders(found) if item.path == location.path), None)
        name = location.path.rstrip("/").rsplit("/", 1)[-1]
        return Folder(location, name, modified=own.modified if own else None)

    async def _by_two(self, location: Location, at: Cursor) -> Page[Entry]:
        if at.kind == FILES:
            return await self._files(location, at)
        page = await self.folders(location, _packed(at))
        cursor = page.cursor or _packed(Cursor(FILES, "", ""))
        if page.items or page.cursor:
            return Page(page.items, cursor, failures=page.failures)
        return await self._files(location, Cursor(FILES, "", ""))

    async def _files(self, location: Location, at: Cursor) -> Page[Entry]:
        """The next page that holds a file right in the folder; files further below fill whole pages in between."""
        stalled, seen = 0, {at.last}
        for _skipped in range(MOST_SKIPPED):
            reply = await self._reply(location, at)
            page = self._page(location, at, reply)
            near = tuple(item for item in page.items if _is_child(item.location.path, location.path))
            following = _unpacked(page.cursor, location) if page.cursor else None
            # Faulty services go round in circles as well as on the spot.
            stalled = stalled + 1 if following is not None and following.last in seen else 0
            if near or following is None or stalled >= STALLED_PAGES:
                return Page(near, page.cursor, failures=page.failures)
            at = following
            seen.add(at.last)
        return Page((), _packed(at))

    async def _reply(self, location: Location, at: Cursor) -> ObjectKeys:
        try:
            return await self._client.keys(location.path, at.kind, location.address, token=at.token)
        except MissingError as error:
            # Some systems answer so for folders that are there, too.
            raise error.with_(message="the folder is empty or missing") from None

    def _page(self, location: Location, at: Cursor, reply: ObjectKeys) -> Page[Entry]:
        found, damaged = reply.entries()
        shown = found[1:] if found and found[0].path == at.last else found
        entries = tuple(as_entry(item, self._profile) for item in shown if item.path != location.path)
        total = reply.total if at.kind == LEVEL else None
        return Page(entries, _next(at, reply, found), total, failures=_unreadable(damaged, location))

    def _children(self, location: Location, found: Iterable[ObjectKey]) -> tuple[Folder, ...]:
        """The folders one level below; where the reply goes deeper, those without folders of their own are known."""
        folders = {item.path: item for item in all_folders(found)}
        near = {path: item for path, item in folders.items() if _is_child(path, location.path)}
        parents = {_above(path) for path in folders}
        tells_depth = any(path in parents for path in near)
        return tuple(self._folder(item, expandable=item.path in parents or not tells_depth) for item in near.values())

    def _folder(self, item: ObjectKey, *, expandable: bool) -> Folder:
        return Folder(Location(self._profile, path=item.path), item.name, modified=item.modified, expandable=expandable)


def _is_child(path: str, folder: str) -> bool:
    below = path[len(folder) :].rstrip("/")
    return path.startswith(folder) and bool(below) and "/" not in below


def _above(path: str) -> str:
    return path.rstrip("/").rpartition("/")[0] + "/"


def _next(at: Cursor, reply: ObjectKeys, found: list[ObjectKey]) -> str | None:
    last = found[-1].path if found else at.last
    return _packed(Cursor(at.kind, reply.token, last)) if reply.token else None


def _unreadable(number: int, location: Location) -> tuple[StorageError, ...]:
    return (UnreadableError(number, subject=location.address),) if number else ()


def _packed(cursor: Cursor) -> str:
    return msgspec.json.encode(cursor).decode()


def _unpacked(text: str, location: Location) -> Cursor:
    try:
        return msgspec.json.decode(text, type=Cursor)
    except msgspec.DecodeError:
        raise UsageError("this is no cursor of this service", subject=location.address) from None


def root_folders(profile: str) -> Iterator[Folder]:
    """What the root holds: the service lists none, and these two are all there is."""
    for name in ("exports", "imports"):
        yield Folder(Location(profile, path=f"{name}/"), name)
