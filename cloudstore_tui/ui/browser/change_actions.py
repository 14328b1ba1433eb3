"""What changes objects on the service: uploads, deletions, restores from the archive."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from msgspec.structs import replace
from textual.worker import Worker

from cloudstore_tui.core.models import Entry, Location, StoredObject, identity
from cloudstore_tui.core.provider import Capability, Deletion, DeletionOutcome
from cloudstore_tui.deletions import DeletionLog, delete_logged
from cloudstore_tui.restores import ARCHIVED, utc_now
from cloudstore_tui.state.memory import JsonState
from cloudstore_tui.transfers.model import OnConflict, State, TransferSnapshot, UploadRequest
from cloudstore_tui.ui.browser.actions import Action, ActionGroup
from cloudstore_tui.ui.browser.listing import ListingState
from cloudstore_tui.ui.dialogs.dialog import ConsentDialog, MessageDialog
from cloudstore_tui.ui.dialogs.fetching import ConflictDialog
from cloudstore_tui.ui.downloads import Conflict, Side
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.report import join_clauses, notify_plain
from cloudstore_tui.ui.restore_watch import RestoreWatch, is_asked, request_of
from cloudstore_tui.ui.transfer_watch import TransferWatch


@dataclass(eq=False)
class UploadActions(ActionGroup):
    """Upload files; asks first if the folder is not meant for uploads, or an object would be replaced."""

    watch: TransferWatch
    last_folder: JsonState[str]
    """The local folder of the last upload."""

    @property
    def takes_files(self) -> bool:
        """Whether a real folder is listed, neither a search nor a virtual folder."""
        state = self.listing.state
        if state is None or state.target.query is not None:
            return False
        location = state.target.location
        return bool(location.path) and state.provider.is_folder(location)

    @Action("u", "Upload", "Upload files to this folder", needs=Capability.UPLOAD, when="takes_files", opens=True)
    async def upload(self) -> None:
        from cloudstore_tui.ui.dialogs.paths import UploadDialog

        state, folder = self.state, self.state.target.location
        start = await asyncio.to_thread(self._start)
        paths = await self.screen.app.push_screen_wait(UploadDialog(folder.address, start))
        if paths:
            self.last_folder.write(str(paths[-1].parent.absolute()))
        if not paths or not await self._is_confirmed(state, folder):
            return
        loaded = {path: _loaded_at(state, folder, path) for path in paths}
        taken = {path: entry for path, entry in loaded.items() if entry is not None}
        answer: OnConflict | None = OnConflict.SKIP
        if taken:
            files = await asyncio.to_thread(lambda: list(map(_side, taken)))
            there = [Side.of(old) if isinstance(old, StoredObject) else Side() for old in taken.values()]
            sides = zip(taken, there, files, strict=True)
            conflicts = [Conflict(path.name, path.name, old, new) for path, old, new in sides]
            dialog = ConflictDialog(conflicts, folder.address, self.listing.zone, uploads=True)
            answer = await self.screen.app.push_screen_wait(dialog)
        if answer is None:
            return
        replaces = answer is OnConflict.OVERWRITE
        wanted = paths if replaces else [path for path in paths if path not in taken]
        title = wanted[0].name if len(wanted) == 1 else counted(len(wanted), "file")
        requests = [UploadRequest(path, _target(folder, path), replaces) for path in wanted]
        self.watch.submit(requests, title, folder.address)

    def _start(self) -> Path:
        last = Path(self.last_folder.read() or Path.cwd())
        return last if last.is_dir() else Path.cwd()

    async def _is_confirmed(self, state: ListingState, folder: Location) -> bool:
        caution = state.provider.upload_caution(folder)
        if not caution:
            return True
        reasons = [folder.address, caution]
        return await self.screen.app.push_screen_wait(ConsentDialog("Upload here anyway?", reasons, yes="Upload"))

    def read_arrived(self, ended: tuple[TransferSnapshot, ...]) -> None:
        """Reload the listed folder when an upload to it has ended."""
        state = self.listing.state
        if state is None or (self.listing.is_busy and self.watch.unfinished):
            return
        here = state.target.location
        uploads = [t.request.location for t in ended if isinstance(t.request, UploadRequest) and t.state is State.DONE]
        mine = (location for location in uploads if location.profile == here.profile)
        arrived = [location for location in mine if state.provider.parent(location) == here]
        if arrived:
            self.listing.read_again(at=identity(StoredObject(arrived[-1], Path(arrived[-1].path).name)))


def _target(folder: Location, path: Path) -> Location:
    return replace(folder, path=folder.path + path.name)


def _loaded_at(state: ListingState, folder: Location, path: Path) -> Entry | None:
    """The loaded entry that an upload would replace; the transfer asks the service about those not loaded."""
    index = state.store.index_of(identity(StoredObject(_target(folder, path), path.name)))
    return state.store.at(index) if index is not None else None


def _side(path: Path) -> Side:
    """What is known of a file that is to be uploaded."""
    try:
        found = path.stat()
    except OSError:
        return Side()
    return Side(found.st_size, True, datetime.fromtimestamp(found.st_mtime, UTC))


@dataclass(eq=False)
class DeletionActions(ActionGroup):
    """Delete exactly the objects that the user confirmed, and report the outcome of each."""

    log: DeletionLog
    running: int = 0
    """The number of objects that are being deleted."""

    @Action(
        "delete,f8,X",
        "Delete",
        "Delete what is marked, or this file",
        needs=Capability.DELETE,
        offered="on_object",
        opens=True,
    )
    async def delete(self) -> None:
        from cloudstore_tui.ui.dialogs.questions import DeleteDialog

        state = self.state
        if self.running or not (objects := self.chosen_objects()):
            return
        if await self.screen.app.push_screen_wait(DeleteDialog(objects, state.zone)):
            self.running = len(objects)
            # In a worker of its own: further keys are for the list again.
            _: Worker[None] = self.screen.run_worker(partial(self._delete, state, objects), group="deletion")

    async def _delete(self, state: ListingState, objects: Sequence[StoredObject]) -> None:
        try:
            with self.listing.doing(f"deleting {counted(len(objects), 'object')}…"):
                outcomes = await delete_logged(self.log, state.provider, objects)
        finally:
            self.running = 0
        by_location = {entry.location: entry for entry in objects}
        self.listing.remove(state, [identity(by_location[f.location]) for f in outcomes if f.outcome.is_gone])
        self._notify_outcomes(outcomes)

    def _notify_outcomes(self, outcomes: Sequence[Deletion]) -> None:
        numbers = Counter(deletion.outcome for deletion in outcomes)
        known = [outcome for outcome in DeletionOutcome if numbers[outcome]]
        summary = join_clauses([f"{counted(numbers[outcome], 'object')} {outcome.value}" for outcome in known])
        left = [deletion for deletion in outcomes if not deletion.outcome.is_gone or deletion.error is not None]
        notify_plain(self.screen, summary, "warning" if left else "information")
        if left:
            lines = [str(one.error or f"{one.location.address}: {one.outcome.value}.") for one in left]
            self.screen.app.push_screen(MessageDialog(summary, "\n".join(lines)))


@dataclass(eq=False)
class RestoreActions(ActionGroup):
    """Request restores of archived objects, and show all requests."""

    watch: RestoreWatch

    @property
    def on_unrequested(self) -> bool:
        """Whether the cursor is on an archived object without a restore request."""
        entry = self.listing.entry
        return self.on_archived and entry is not None and entry.location not in self.watch.asked

    @Action("B", "Restore", "Restore archived files", needs=Capability.RESTORE, offered="on_unrequested", opens=True)
    async def restore(self) -> None:
        from cloudstore_tui.ui.dialogs.questions import RestoreDialog

        objects = self.chosen_objects()
        archived = [entry for entry in objects if entry.state == ARCHIVED]
        if objects and not archived:
            notify_plain(self.screen, "Not archived: there is nothing to restore.", "warning")
        if not archived:
            return
        now = utc_now()
        asked = {request.location for request in await self.watch.requests() if is_asked(request, now)}
        new = [entry for entry in archived if entry.location not in asked]
        if not new:
            notify_plain(self.screen, "Restore requested already. Q shows progress.")
            return
        dialog = RestoreDialog(new, len(objects) - len(archived), self.listing.zone)
        days = await self.screen.app.push_screen_wait(dialog)
        if days is None:
            return
        await self.watch.add([request_of(entry, days, self.listing.zone) for entry in new])
        notify_plain(self.screen, f"Restore of {counted(len(new), 'object')} requested. Q shows progress.")

    @Action("Q", "Restores", "Show restores and what is ready", id="browser.restores", everywhere=True)
    def restores(self) -> None:
        from cloudstore_tui.ui.screens.restores import RestoresScreen

        self.screen.app.push_screen(RestoresScreen(self.watch, self.listing.zone))
