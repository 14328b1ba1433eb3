"""Restores for the screens: polled while the program runs, and announced once when they are ready."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from pathlib import Path

from textual.app import App
from textual.signal import Signal

from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.fs.names import safe_name
from cloudstore_tui.restores import (
    UNSETTLED,
    RestorePoller,
    RestoreRequest,
    RestoreStatus,
    RestoreStep,
    RestoreStore,
    utc_now,
)
from cloudstore_tui.transfers.model import DownloadRequest, OnConflict, State, TransferSnapshot
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.report import notify_plain, report
from cloudstore_tui.ui.transfer_text import object_title
from cloudstore_tui.ui.transfer_watch import TransferWatch

_REPORTED = frozenset({RestoreStatus.FAILED, RestoreStatus.WAITING, RestoreStatus.UNKNOWN})
_IN_PROGRESS = frozenset({RestoreStatus.ASKING, RestoreStatus.RESTORING, RestoreStatus.UNKNOWN})


class RestoreWatch:
    """Polls the restores that were requested; idle while there are none."""

    def __init__(
        self,
        app: App[None],
        providers: Mapping[str, StorageProvider],
        watch: TransferWatch,
        folder: Path,
        pauses: tuple[int, ...],
        path: Path,
    ) -> None:
        """Download restored objects to `folder`, and keep the list in the file `path`."""
        self._app = app
        self._providers = providers
        self._watch = watch
        self._folder = folder
        self.ready: Signal[None] = Signal(app, "restores ready")
        """Published when the objects ready to download may have changed."""
        self.waiting: tuple[RestoreRequest, ...] = ()
        """Restored objects that were not downloaded yet."""
        self.asked: frozenset[Location] = frozenset()
        """Objects that need no further request: they are being restored, or are back."""
        self.in_progress: Signal[frozenset[Location]] = Signal(app, "restores in progress")
        """Published with the objects that are being restored."""
        self._woken = asyncio.Event()
        self._running = False
        self._store = RestoreStore(path)
        self._poller = RestorePoller(self._store, providers.__getitem__, lambda: tuple(providers), pauses)

    def begin(self) -> None:
        """Resume polling the list."""
        if self._app.is_running:
            self._watch.ended.subscribe(self._app, self._on_transfers_ended)
            self.wake()

    def wake(self) -> None:
        """Poll now, as the list has changed."""
        self._woken.set()
        if not self._running:
            self._running = True
            self._app.run_worker(self._poll_until_done(), group="restores")

    async def requests(self) -> tuple[RestoreRequest, ...]:
        requests = await asyncio.to_thread(self._store.requests)
        for request in requests:
            # The title may name a person who is in none of the lists of this run.
            MASK.learn_title(request.title)
        return requests

    async def add(self, requests: Sequence[RestoreRequest]) -> None:
        """Add requests and send them at once."""
        await asyncio.to_thread(self._store.add, requests)
        self.wake()

    async def forget(self, locations: Sequence[Location]) -> None:
        await asyncio.to_thread(self._store.forget, locations)

    async def poll(self) -> None:
        """Ask the service about every restore in progress, at the user's request."""
        async for step in self._poller.poll(early=True):
            self._report_trouble(step)
        await self._announce()

    def download(self, requests: Iterable[RestoreRequest]) -> int:
        """Download what is ready; return how many."""
        now = utc_now()
        ready = [request for request in requests if request.can_be_fetched(now)]
        downloads = list(map(self._download_request, ready))
        if downloads:
            title = (ready[0].title or ready[0].name) if len(ready) == 1 else counted(len(ready), "restored file")
            self._watch.submit(downloads, title, str(downloads[0].folder))
        return len(ready)

    def _download_request(self, request: RestoreRequest) -> DownloadRequest:
        folder = Path(request.folder) if request.folder else self._folder
        # Objects of one call may share a name.
        return DownloadRequest(request.location, folder, safe_name(request.name), OnConflict.KEEP_BOTH)

    async def _poll_until_done(self) -> None:
        """Poll until no restore is left to wait for."""
        try:
            while await asyncio.to_thread(self._has_work):
                self._woken.clear()
                async for step in self._poller.ask():
                    self._report_trouble(step)
                async for step in self._poller.poll():
                    self._report_trouble(step)
                await self._announce()
                await self._pause()
        finally:
            self._running = False

    def _has_work(self) -> bool:
        now = utc_now()
        if self._store.next_due(tuple(self._providers), now) is not None:
            return True
        return any(request.can_be_fetched(now) for request in self._store.requests())

    async def _pause(self) -> None:
        """Wait until the next poll is due or the list changes."""
        waits = [asyncio.ensure_future(self._poller.wait()), asyncio.ensure_future(self._woken.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _announce(self) -> None:
        """Announce once, across all running programs, which restored copies expire soon."""
        ready = await asyncio.to_thread(self._store.take_ready)
        ending = await asyncio.to_thread(self._store.take_expiring, utc_now())
        late = [request for request in ending if request not in ready]
        if late:
            what = counted(len(late), "restored copy", "restored copies")
            notify_plain(
                self._app, f"{what} will be gone within a day: fetch with d in the list of restores (Q).", "warning"
            )
        await self._update_ready()

    async def _update_ready(self) -> None:
        """Update what is ready and what is in progress."""
        now = utc_now()
        requests = await self.requests()
        self.waiting = tuple(one for one in requests if one.can_be_fetched(now))
        self.asked = frozenset(one.location for one in requests if is_asked(one, now) or one.can_be_fetched(now))
        self.ready.publish(None)
        self.in_progress.publish(frozenset(one.location for one in requests if one.status in _IN_PROGRESS))

    def _report_trouble(self, step: RestoreStep) -> None:
        if step.error is not None and step.status in _REPORTED:
            report(self._app, step.error)

    def _on_transfers_ended(self, transfers: tuple[TransferSnapshot, ...]) -> None:
        """Stop announcing what was downloaded."""
        done = [transfer.request.location for transfer in transfers if transfer.state is State.DONE]
        if done:
            self._app.run_worker(self._mark_fetched(done), group="restores")

    async def _mark_fetched(self, locations: Sequence[Location]) -> None:
        for location in locations:
            await asyncio.to_thread(self._store.mark_fetched, location)
        await self._update_ready()


def is_asked(request: RestoreRequest, now: datetime) -> bool:
    """Whether the object needs no further request for now."""
    is_open = request.is_unsettled(now) and not request.is_abandoned(now)
    return is_open and request.status in UNSETTLED - {RestoreStatus.UNKNOWN}


def request_of(entry: StoredObject, days: int, zone: tzinfo) -> RestoreRequest:
    """A request for an object, not yet sent."""
    title = object_title(entry, zone)
    return RestoreRequest(entry.location, entry.name, entry.size, days, utc_now(), title=title)
