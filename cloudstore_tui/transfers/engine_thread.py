"""The manager and the providers in a thread of their own, and how the caller's loop uses them."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Concatenate, ParamSpec, TypeVar

from cloudstore_tui.core.errors import ConfigError, StorageError, UnavailableError
from cloudstore_tui.core.links import ReadPiece, Source
from cloudstore_tui.core.models import Query, StoredObject
from cloudstore_tui.core.paging import Fetch, Page
from cloudstore_tui.core.profile import Profile, Timeouts
from cloudstore_tui.core.provider import Capability, Session, StorageProvider
from cloudstore_tui.transfers.journal.store import JournalStore
from cloudstore_tui.transfers.left_overs import ForeignTransfer
from cloudstore_tui.transfers.manager import Listener, TransferManager, new_transfer_id
from cloudstore_tui.transfers.model import Request, State, TransferSnapshot
from cloudstore_tui.transfers.workers import start_thread

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class LoopHandle:
    """The loop in which providers live, once it runs."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None

    async def run(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """The result of `work`, run in the other loop. Cancelling this cancels that.

        Raises:
            UnavailableError: the other loop has ended.
        """
        if self.loop is None:
            raise UnavailableError("the program is ending")
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work(), self.loop))


def _hop(
    method: Callable[Concatenate[Any, Arguments], Awaitable[Result]],
) -> Callable[Concatenate["ProviderProxy", Arguments], Coroutine[Any, Any, Result]]:
    """The same method, run in the loop where the provider lives."""

    async def hop(self: "ProviderProxy", /, *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        real = getattr(self.real, method.__name__)
        return await self.handle.run(lambda: real(*arguments, **named))

    hop.__name__, hop.__doc__ = method.__name__, method.__doc__
    return hop


def _direct(
    method: Callable[Concatenate[Any, Arguments], Result],
) -> Callable[Concatenate["ProviderProxy", Arguments], Result]:
    """The same method, run where it is called."""

    def call(self: "ProviderProxy", /, *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        result: Result = getattr(self.real, method.__name__)(*arguments, **named)
        return result

    call.__name__, call.__doc__ = method.__name__, method.__doc__
    return call


async def _awaited(page: Awaitable[Page[StoredObject]]) -> Page[StoredObject]:
    return await page


class ProviderProxy(StorageProvider):
    """Runs methods that send requests in the provider's own loop, and the others directly."""

    def __init__(self, open_provider: Callable[[], StorageProvider], handle: LoopHandle) -> None:
        self.handle = handle
        self._open_provider = open_provider
        self._opening = threading.Lock()
        self._real: StorageProvider | None = None

    @property
    def real(self) -> StorageProvider:
        """The provider itself, opened when it is first needed. Only for the thread it lives in."""
        with self._opening:
            if self._real is None:
                self._real = self._open_provider()
            return self._real

    @property
    def opened(self) -> StorageProvider | None:
        """The provider itself, if it has been needed."""
        return self._real

    @property
    def profile(self) -> Profile:  # type: ignore[override]  # an attribute there, but known only once opened here
        """The profile of the provider."""
        return self.real.profile

    @property
    def capabilities(self) -> frozenset[Capability]:
        """The abilities of the provider."""
        return self.real.capabilities

    @property
    def session(self) -> Session:
        """The state of the login."""
        return self.real.session

    @asynccontextmanager
    async def prefetch(self, query: Query) -> AsyncIterator[Fetch[StoredObject]]:
        """How the pages of a query are fetched where all are wanted."""
        real = self.real.prefetch(query)
        fetch = await self.handle.run(lambda: real.__aenter__())
        try:
            yield lambda cursor: self.handle.run(lambda: _awaited(fetch(cursor)))
        finally:
            await self.handle.run(lambda: real.__aexit__(None, None, None))

    locate = _direct(StorageProvider.locate)
    is_folder = _direct(StorageProvider.is_folder)
    parent = _direct(StorageProvider.parent)
    query = _direct(StorageProvider.query)
    object_from_address = _direct(StorageProvider.object_from_address)
    columns = _direct(StorageProvider.columns)
    upload_caution = _direct(StorageProvider.upload_caution)
    taken_to = _direct(StorageProvider.taken_to)

    folders = _hop(StorageProvider.folders)
    browse = _hop(StorageProvider.browse)
    stat = _hop(StorageProvider.stat)
    source = _hop(StorageProvider.source)
    check = _hop(StorageProvider.check)
    close = _hop(StorageProvider.close)
    search = _hop(StorageProvider.search)
    count = _hop(StorageProvider.count)
    measure = _hop(StorageProvider.measure)
    link = _hop(StorageProvider.link)
    target = _hop(StorageProvider.target)
    delete = _hop(StorageProvider.delete)
    related = _hop(StorageProvider.related)
    start_zip = _hop(StorageProvider.start_zip)
    zip_job = _hop(StorageProvider.zip_job)
    zip_jobs = _hop(StorageProvider.zip_jobs)
    cancel_zip = _hop(StorageProvider.cancel_zip)
    clear_zips = _hop(StorageProvider.clear_zips)
    zip_source = _hop(StorageProvider.zip_source)
    restore = _hop(StorageProvider.restore)


class Relay:
    """Calls a listener in another loop, once for all changes since the last call."""

    def __init__(self, listener: Listener) -> None:
        """The listener is called in the loop that is running now."""
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._changed: set[int] = set()

    def __call__(self, changed: frozenset[int]) -> None:
        """Pass changes on."""
        with self._lock:
            first = not self._changed
            self._changed |= changed
        if first and changed:
            with suppress(RuntimeError):  # the other loop has ended
                self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        with self._lock:
            changed, self._changed = frozenset(self._changed), set()
        self._listener(changed)


_log = logging.getLogger(__name__)

FINISH_POLL_S = 0.5
"""Seconds between two checks of whether all is done."""
CLOSE_TIMEOUT_S = 1.9
"""Seconds that everything gets to end."""


def _soon(
    method: Callable[Concatenate[TransferManager, Arguments], object],
) -> Callable[Concatenate["EngineThread", Arguments], None]:
    """The same method, run soon in the thread of the transfers; nobody waits for it."""

    def call(self: "EngineThread", /, *arguments: Arguments.args, **named: Arguments.kwargs) -> None:
        self.call_soon(lambda manager: method(manager, *arguments, **named))

    call.__name__, call.__doc__ = method.__name__, method.__doc__
    return call


class EngineThread:
    """Runs providers and transfers in an event loop of their own. No method but `start` and `stop` waits."""

    def __init__(
        self,
        open_provider: Mapping[str, Callable[[], StorageProvider]],
        at_once: int = 4,
        timeouts: Timeouts | None = None,
        *,
        journal: JournalStore | None = None,
        polls: tuple[int, ...] = (5, 10, 20),
    ) -> None:
        """The arguments are those of `TransferManager`."""
        self._at_once = at_once
        self._timeouts = timeouts
        self._journal = journal
        self._polls = polls
        self.keeps = journal is not None
        """Whether transfers that are not done outlive the program."""
        self._handle = LoopHandle()
        self._proxies = {name: ProviderProxy(opener, self._handle) for name, opener in open_provider.items()}
        self.providers: Mapping[str, StorageProvider] = self._proxies
        """The providers by profile, to be used from the caller's loop."""
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None

    def add(self, name: str, open_provider: Callable[[], StorageProvider]) -> None:
        """Take one more profile into use."""
        self._proxies[name] = ProviderProxy(open_provider, self._handle)

    def start(self) -> None:
        """Start the thread, and return when it takes work.

        Raises:
            LocalDiskError: the system starts no more threads.
            StorageError: it ended at once.
        """
        self._thread = start_thread(self._serve, "transfers")
        self._ready.wait()
        if self._failure is not None:
            raise StorageError(
                f"the transfers cannot be started ({type(self._failure).__name__})", hint="Please report this."
            ) from self._failure

    def finish(self) -> None:
        """Return when no transfer runs or waits any more."""
        while self._runs and any(
            not transfer.state.ended and transfer.state is not State.PAUSED for transfer in self.snapshot()
        ):
            time.sleep(FINISH_POLL_S)

    def stop(self) -> None:
        """Stop everything and end the thread, within about two seconds."""
        loop, thread = self._handle.loop, self._thread
        if loop is not None and thread is not None:
            with suppress(RuntimeError):  # it has ended
                loop.call_soon_threadsafe(self._stopping.set)
            thread.join(CLOSE_TIMEOUT_S + 0.5)

    @property
    def _runs(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def submit(self, request: Request) -> int:
        """Put a transfer into the queue and return its id."""
        transfer_id = new_transfer_id()
        self.call_soon(lambda manager: manager.submit(request, transfer_id))
        return transfer_id

    reorder = _soon(TransferManager.reorder)
    pause = _soon(TransferManager.pause)
    resume = _soon(TransferManager.resume)
    cancel = _soon(TransferManager.cancel)
    retry = _soon(TransferManager.retry)
    forget = _soon(TransferManager.forget)

    async def interrupted(self) -> tuple[TransferSnapshot, ...]:
        """Transfers of runs that ended before they were done."""
        return await self._handle.run(lambda: self._manager.left_overs.interrupted())

    async def running_elsewhere(self) -> tuple[ForeignTransfer, ...]:
        """Transfers that other programs run now."""
        return await self._handle.run(lambda: self._manager.left_overs.running_elsewhere())

    async def adopt(self, transfer_ids: Iterable[int]) -> tuple[int, ...]:
        """Continue interrupted transfers; returns the ids of those that no other program took first."""
        return await self._handle.run(lambda: self._manager.adopt(transfer_ids))

    async def drop(self, transfer_ids: Iterable[int]) -> int:
        """Forget interrupted transfers and remove what arrived of them; returns how many there were."""
        return await self._handle.run(lambda: self._manager.left_overs.drop(transfer_ids))

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Push the ids of transfers that change to a listener, at most four times a second, until the result is called.

        The listener is called in the loop that is running now. An id that `snapshot` does not know was forgotten.
        """
        return self._manager.listen(Relay(listener))

    def range_reader(self, entry: StoredObject) -> ReadPiece:
        """A function that reads ranges of an object in the thread, all through one link."""
        # Deferred: only previews read ranges.
        from cloudstore_tui.transfers.fetch import may_be_html
        from cloudstore_tui.transfers.range_reader import RangeReader

        proxy, html = self._proxies[entry.location.profile], may_be_html(entry.name, entry.mime)

        async def sign(known: StoredObject | None) -> Source:
            return await proxy.real.source(entry.location, known)

        reader = RangeReader(lambda: self._manager.context.blob, sign, known=entry, html=html)
        return lambda first, count: self._handle.run(lambda: reader.read(first, count))

    def members(self, transfer_id: int) -> tuple[TransferSnapshot, ...]:
        """The objects of a zip as they are now."""
        return self._manager.members(transfer_id) if self._ready.is_set() else ()

    def snapshot(self, transfer_ids: Iterable[int] | None = None) -> tuple[TransferSnapshot, ...]:
        """Transfers as they are now, all or some."""
        return self._manager.snapshot(transfer_ids) if self._ready.is_set() and self._failure is None else ()

    def call_soon(self, action: Callable[[TransferManager], object]) -> None:
        """Call a function with the manager soon, in its thread."""
        loop = self._handle.loop
        if loop is not None:
            with suppress(RuntimeError):  # it has ended
                loop.call_soon_threadsafe(lambda: action(self._manager))

    def _serve(self) -> None:
        try:
            # Not asyncio.run: that waits for look-ups of names that hang.
            loop = asyncio.new_event_loop()
            try:
                loop.run_until_complete(self._live(loop))
            finally:
                self._handle.loop = None
                # Whoever waits for this loop gets an error, also if it ended by mistake.
                loop.run_until_complete(_end_tasks())
                loop.close()
        except BaseException as error:  # noqa: BLE001 - nobody else could report it
            _log.error("the thread of transfers ended", exc_info=error)
            if not self._ready.is_set():
                self._failure = error
        finally:
            self._ready.set()

    async def _live(self, loop: asyncio.AbstractEventLoop) -> None:
        self._stopping = asyncio.Event()
        self._manager = TransferManager(
            self._provider, self._at_once, self._timeouts, journal=self._journal, polls=self._polls
        )
        self._handle.loop = loop
        self._ready.set()
        await self._stopping.wait()
        self._handle.loop = None
        opened = [proxy.opened for proxy in self._proxies.values()]
        closing = [self._manager.close(), *(provider.close() for provider in opened if provider is not None)]
        await asyncio.wait([asyncio.ensure_future(end) for end in closing], timeout=CLOSE_TIMEOUT_S)

    def _provider(self, name: str) -> StorageProvider:
        if name not in self._proxies:
            raise ConfigError(
                "there is no such profile", subject=name, hint="Add it, or cancel the transfers that need it."
            )
        return self._proxies[name].real


async def _end_tasks() -> None:
    """Cancel what still runs, such as a listing that nobody waits for."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=0.2)
