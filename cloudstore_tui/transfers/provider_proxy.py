"""A provider seen from another thread than the one it lives in."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Concatenate, ParamSpec, TypeVar

from cloudstore_tui.core.errors import UnavailableError
from cloudstore_tui.core.models import Column, Location, Query, StoredObject
from cloudstore_tui.core.paging import Fetch, Page
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.provider import Capability, Session, StorageProvider

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class LoopHandle:
    """The loop in which providers live, once it runs."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None

    async def run(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """What `work` gives back, done in the other loop. Cancelling this cancels that.

        Raises:
            UnavailableError: the other loop has ended.
        """
        if self.loop is None:
            raise UnavailableError("the program is ending")
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work(), self.loop))


def _hop(
    method: Callable[Concatenate[Any, Arguments], Awaitable[Result]],
) -> Callable[Concatenate["ProviderProxy", Arguments], Coroutine[Any, Any, Result]]:
    """The same method, done where the provider lives."""

    async def hop(self: "ProviderProxy", /, *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        real = getattr(self.real, method.__name__)
        return await self.handle.run(lambda: real(*arguments, **named))

    hop.__name__, hop.__doc__ = method.__name__, method.__doc__
    return hop


async def _given(page: Awaitable[Page[StoredObject]]) -> Page[StoredObject]:
    return await page


class ProviderProxy(StorageProvider):
    """Does what sends something in the provider's own loop, and answers the rest directly."""

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
        """The provider itself if it was needed until now."""
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

    def locate(self, rest: str) -> Location:
        """The location of what follows `profile:`."""
        return self.real.locate(rest)

    def is_folder(self, location: Location) -> bool:
        """Whether a location can be listed."""
        return self.real.is_folder(location)

    def parent(self, location: Location) -> Location | None:
        """The folder that holds a folder or an object."""
        return self.real.parent(location)

    def query(self, location: Location) -> Query | None:
        """The query a place stands for."""
        return self.real.query(location)

    def described(self, location: Location) -> StoredObject | None:
        """The object at an address as far as that tells it."""
        return self.real.described(location)

    def columns(self, location: Location, types: frozenset[str] = frozenset()) -> tuple[Column, ...]:
        """The columns that fit a folder or place."""
        return self.real.columns(location, types)

    def upload_caution(self, location: Location) -> str:
        """What to consider before uploading."""
        return self.real.upload_caution(location)

    def taken_to(self, location: Location) -> tuple[Location, ...]:
        """Where the service may move a file after it was uploaded."""
        return self.real.taken_to(location)

    @asynccontextmanager
    async def prefetch(self, query: Query) -> AsyncIterator[Fetch[StoredObject]]:
        """How the pages of a query are fetched where all are wanted."""
        real = self.real.prefetch(query)
        fetch = await self.handle.run(lambda: real.__aenter__())
        try:
            yield lambda cursor: self.handle.run(lambda: _given(fetch(cursor)))
        finally:
            await self.handle.run(lambda: real.__aexit__(None, None, None))

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
