"""A browser over services that live in the test: slow, failing, hostile or huge as the test wants."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from unittest import mock

import pytest
from msgspec import structs
from msgspec.structs import replace
from textual._xterm_parser import XTermParser
from textual.pilot import Pilot
from textual.widgets import Input

from cloudstore_tui.app import CloudStoreApp
from cloudstore_tui.config.profiles import Config
from cloudstore_tui.config.settings import Settings
from cloudstore_tui.core.errors import MissingError, StorageError, UsageError
from cloudstore_tui.core.links import LinkForm, Piece, ReadPiece, SignedLink, Source, Target, ZipJob
from cloudstore_tui.core.models import Column, ColumnKind, Entry, Folder, Location, Query, StoredObject
from cloudstore_tui.core.paging import Page
from cloudstore_tui.core.profile import Profile, Secret
from cloudstore_tui.core.provider import Check, Deletion, DeletionOutcome, Session, StorageProvider
from cloudstore_tui.results.row_store import RowStore
from cloudstore_tui.transfers.engine_thread import EngineThread
from cloudstore_tui.transfers.left_overs import ForeignTransfer
from cloudstore_tui.transfers.model import Request, State, TransferSnapshot
from cloudstore_tui.ui.browser.screen import BrowserScreen
from cloudstore_tui.ui.text import plain
from cloudstore_tui.ui.transfer_text import result_text
from cloudstore_tui.ui.widgets.chrome import StatusBar
from tests.support.entry_table import make as made_entry
from tests.support.screen import draw, drawn_on_demand, lines_of
from tests.support.waiting import MOMENT, PATIENCE, rest, watched

NOW = datetime(2024, 9, 1, 9, 12, 33, tzinfo=UTC)


class Service(StorageProvider):
    """What the fakes share: calls are counted, can be held back and can fail."""

    def __init__(self, name: str, kind: str, *, read_only: bool = False) -> None:
        self.profile = Profile(name, kind, read_only=read_only)
        self.calls: list[tuple[str, object]] = []
        self.fail: dict[str, StorageError] = {}
        """Error to raise by the name of the method or by the address it is asked about."""
        self.gates: dict[str, asyncio.Event] = {}
        """What an answer waits for, by the same names."""
        self.cancelled: list[object] = []
        self.delay = 0.0
        self.note = ""
        """What a service that is away is waited for."""

    async def called(self, method: str, what: Location, detail: object = None) -> None:
        self.calls.append((method, detail if detail is not None else what.address))
        if self.delay:
            await asyncio.sleep(self.delay)
        for name in (method, what.address):
            if name in self.gates:
                try:
                    await self.gates[name].wait()
                except asyncio.CancelledError:
                    self.cancelled.append(what.address)
                    raise
            if name in self.fail:
                raise self.fail[name]

    def count(
        self, method: Any, told: Any = None
    ) -> Any:  # the tests ask how often something was called, the tree how much there is
        if isinstance(method, Query):
            return asyncio.sleep(0, getattr(self, "results", 0))
        return sum(name == method for name, _ in self.calls)

    async def source(self, location: Location, known: StoredObject | None = None) -> Source:
        raise NotImplementedError

    async def check(self) -> tuple[Check, ...]:
        return ()

    async def close(self) -> None:
        return

    @property
    def session(self) -> Session:
        return Session(datetime.now(UTC) + timedelta(minutes=24, seconds=30), self.note)


class FolderService(Service):
    """Folders and files, as the first service has them."""

    def __init__(self, name: str = "acme", *, read_only: bool = False, page_size: int = 100) -> None:
        super().__init__(name, "alvaria", read_only=read_only)
        self.page_size = page_size
        self.tree: dict[str, list[str]] = {
            "": ["exports/", "imports/"],
            "exports/": ["reporting/", "readme.txt"],
            "exports/reporting/": [f"report-{number:03}.tar" for number in range(12)],
            "imports/": [],
        }
        self.refused: dict[str, DeletionOutcome] = {}

    def locate(self, rest: str) -> Location:
        if rest.startswith("/"):
            raise UsageError("a key begins without a slash", subject=f"{self.profile.name}:{rest}")
        return Location(self.profile.name, path=rest)

    def is_folder(self, location: Location) -> bool:
        return not location.path or location.path.endswith("/")

    def parent(self, location: Location) -> Location | None:
        if not location.path:
            return None
        above = location.path.removesuffix("/").rpartition("/")[0]
        return structs.replace(location, path=f"{above}/" if above else "")

    def query(self, location: Location) -> Query | None:
        return None

    def columns(self, location: Location, types: frozenset[str] = frozenset()) -> tuple[Column, ...]:
        return (
            Column("name", "Name", width=40),
            Column("size", "Size", ColumnKind.SIZE, width=10),
            Column("modified", "Modified", ColumnKind.TIME, width=16),
        )

    def entry(self, path: str, name: str = "") -> Entry:
        location = Location(self.profile.name, path=path)
        name = name or path.removesuffix("/").rpartition("/")[2]
        if path.endswith("/"):
            return Folder(location, name.removesuffix("/") + "/", modified=NOW)
        size = 1000 + sum(path.encode())
        return StoredObject(location, name, type="file", size=size, modified=NOW, state="AVAILABLE")

    async def folders(self, location: Location, cursor: str | None = None) -> Page[Folder]:
        await self.called("folders", location)
        found = [self.entry(location.path + name, name) for name in self._names(location) if name.endswith("/")]
        return self._page([entry for entry in found if isinstance(entry, Folder)], cursor)

    async def browse(self, location: Location, cursor: str | None = None) -> Page[Entry]:
        await self.called("browse", location)
        return self._page([self.entry(location.path + name, name) for name in self._names(location)], cursor)

    async def stat(self, location: Location) -> Entry:
        await self.called("stat", location)
        entry = self.entry(location.path)
        return structs.replace(entry, tags=(("told by stat", "yes"),)) if isinstance(entry, StoredObject) else entry

    async def link(self, location: Location, form: LinkForm | None = None) -> SignedLink:
        await self.called("link", location)
        return SignedLink(Secret(f"https://aspect-cloud.net/{location.path}?sig=s3cret"), NOW, LinkForm.PROXIED)

    async def target(self, location: Location, size: int) -> Target:
        raise NotImplementedError

    def upload_caution(self, location: Location) -> str:
        return "" if location.path.startswith("imports/") else "uploads usually go below imports/"

    async def delete(self, locations: Sequence[Location]) -> tuple[Deletion, ...]:
        await self.called("delete", locations[0], tuple(location.path for location in locations))
        return tuple(
            Deletion(location, self.refused.get(location.path, DeletionOutcome.DELETED)) for location in locations
        )

    def _names(self, location: Location) -> list[str]:
        if location.path not in self.tree:
            raise MissingError("there is no such folder", subject=location.address, hint="Look at the folder above.")
        return self.tree[location.path]

    def _page(self, items: list[Any], cursor: str | None) -> Page[Any]:
        start = int(cursor or 0)
        end = start + self.page_size
        return Page(tuple(items[start:end]), str(end) if end < len(items) else None, len(items))


class SearchService(Service):
    """Regions, types and a number of results that need not exist before they are looked at."""

    def __init__(self, name: str = "acme8", *, results: int = 2_431, page_size: int = 100) -> None:
        super().__init__(name, "8x8", read_only=True)
        self.results = results
        self.page_size = page_size
        self.tells_total = True
        """Whether it says with its rows how many there are."""
        self.types: tuple[str, ...] = ("callrecording", "transcription")
        self.jobs: tuple[ZipJob, ...] = ()
        self.unnamed_jobs: tuple[StorageError, ...] = ()

    def locate(self, rest: str) -> Location:
        region, _, path = rest.partition("/")
        return Location(self.profile.name, region, path)

    def is_folder(self, location: Location) -> bool:
        return not location.path

    def parent(self, location: Location) -> Location | None:
        if location.path:
            return Location(self.profile.name, location.region)
        if location.place:
            return structs.replace(location, place=location.place[:-1])
        return Location(self.profile.name) if location.region else None

    def query(self, location: Location) -> Query | None:
        if not location.region or location.path:
            return None
        kind = f"type=={location.place[0]}" if location.place else ""
        return Query(Location(self.profile.name, location.region), kind)

    def columns(self, location: Location, types: frozenset[str] = frozenset()) -> tuple[Column, ...]:
        return (
            Column("created", "When", ColumnKind.TIME, 16, "createdTime"),
            Column("agentName", "Agent", ColumnKind.TEXT, 14, "agentName"),
            Column("name", "Name", ColumnKind.TEXT, 30),
            Column("duration", "Duration", ColumnKind.DURATION, 8, "duration"),
            Column("size", "Size", ColumnKind.SIZE, 9, "storedBytes"),
        )

    def object(self, number: int, query: Query) -> StoredObject:
        return StoredObject(
            Location(self.profile.name, "us-east", f"id-{number:07}"),
            f"int-{number:07}.mp3",
            id=f"id-{number:07}",
            type="callrecording",
            size=10_000 + number,
            size_exact=True,
            created=NOW - timedelta(minutes=number),
            duration=60.0 + number,
            state="AVAILABLE",
            tags=(("agentName", f"Agent {number % 7}"), ("filter", query.filter)),
        )

    async def folders(self, location: Location, cursor: str | None = None) -> Page[Folder]:
        await self.called("folders", location)
        if not location.region:
            return Page((Folder(Location(self.profile.name, "us-east"), "us-east"),))
        if location.place:
            return Page(())
        return Page(tuple(Folder(location.child(name), name) for name in self.types))

    async def browse(self, location: Location, cursor: str | None = None) -> Page[Entry]:
        if (query := self.query(location)) is not None:
            return await self.search(query, cursor)
        folders = await self.folders(location)
        return Page(tuple(folders.items))

    async def search(self, query: Query, cursor: str | None = None) -> Page[StoredObject]:
        await self.called("search", query.location, query)
        if query.filter in self.fail:
            raise self.fail[query.filter]
        start = int(cursor or 0)
        end = min(start + self.page_size, self.results)
        numbers = range(start, end)
        if query.sort is not None and not query.sort.descending:
            numbers = range(self.results - 1 - start, self.results - 1 - end, -1)
        found = tuple(self.object(number, query) for number in numbers)
        return Page(found, str(end) if end < self.results else None, self.results if self.tells_total else None)

    async def stat(self, location: Location) -> Entry:
        await self.called("stat", location)
        if not location.path[3:].isdecimal():
            raise MissingError("there is no such object", subject=location.address)
        return structs.replace(
            self.object(int(location.path[3:]), Query(location)), checksum="922c9e", checksum_type="MD5"
        )

    async def start_zip(self, locations: Sequence[Location]) -> ZipJob:
        raise NotImplementedError

    async def zip_jobs(self, region: str) -> Page[ZipJob]:
        await self.called("zip_jobs", Location(self.profile.name, region))
        return Page(self.jobs, failures=self.unnamed_jobs)

    async def cancel_zip(self, region: str, name: str) -> tuple[ZipJob, ...]:
        await self.called("cancel_zip", Location(self.profile.name, region), name)
        self.jobs = tuple(structs.replace(job, status="CANCELLED") if job.name == name else job for job in self.jobs)
        return self.jobs

    async def clear_zips(self, region: str) -> tuple[ZipJob, ...]:
        await self.called("clear_zips", Location(self.profile.name, region))
        self.jobs = ()
        return self.jobs

    async def link(self, location: Location, form: LinkForm | None = None) -> SignedLink:
        await self.called("link", location)
        return SignedLink(Secret(f"https://8x8.com/{location.path}?sig=s3cret"), NOW, LinkForm.PRESIGNED)


@dataclass
class FakeEngine:
    """Takes orders and does what the test says."""

    providers: Mapping[str, StorageProvider]
    transfers: list[TransferSnapshot] = field(default_factory=list)
    looks: int = 0
    listeners: list[Callable[[frozenset[int]], None]] = field(default_factory=list)
    keeps: bool = True
    left: list[TransferSnapshot] = field(default_factory=list)
    """What an earlier run left behind."""
    others: list[ForeignTransfer] = field(default_factory=list)
    parts: dict[int, tuple[TransferSnapshot, ...]] = field(default_factory=dict)
    """The members of zips."""
    dropped: list[int] = field(default_factory=list)
    order: list[int] = field(default_factory=list)
    """What was last brought into another order."""
    pieces: dict[str, ReadPiece] = field(default_factory=dict)
    """What reads the content of an object, by its name."""
    ranges: list[tuple[str, int, int]] = field(default_factory=list)

    def add(self, name: str, open_provider: Callable[[], StorageProvider]) -> None:
        self.providers = {**self.providers, name: open_provider()}

    def submit(self, request: Request) -> int:
        number = len(self.transfers) + 1
        self.transfers.append(TransferSnapshot(number, request, State.RUNNING, size=1000, done=250, speed=100.0))
        self.push(number)
        return number

    def pause(self, *numbers: int) -> None:
        self.become_all(numbers, State.PAUSED)

    def resume(self, *numbers: int) -> None:
        self.become_all(numbers, State.RUNNING)

    def reorder(self, numbers: Sequence[int]) -> None:
        self.order = list(numbers)

    def members(self, number: int) -> tuple[TransferSnapshot, ...]:
        return self.parts.get(number, ())

    def range_reader(self, entry: StoredObject) -> ReadPiece:
        async def read(first: int, count: int) -> Piece:
            self.ranges.append((entry.name, first, count))
            return await self.pieces[entry.name](first, count)

        return read

    async def interrupted(self) -> tuple[TransferSnapshot, ...]:
        return tuple(self.left)

    async def running_elsewhere(self) -> tuple[ForeignTransfer, ...]:
        return tuple(self.others)

    async def adopt(self, numbers: Iterable[int]) -> tuple[int, ...]:
        taken = [transfer for transfer in self.left if transfer.id in set(numbers)]
        self.left = [transfer for transfer in self.left if transfer not in taken]
        self.transfers += [replace(transfer, state=State.RUNNING) for transfer in taken]
        self.push(*(transfer.id for transfer in taken))
        return tuple(transfer.id for transfer in taken)

    async def drop(self, numbers: Iterable[int]) -> int:
        wanted = set(numbers)
        self.dropped += [transfer.id for transfer in self.left if transfer.id in wanted]
        self.left = [transfer for transfer in self.left if transfer.id not in wanted]
        return len(self.dropped)

    def cancel(self, *numbers: int) -> None:
        self.become_all(numbers, State.CANCELLED)

    def retry(self, *numbers: int) -> None:
        self.become_all(numbers, State.RUNNING)

    def forget(self, *numbers: int) -> None:
        self.push(*numbers)
        self.transfers = [transfer for transfer in self.transfers if transfer.id not in numbers]

    def listen(self, listener: Callable[[frozenset[int]], None]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def push(self, *numbers: int) -> None:
        for listener in self.listeners:
            asyncio.get_running_loop().call_soon(listener, frozenset(numbers))

    def snapshot(self, numbers: Iterable[int] | None = None) -> tuple[TransferSnapshot, ...]:
        self.looks += 1
        wanted = None if numbers is None else set(numbers)
        return tuple(transfer for transfer in self.transfers if wanted is None or transfer.id in wanted)

    def become_all(self, numbers: Iterable[int], state: State) -> None:
        for number in numbers:
            self.become(number, state)

    def become(self, number: int, state: State, error: StorageError | None = None, path: Path | None = None) -> None:
        ended = datetime.now(UTC) if state.ended else None
        self.transfers = [
            replace(transfer, state=state, error=error, ended=ended, path=path) if transfer.id == number else transfer
            for transfer in self.transfers
        ]
        self.push(number)


@dataclass
class Browser:
    """A running browser and what is behind it."""

    app: CloudStoreApp
    pilot: Pilot[None]
    engine: FakeEngine
    may_be_wrong: bool = False
    """Whether the program is made to make mistakes."""

    @property
    def screen(self) -> BrowserScreen:
        return self.app.browser

    @property
    def lines(self) -> list[str]:
        return lines_of(self.app)

    @property
    def text(self) -> str:
        """The screen as a person sees it."""
        return "\n".join(self.lines)

    @property
    def foot(self) -> str:
        return plain(self.screen.query_one("#foot", StatusBar).text)

    @property
    def keys(self) -> str:
        return self.lines[-1]

    @property
    def notices(self) -> list[str]:
        return [notice.text for notice in self.app.messages.kept]

    @property
    def results(self) -> list[str]:
        """How the last batches ended, as it is told."""
        return [result_text(batch) for batch in self.app.transfers.results]

    @property
    def rows(self) -> list[str]:
        """Names of the entries that are loaded and shown, at most a thousand."""
        state = self.screen.listing.state
        return [entry.name for entry in state.store.window(0, 1_000)] if state else []

    @property
    def focus(self) -> str | None:
        focused = self.app.screen.focused
        return focused.parent.id if isinstance(focused, Input) and focused.parent else focused.id if focused else None

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def type(self, text: str) -> None:
        await self.pilot.press(*text)
        await self.settle()

    async def burst(self, typed: str) -> None:
        """Type keys ahead: the terminal gives them all in one read."""
        for event in XTermParser().feed(typed):
            self.app.post_message(event)
        await self.settle()

    async def settle(self) -> None:
        """Let everything happen that can happen now; what waits for a gate goes on waiting."""
        for _ in range(2):
            await rest()
            draw(self.app)

    async def until(self, met: Callable[[], object], seconds: float = PATIENCE) -> None:
        """Wait for something that other threads or timers bring."""
        end, pause = asyncio.get_running_loop().time() + seconds, 0.01
        while not met():
            assert asyncio.get_running_loop().time() < end, f"it did not come:\n{self.text}"
            await asyncio.sleep(pause)
            # What takes longer is looked at less often: to read the screen costs more than to wait.
            pause = min(1.5 * pause, 0.1)
            draw(self.app)


Open = Callable[..., AbstractAsyncContextManager[Browser]]


@pytest.fixture(scope="session", autouse=True)
def _pilots_wait_until_there_is_rest() -> Iterator[None]:
    """Let Textual's pilot wait for what is to happen, where it would wait until the processor has nothing to do."""

    async def moment(*_: object) -> bool:
        await rest(MOMENT)
        return True

    idle = [mock.patch(name, moment) for name in ("textual.app.wait_for_idle", "textual.pilot.wait_for_idle")]
    with watched(), idle[0], idle[1], mock.patch.object(Pilot, "_wait_for_screen", moment):
        yield


@pytest.fixture
def folders() -> FolderService:
    return FolderService()


@pytest.fixture
def searches() -> SearchService:
    return SearchService()


@pytest.fixture
def browser(tmp_path: Path, folders: FolderService, searches: SearchService) -> Open:
    """Run the browser: `async with browser(size=(80, 24), start="acme:exports/") as it`.

    `behind` are fields of the engine, everything else are settings.
    """

    @asynccontextmanager
    async def run(
        *,
        size: tuple[int, int] = (180, 30),
        start: str = "",
        home: bool = False,
        keys: Mapping[str, str] | None = None,
        behind: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> AsyncIterator[Browser]:
        services: dict[str, StorageProvider] = {"acme": folders, "acme8": searches}
        engine = FakeEngine(services, **(behind or {}))
        config = Config(
            tmp_path / "config.toml",
            settings=Settings(**{"download_dir": tmp_path / "downloads", "preview_in_detail": False, **settings}),
            keys=keys or {},
        )
        name, _, rest = start.partition(":")
        location = services[name].locate(rest) if start else None
        app = CloudStoreApp(cast(EngineThread, engine), config, start=location)
        with drawn_on_demand():
            async with app.run_test(size=size, notifications=True) as pilot:
                it = Browser(app, pilot, engine)
                await it.settle()
                if not start and not home:
                    await app.browse()
                    await it.settle()
                yield it
        assert it.may_be_wrong or not app.boundary.bugs, app.boundary.bugs

    return run


@pytest.fixture
def store() -> Iterator[RowStore]:
    """Rows of a list."""
    store = RowStore()
    yield store
    store.close()


@pytest.fixture
def filled(store: RowStore) -> RowStore:
    """A hundred of them."""
    store.extend(made_entry(number) for number in range(100))
    return store
