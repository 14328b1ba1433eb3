"""Files of this machine to the folder on the screen."""

from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace
from textual.screen import Screen

from cloudstore_tui.core.models import Entry, Location, StoredObject, identity
from cloudstore_tui.core.provider import Capability
from cloudstore_tui.state.memory import JsonState
from cloudstore_tui.transfers.model import OnConflict, State, TransferSnapshot, UploadRequest
from cloudstore_tui.ui.browser.actions import ActionGroup, action
from cloudstore_tui.ui.browser.listing import ListingController, ListingState
from cloudstore_tui.ui.dialogs.dialog import ConsentDialog
from cloudstore_tui.ui.dialogs.fetching import ConflictDialog
from cloudstore_tui.ui.downloads import Conflict, Side
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.transfer_watch import TransferWatch


class UploadActions(ActionGroup):
    """Asks for files, for consent where the folder is not meant for them, and before anything is replaced."""

    def __init__(self, screen: Screen[None], listing: ListingController, watch: TransferWatch) -> None:
        super().__init__(screen, listing)
        self._watch = watch
        self.last_folder = JsonState(None, str, "")
        """Where the last files came from; the app says where that is kept."""

    @property
    def takes_files(self) -> bool:
        """Whether this is a folder of the service, and not a search or place."""
        state = self.listing.state
        return state is not None and _takes_files(state)

    @action(
        "u",
        "Upload",
        "Upload files of this machine to this folder",
        needs=Capability.UPLOAD,
        when=lambda self: self.takes_files,
        opens=True,
    )
    async def upload(self) -> None:
        from cloudstore_tui.ui.dialogs.paths import UploadDialog

        state = self.listing.state
        if state is None:
            return
        folder = state.target.location
        paths = await self.screen.app.push_screen_wait(UploadDialog(folder.address, self._start()))
        if paths:
            self.last_folder.write(str(paths[-1].parent.absolute()))
        if not paths or not await self._is_wanted(state, folder):
            return
        taken = [path for path in paths if _at(state, folder, path) is not None]
        answer: OnConflict | None = OnConflict.SKIP
        if taken:
            conflicts = [_conflict(state, folder, path) for path in taken]
            dialog = ConflictDialog(conflicts, folder.address, self.listing.zone, uploads=True)
            answer = await self.screen.app.push_screen_wait(dialog)
        if answer is None:
            return
        replaces = answer is OnConflict.OVERWRITE
        wanted = paths if replaces else [path for path in paths if path not in taken]
        title = wanted[0].name if len(wanted) == 1 else counted(len(wanted), "file")
        requests = [UploadRequest(path, _target(folder, path), replaces) for path in wanted]
        self._watch.submit(requests, title, folder.address)

    def _start(self) -> Path:
        last = Path(self.last_folder.read() or Path.cwd())
        return last if last.is_dir() else Path.cwd()

    def read_arrived(self, ended: tuple[TransferSnapshot, ...]) -> None:
        """Read the folder on the screen again when something arrived in it."""
        state = self.listing.state
        if state is None or (self.listing.is_busy and self._watch.unfinished):
            return
        here = state.target.location
        uploads = [t.request.location for t in ended if isinstance(t.request, UploadRequest) and t.state is State.DONE]
        mine = (location for location in uploads if location.profile == here.profile)
        arrived = [location for location in mine if state.provider.parent(location) == here]
        if arrived:
            self.listing.read_again(at=identity(StoredObject(arrived[-1], Path(arrived[-1].path).name)))

    async def _is_wanted(self, state: ListingState, folder: Location) -> bool:

        caution = state.provider.upload_caution(folder)
        if not caution:
            return True
        reasons = [folder.address, caution]
        return await self.screen.app.push_screen_wait(ConsentDialog("Upload here anyway?", reasons, yes="Upload"))


def _takes_files(state: ListingState) -> bool:
    location = state.target.location
    return state.target.query is None and bool(location.path) and state.provider.is_folder(location)


def _target(folder: Location, path: Path) -> Location:
    return replace(folder, path=folder.path + path.name)


def _at(state: ListingState, folder: Location, path: Path) -> Entry | None:
    """The object of that name among the loaded rows; the service is asked about the others anyway."""
    index = state.store.index_of(identity(StoredObject(_target(folder, path), path.name)))
    return state.store.at(index) if index is not None else None


def _conflict(state: ListingState, folder: Location, path: Path) -> Conflict:
    """The object that is there, and the file that would replace it."""
    entry = _at(state, folder, path)
    there = Side()
    if isinstance(entry, StoredObject):
        there = Side(entry.size, entry.size_exact, entry.modified or entry.created, entry.checksum)
    try:
        found = path.stat()
    except OSError:
        return Conflict(path.name, path.name, there, Side())
    return Conflict(path.name, path.name, there, Side(found.st_size, True, datetime.fromtimestamp(found.st_mtime, UTC)))
