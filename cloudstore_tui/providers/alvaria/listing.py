"""Lists the direct children of a folder page by page, also where a service lists folders and files separately."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from cloudstore_tui.core.errors import MissingError, PartialError, ReplyError, StorageError, UsageError, unreadable
from cloudstore_tui.core.models import Entry, Folder, Location
from cloudstore_tui.core.paging import STALLED_PAGES, Page
from cloudstore_tui.providers.alvaria.client import AlvariaClient, BadRequestError
from cloudstore_tui.providers.alvaria.scopes import only_in_v3
from cloudstore_tui.providers.alvaria.wire import ObjectKey, ObjectKeys, as_entry

LEVEL, FILES, FOLDERS = "file:directory", "file", "directory"
"""The service's key types: direct children; all files below a folder; all folders below it, nested."""

_ZONELESS = "The service gives times without a zone, which are read as UTC: those of another zone are some hours off."

MAX_SKIPPED = 1000
"""Pages of files further below a folder that are skipped for one page of direct children."""


class Cursor(msgspec.Struct, array_like=True, frozen=True):
    """Where the next page starts, and what the pages before it held."""

    kind: str
    token: str = ""
    last: str = ""
    """The last key of the previous page: with some tokens the next page begins with it again."""
    given: int = 0
    """Number of entries on the previous pages."""
    total: int | None = None
    """The smallest total that the service has reported, since entries may be deleted meanwhile."""
    folders: tuple[str, ...] = ()
    """Direct subfolders that were listed already, while the files are listed after them."""


class RawPage(NamedTuple):
    """A page of a reply, parsed."""

    reply: ObjectKeys
    items: list[ObjectKey]
    damaged: int


class FolderLister:
    """Lists the folders of one profile.

    A service that does not know the key type `file:directory` is asked for the folders and then for all files. A file
    further below stands for the direct subfolder that holds it, unless that was listed already.
    """

    def __init__(self, client: AlvariaClient, profile: str) -> None:
        self._client = client
        self._profile = profile
        self._first_kind = LEVEL

    async def page(self, location: Location, cursor: str | None) -> Page[Entry]:
        """One page of the direct children of a folder."""
        at = _decode_cursor(cursor, location) if cursor else Cursor(self._first_kind)
        if at.kind != LEVEL:
            return await self._folders_then_files(location, at)
        try:
            raw = await self._fetch(location, at)
        except BadRequestError:
            if cursor:
                raise
        else:
            if cursor or not _is_tree(location, raw):
                return self._page(location, at, raw)
            return await self._folders_then_files(location, Cursor(FOLDERS))
        page = await self._folders_then_files(location, Cursor(FOLDERS))
        # The key was accepted, so it is the key type that the service does not know.
        self._first_kind = FOLDERS
        return page

    async def folders(self, location: Location, cursor: str | None) -> Page[Folder]:
        """One page of the direct subfolders; if the reply goes deeper, those without subfolders are not expandable."""
        at = _decode_cursor(cursor, location) if cursor else Cursor(FOLDERS)
        raw = await self._fetch(location, at)
        inside = [item for item in raw.items if item.path.startswith(location.path)]
        below = {item.path: item for item in inside if item.is_folder and item.path != location.path}
        parents = {_parent(path) for path in below}
        children = dict.fromkeys(_child(path, location.path) for path in below)
        is_nested = any(path in parents for path in children)
        found = tuple(
            self._folder(below.get(path) or ObjectKey(key=path), expandable=path in parents or not is_nested)
            for path in children
        )
        following, failures = _advance(location, at, raw)
        if raw.items and not inside:
            failures += (ReplyError("the service names other folders than those in it", subject=location.address),)
        return Page(found, _encode_cursor(following), failures=failures)

    async def folder(self, location: Location) -> Folder:
        """One folder by itself.

        Raises:
            MissingError: there is none.
        """
        reply = await self._client.keys(location.path, FOLDERS, location.address)
        own = next((item for item in reply.entries()[0] if item.path == location.path), None)
        name = location.path.rstrip("/").rsplit("/", 1)[-1]
        return Folder(location, name, modified=own.modified if own else None)

    async def _folders_then_files(self, location: Location, at: Cursor) -> Page[Entry]:
        if at.kind == FILES:
            return await self._files(location, at)
        page = await self.folders(location, _encode_cursor(at))
        following = _decode_cursor(page.cursor, location) if page.cursor else Cursor(FILES)
        listed = (*at.folders, *(folder.location.path for folder in page.items))
        following = replace(following, folders=listed)
        if page.items or page.cursor or page.failures:
            return Page(page.items, _encode_cursor(following), failures=page.failures)
        return await self._files(location, following)

    async def _files(self, location: Location, at: Cursor) -> Page[Entry]:
        """The next page with a new direct child; whole pages of files further below may come before it."""
        stalled, seen = 0, {at.last}
        for _skipped in range(MAX_SKIPPED):
            page = self._page(location, at, await self._fetch(location, at))
            children = {_child(item.location.path, location.path): item for item in page.items}
            new = tuple(
                item if item.location.path == path else self._folder(ObjectKey(key=path))
                for path, item in children.items()
                if path not in at.folders
            )
            folders = (*at.folders, *(item.location.path for item in new if isinstance(item, Folder)))
            following = replace(_decode_cursor(page.cursor, location), folders=folders) if page.cursor else None
            # A faulty service may repeat a page, or go round in circles.
            stalled = stalled + 1 if following is not None and following.last in seen else 0
            if new or following is None or page.failures or stalled >= STALLED_PAGES:
                return replace(page, items=new, cursor=_encode_cursor(following))
            at = following
            seen.add(at.last)
        return Page((), _encode_cursor(at))

    async def _fetch(self, location: Location, at: Cursor) -> RawPage:
        try:
            reply = await self._client.keys(location.path, at.kind, location.address, token=at.token)
            return RawPage(reply, *reply.entries())
        except MissingError as error:
            # Some systems also answer 404 for empty folders.
            raise error.with_(message="the folder is empty or missing") from None

    def _page(self, location: Location, at: Cursor, raw: RawPage) -> Page[Entry]:
        items = raw.items
        new = items[1:] if items and items[0].path == at.last else items
        found = {item.path: as_entry(item, self._profile) for item in new}
        found.pop(location.path, None)
        # Entries of a subfolder that is listed itself are left for the listing of that subfolder.
        subfolders = found if at.kind == LEVEL else ()
        children = ((path, _child(path, location.path)) for path in found)
        entries = tuple(found[path] for path, child in children if child == path or child not in subfolders)
        following, failures = _advance(location, at, raw)
        return Page(
            entries,
            _encode_cursor(following),
            raw.reply.total if at.kind == LEVEL else None,
            tuple(self._warnings(location, at, new)),
            failures=failures,
        )

    def _warnings(self, location: Location, at: Cursor, items: Sequence[ObjectKey]) -> Iterator[str]:
        if not all(item.has_zone for item in items):
            yield _ZONELESS
        hidden = only_in_v3(location.path) if self._client.version == "v2" and not at.token else ()
        if hidden and not any(item.path in hidden for item in items):
            yield f'v2 of the API does not list {" and ".join(hidden)}: set api_version = "v3" if your cloud has it.'

    def _folder(self, item: ObjectKey, *, expandable: bool = True) -> Folder:
        return Folder(Location(self._profile, path=item.path), item.name, modified=item.modified, expandable=expandable)


def _child(path: str, folder: str) -> str:
    """The direct child of a folder that a path is or is in; a path outside the folder stays as it is."""
    name, slash, _rest = path[len(folder) :].partition("/")
    return folder + name + slash if path.startswith(folder) else path


def _parent(path: str) -> str:
    return path.rstrip("/").rpartition("/")[0] + "/"


def _is_tree(location: Location, raw: RawPage) -> bool:
    """Whether a reply looks like one for the key type `directory`: folders only, and nested or only the one listed."""
    if any(not item.is_folder for item in raw.items):
        return False
    paths = {item.path for item in raw.items}
    is_nested = len(raw.items) > raw.reply.given or any(_child(path, location.path) != path for path in paths)
    return is_nested or paths == {location.path}


def _advance(location: Location, at: Cursor, raw: RawPage) -> tuple[Cursor | None, tuple[StorageError, ...]]:
    """The cursor after a page, and what the page lacks; at the end, also entries that were reported but not given."""
    reply, items, damaged = raw
    failures: tuple[StorageError, ...] = unreadable(damaged, location.address)
    overlap = bool(items) and items[0].path == at.last
    given = at.given + max(reply.given, len(items) + damaged) - overlap
    total = min((number for number in (at.total, reply.total) if number is not None), default=None)
    if reply.token:
        last = items[-1].path if items else at.last
        return Cursor(at.kind, reply.token, last, given, total), failures
    if total is not None and total > given:
        message = f"the service reports {total:,} entries here, and gave {given:,}"
        hint = "Run it once more; if that does not help, its support team can find out what is wrong."
        failures += (PartialError(message, subject=location.address, hint=hint),)
    return None, failures


def _encode_cursor(cursor: Cursor | None) -> str | None:
    return msgspec.json.encode(cursor).decode() if cursor is not None else None


def _decode_cursor(text: str, location: Location) -> Cursor:
    try:
        return msgspec.json.decode(text, type=Cursor)
    except msgspec.DecodeError:
        raise UsageError("this is not a cursor of this service", subject=location.address) from None
