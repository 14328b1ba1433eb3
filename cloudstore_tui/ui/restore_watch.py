"""Restores as the screen sees them: looked after while the browser is open, and told once when they are ready."""

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
    GOING_ON,
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

_TROUBLE = frozenset({RestoreStatus.FAILED, RestoreStatus.WAITING, RestoreStatus.UNKNOWN})
_ON_WAY = frozenset({RestoreStatus.ASKING, RestoreStatus.RESTORING, RestoreStatus.UNKNOWN})


class RestoreWatch:
    """Does nothing, and costs nothing, while nothing was asked for."""

    def __init__(
        self,
        app: App[None],
        providers: Mapping[str, StorageProvider],
        watch: TransferWatch,
        folder: Path,
        pauses: tuple[int, ...],
        path: Path,
    ) -> None:
        """Fetch into a folder what comes back, and keep the list in the file at `path`."""
        self._app = app
        self._providers = providers
        self._watch = watch
        self._folder = folder
        self.ready: Signal[None] = Signal(app, "restores ready")
        """Whenever others may wait to be fetched than before."""
        self.waiting: tuple[RestoreRequest, ...] = ()
        """The restored objects that wait to be fetched."""
        self.asked: frozenset[Location] = frozenset()
        """What need not be asked for again: it is on its way, or back."""
        self.on_way: Signal[frozenset[Location]] = Signal(app, "restores on their way")
        """The objects that the service was asked for."""
        self._news = asyncio.Event()
        self._running = False
        self._store = RestoreStore(path)
        self._poller = RestorePoller(self._store, providers.__getitem__, lambda: tuple(providers), pauses)

    def begin(self) -> None:
        """Go on with what is on the list."""
        if self._app.is_running:
            self._watch.ended.subscribe(self._app, self._note_ended)
            self.wake()

    def wake(self) -> None:
        """Look at the list now: something was put on it."""
        self._news.set()
        if not self._running:
            self._running = True
            self._app.run_worker(self._serve(), group="restores")

    async def requests(self) -> tuple[RestoreRequest, ...]:
        requests = await asyncio.to_thread(self._store.requests)
        for request in requests:
            # A request of an earlier run may be named after somebody that no list of this run holds.
            MASK.learn_title(request.title)
        return requests

    async def add(self, requests: Sequence[RestoreRequest]) -> None:
        """Put requests on the list; they are asked for at once."""
        await asyncio.to_thread(self._store.add, requests)
        self.wake()

    async def forget(self, locations: Sequence[Location]) -> None:
        await asyncio.to_thread(self._store.forget, locations)

    async def poll(self) -> None:
        """Ask the service about everything that is on its way, because the user wants to know."""
        async for step in self._poller.poll(early=True):
            self._report_trouble(step)
        await self._notify_changes()

    def download(self, requests: Iterable[RestoreRequest]) -> int:
        """Fetch what is ready; how many are."""
        now = utc_now()
        ready = [request for request in requests if request.can_be_fetched(now)]
        downloads = list(map(self._download_request, ready))
        if downloads:
            title = (ready[0].title or ready[0].name) if len(ready) == 1 else counted(len(ready), "restored file")
            self._watch.submit(downloads, title, str(downloads[0].folder))
        return len(ready)

    def _download_request(self, request: RestoreRequest) -> DownloadRequest:
        folder = Path(request.folder) if request.folder else self._folder
        # Several objects of one call may have one name.
        return DownloadRequest(request.location, folder, safe_name(request.name), OnConflict.KEEP_BOTH)

    async def _serve(self) -> None:
        """Go on as long as something is to come."""
        try:
            while await asyncio.to_thread(self._has_work):
                self._news.clear()
                async for step in self._poller.ask():
                    self._report_trouble(step)
                async for step in self._poller.poll():
                    self._report_trouble(step)
                await self._notify_changes()
                await self._pause()
        finally:
            self._running = False

    def _has_work(self) -> bool:
        now = utc_now()
        if self._store.next_due(tuple(self._providers), now) is not None:
            return True
        return any(request.can_be_fetched(now) for request in self._store.requests())

    async def _pause(self) -> None:
        """Until something is due, or was put on the list."""
        waits = [asyncio.ensure_future(self._poller.wait()), asyncio.ensure_future(self._news.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _notify_changes(self) -> None:
        """Say once what is ready, and once what ends soon; whoever sits at another browser is not told again."""
        ready = await asyncio.to_thread(self._store.take_ready)
        ending = await asyncio.to_thread(self._store.take_expiring, utc_now())
        late = [request for request in ending if request not in ready]
        if late:
            what = counted(len(late), "restored copy", "restored copies")
            notify_plain(
                self._app, f"{what} will be gone within a day: fetch with d in the list of restores (Q).", "warning"
            )
        await self._count_ready()

    async def _count_ready(self) -> None:
        """Say how many wait to be fetched, as long as they do."""
        now = utc_now()
        requests = await self.requests()
        self.waiting = tuple(one for one in requests if one.can_be_fetched(now))
        self.asked = frozenset(one.location for one in requests if is_asked(one, now) or one.can_be_fetched(now))
        self.ready.publish(None)
        self.on_way.publish(frozenset(one.location for one in requests if one.status in _ON_WAY))

    def _report_trouble(self, step: RestoreStep) -> None:
        if step.error is not None and step.status in _TROUBLE:
            report(self._app, step.error)

    def _note_ended(self, transfers: tuple[TransferSnapshot, ...]) -> None:
        """What was fetched needs no reminder any more."""
        done = [transfer.request.location for transfer in transfers if transfer.state is State.DONE]
        if done:
            self._app.run_worker(self._note_fetched(done), group="restores")

    async def _note_fetched(self, locations: Sequence[Location]) -> None:
        for location in locations:
            await asyncio.to_thread(self._store.mark_fetched, location)
        await self._count_ready()


def is_asked(request: RestoreRequest, now: datetime) -> bool:
    """Whether asking once more would be pointless."""
    return request.goes_on(now) and request.status in GOING_ON - {RestoreStatus.UNKNOWN}


def request_of(entry: StoredObject, days: int, zone: tzinfo) -> RestoreRequest:
    """A request for an object, that nobody was asked for yet."""
    title = object_title(entry, zone)
    return RestoreRequest(entry.location, entry.name, entry.size, days, utc_now(), title=title)
