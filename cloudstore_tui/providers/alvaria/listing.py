"""What is right in a folder, page by page: at once, or from a service that lists folders and files apart."""

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
"""The service's key types: what is right in a folder; all files below it; all folders below it, nested."""

_ZONELESS = "The service gives times without a zone, which are read as UTC: those of another zone are some hours off."

MAX_SKIPPED = 1000
"""Pages of files far below a folder that are read for one page of files right in it."""


class Cursor(msgspec.Struct, array_like=True, frozen=True):
    """Where the next page starts, and what came until there."""

    kind: str
    token: str = ""
    last: str = ""
    """The last key of the page before: some tokens name it again as the first of the next."""
    given: int = 0
    """Entries of the pages before."""
    total: int | None = None
    """The least number of entries that the service has reported: some may be deleted meanwhile."""
    folders: tuple[str, ...] = ()
    """Folders right in the one that is listed, as far as they were given, where files are listed after them."""


class Listed(NamedTuple):
    """A page as it was read."""

    reply: ObjectKeys
    items: list[ObjectKey]
    damaged: int


class FolderLister:
    """Lists the folders of one profile, each page by page.

    A service that does not know the key type `file:directory` is asked for the folders and then for all files. Of what
    is deeper, the folder that it is in is taken if nothing else told of it.
    """

    def __init__(self, client: AlvariaClient, profile: str) -> None:
        self._client = client
        self._profile = profile
        self._first_kind = LEVEL

    async def page(self, location: Location, cursor: str | None) -> Page[Entry]:
        """One page of what is right in a folder."""
        at = _unpacked(cursor, location) if cursor else Cursor(self._first_kind)
        if at.kind != LEVEL:
            return await self._by_two(location, at)
        try:
            listed = await self._listed(location, at)
        except BadRequestError:
            if cursor:
                raise
        else:
            if cursor or not _is_tree(location, listed):
                return self._page(location, at, listed)
            return await self._by_two(location, Cursor(FOLDERS))
        page = await self._by_two(location, Cursor(FOLDERS))
        # The key was well, so it is the key type that the service does not know.
        self._first_kind = FOLDERS
        return page

    async def folders(self, location: Location, cursor: str | None) -> Page[Folder]:
        """One page of the folders right in a folder; where a reply goes deeper, those that hold none are known."""
        at = _unpacked(cursor, location) if cursor else Cursor(FOLDERS)
        listed = await self._listed(location, at)
        inside = [item for item in listed.items if item.path.startswith(location.path)]
        known = {item.path: item for item in inside if item.is_folder and item.path != location.path}
        parents = {_above(path) for path in known}
        near = dict.fromkeys(_nearest(path, location.path) for path in known)
        tells_depth = any(path in parents for path in near)
        found = tuple(
            self._folder(known.get(path) or ObjectKey(key=path), expandable=path in parents or not tells_depth)
            for path in near
        )
        following, failures = _walked(location, at, listed)
        if listed.items and not inside:
            failures += (ReplyError("the service names other folders than those in it", subject=location.address),)
        return Page(found, _packed(following), failures=failures)

    async def folder(self, location: Location) -> Folder:
        """One folder by itself.

        Raises:
            MissingError: there is none.
        """
        reply = await self._client.keys(location.path, FOLDERS, location.address)
        own = next((item for item in reply.entries()[0] if item.path == location.path), None)
        name = location.path.rstrip("/").rsplit("/", 1)[-1]
        return Folder(location, name, modified=own.modified if own else None)

    async def _by_two(self, location: Location, at: Cursor) -> Page[Entry]:
        if at.kind == FILES:
            return await self._files(location, at)
        page = await self.folders(location, _packed(at))
        following = _unpacked(page.cursor, location) if page.cursor else Cursor(FILES)
        told = (*at.folders, *(folder.location.path for folder in page.items))
        following = replace(following, folders=told)
        if page.items or page.cursor or page.failures:
            return Page(page.items, _packed(following), failures=page.failures)
        return await self._files(location, following)

    async def _files(self, location: Location, at: Cursor) -> Page[Entry]:
        """The next page that holds something new right in the folder; files further below fill whole pages between."""
        stalled, seen = 0, {at.last}
        for _skipped in range(MAX_SKIPPED):
            page = self._page(location, at, await self._listed(location, at))
            near = {_nearest(item.location.path, location.path): item for item in page.items}
            new = tuple(
                item if item.location.path == path else self._folder(ObjectKey(key=path))
                for path, item in near.items()
                if path not in at.folders
            )
            folders = (*at.folders, *(item.location.path for item in new if isinstance(item, Folder)))
            following = replace(_unpacked(page.cursor, location), folders=folders) if page.cursor else None
            # Faulty services go round in circles as well as on the spot.
            stalled = stalled + 1 if following is not None and following.last in seen else 0
            if new or following is None or page.failures or stalled >= STALLED_PAGES:
                return replace(page, items=new, cursor=_packed(following))
            at = following
            seen.add(at.last)
        return Page((), _packed(at))

    async def _listed(self, location: Location, at: Cursor) -> Listed:
        try:
            reply = await self._client.keys(location.path, at.kind, location.address, token=at.token)
            return Listed(reply, *reply.entries())
        except MissingError as error:
            # Some systems answer so for folders that are there, too.
            raise error.with_(message="the folder is empty or missing") from None

    def _page(self, location: Location, at: Cursor, listed: Listed) -> Page[Entry]:
        items = listed.items
        shown = items[1:] if items and items[0].path == at.last else items
        found = {item.path: as_entry(item, self._profile) for item in shown}
        found.pop(location.path, None)
        # What is deeper comes again where its folder is opened.
        opened = found if at.kind == LEVEL else ()
        near = ((path, _nearest(path, location.path)) for path in found)
        entries = tuple(found[path] for path, top in near if top == path or top not in opened)
        following, failures = _walked(location, at, listed)
        return Page(
            entries,
            _packed(following),
            listed.reply.total if at.kind == LEVEL else None,
            tuple(self._warnings(location, at, shown)),
            failures=failures,
        )

    def _warnings(self, location: Location, at: Cursor, items: Sequence[ObjectKey]) -> Iterator[str]:
        if not all(item.has_zone for item in items):
            yield _ZONELESS
        hidden = only_in_v3(location.path) if self._client.version == "v2" and not at.token else ()
        if hidden and not any(item.path in hidden for item in items):
            yield f'v2 of the API does not list {" and ".join(hidden)}: set api_version = "v3" where the cloud has it.'

    def _folder(self, item: ObjectKey, *, expandable: bool = True) -> Folder:
        return Folder(Location(self._profile, path=item.path), item.name, modified=item.modified, expandable=expandable)


def _nearest(path: str, folder: str) -> str:
    """What is right in a folder: the path itself, or the folder that it is in; a path elsewhere is as it is."""
    name, slash, _rest = path[len(folder) :].partition("/")
    return folder + name + slash if path.startswith(folder) else path


def _above(path: str) -> str:
    return path.rstrip("/").rpartition("/")[0] + "/"


def _is_tree(location: Location, listed: Listed) -> bool:
    """Whether a reply has folders only, as for another key type: nested, from below others, or none but the folder."""
    if any(not item.is_folder for item in listed.items):
        return False
    paths = {item.path for item in listed.items}
    is_deep = len(listed.items) > listed.reply.given or any(_nearest(path, location.path) != path for path in paths)
    return is_deep or paths == {location.path}


def _walked(location: Location, at: Cursor, listed: Listed) -> tuple[Cursor | None, tuple[StorageError, ...]]:
    """Where a listing goes on after a page; what the page lacks, and at its end, entries reported but never given."""
    reply, items, damaged = listed
    lost = unreadable(damaged, location.address)
    again = bool(items) and items[0].path == at.last
    given = at.given + max(reply.given, len(items) + damaged) - again
    total = min((number for number in (at.total, reply.total) if number is not None), default=None)
    if reply.token:
        last = items[-1].path if items else at.last
        return Cursor(at.kind, reply.token, last, given, total), lost
    if total is None or total <= given:
        return None, lost
    lacks = PartialError(
        f"the service reports {total:,} entries here, and gave {given:,}",
        subject=location.address,
        hint="Run it once more; if it stays so, its support can look at what is wrong there.",
    )
    return None, (*lost, lacks)


def _packed(cursor: Cursor | None) -> str | None:
    return msgspec.json.encode(cursor).decode() if cursor is not None else None


def _unpacked(text: str, location: Location) -> Cursor:
    try:
        return msgspec.json.decode(text, type=Cursor)
    except msgspec.DecodeError:
        raise UsageError("this is not a cursor of this service", subject=location.address) from None
