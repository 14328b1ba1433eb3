"""Everything below a folder, for services that have folders instead of a search."""

from collections.abc import AsyncIterator
from datetime import datetime

from cloudstore_tui.core.entry import Entry, Folder, StoredObject, identity
from cloudstore_tui.core.errors import MissingError, StorageError
from cloudstore_tui.core.location import Location
from cloudstore_tui.core.page import Pager
from cloudstore_tui.core.provider import StorageProvider


class FolderListing:
    """Walks a folder and all below it, depth first."""

    def __init__(self, provider: StorageProvider, root: Location, newer_than: datetime | None = None) -> None:
        self._provider = provider
        self._root = root
        self._newer_than = newer_than
        self.unit = "folder"
        """What `windows` counts."""
        self.windows = 0
        """Folders looked at so far."""
        self.warnings: dict[str, None] = {}
        """Sentences that a user should see, each once."""
        self.errors: list[StorageError] = []
        """Why some folders could not be listed to their end."""

    async def pages(self) -> AsyncIterator[tuple[StoredObject, ...]]:
        """The objects, page by page. A folder further down that cannot be read does not end the walk.

        Raises:
            StorageError: the folder itself cannot be read.
        """
        waiting = [self._root]
        while waiting:
            here = waiting.pop()
            self.windows += 1
            below: list[Location] = []
            async for page in self._entries(here):
                below += [entry.location for entry in page if isinstance(entry, Folder) and _is_below(entry, here)]
                yield tuple(entry for entry in page if isinstance(entry, StoredObject) and self._is_wanted(entry))
            waiting += reversed(below)

    async def _entries(self, here: Location) -> AsyncIterator[tuple[Entry, ...]]:
        pager = Pager(lambda cursor: self._provider.browse(here, cursor), identity, here.address)
        try:
            async for page in pager:
                self.warnings |= dict.fromkeys(page.warnings)
                yield page.items
        except MissingError:
            # Services without real folders know nothing of one that became empty.
            if here == self._root:
                raise
        except StorageError as error:
            if here == self._root:
                raise
            self.errors.append(error.about(here.address))

    def _is_wanted(self, entry: StoredObject) -> bool:
        """Whether it is new enough; an object of unknown age is."""
        return self._newer_than is None or entry.modified is None or entry.modified >= self._newer_than


def _is_below(folder: Folder, here: Location) -> bool:
    """Whether a folder is really further down: a faulty service must not lead us in circles."""
    return folder.location.path.startswith(here.path) and folder.location.path != here.path
