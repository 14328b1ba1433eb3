"""What is asked of the engine for the objects of a plan, one after the other."""

from collections.abc import Iterator

from cloudstore_tui.archive.folder import PullFolder
from cloudstore_tui.archive.item import Fate, Item, key_of
from cloudstore_tui.archive.plan import PullPlan
from cloudstore_tui.archive.recorder import Outcome
from cloudstore_tui.core.location import Location
from cloudstore_tui.transfers.model import DownloadRequest, OnConflict, Request, ZipRequest
from cloudstore_tui.transfers.zip.plan import Batch, Direct, Packer


class Steps:
    """Makes requests out of the items that are wanted, as they are asked for."""

    def __init__(self, plan: PullPlan, folder: PullFolder, on_conflict: OnConflict) -> None:
        self._plan = plan
        self._folder = folder
        self._on_conflict = on_conflict

    def single(self) -> Iterator[DownloadRequest]:
        """Every object by itself."""
        for item in self._plan.items(Fate.WANTED):
            yield self.request(item)

    def packed(self) -> Iterator[Request | Outcome]:
        """Zips, the objects that fit into none, and what became of those that cannot be had."""
        packer = Packer()
        for item in self._plan.items(Fate.WANTED):
            for part in packer.add(item.entry):
                if isinstance(part, Batch):
                    yield self._zip(part)
                elif isinstance(part, Direct):
                    yield self.request(item)
                else:
                    yield Outcome(item, Fate.MISSING, error=part.error)
        for batch in packer.rest():
            yield self._zip(batch)

    def _zip(self, batch: Batch) -> ZipRequest:
        found = (self._plan.find(key_of(entry.location)) for entry in batch.entries)
        members = tuple(self.request(item) for item in found if item is not None)
        return ZipRequest(members, Location(members[0].location.profile, batch.region), self._folder.path)

    def request(self, item: Item) -> DownloadRequest:
        """One object by itself."""
        file = self._folder.file(item.path)
        return DownloadRequest(item.entry.location, file.parent, file.name, self._on_conflict, item.entry, sha256=True)


def downloads_of(request: Request) -> tuple[DownloadRequest, ...]:
    """The objects that a request brings."""
    if isinstance(request, ZipRequest):
        return request.members
    return (request,) if isinstance(request, DownloadRequest) else ()
