"""A pull from its query to its report."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import PurePosixPath
from typing import Protocol

from cloudstore_tui.archive.estimate import Way, by_zips, one_by_one
from cloudstore_tui.archive.fetching import Fetching
from cloudstore_tui.archive.folder import PullFolder
from cloudstore_tui.archive.had import Standing, compare
from cloudstore_tui.archive.item import Fate, Item
from cloudstore_tui.archive.line import Line, key_of_line, tells_of_same
from cloudstore_tui.archive.manifest import NAME, Manifest, read_manifest
from cloudstore_tui.archive.options import PullOptions, Via
from cloudstore_tui.archive.plan import PullPlan
from cloudstore_tui.archive.recorder import Recorder
from cloudstore_tui.archive.report import Preview, Report
from cloudstore_tui.archive.table import write_table
from cloudstore_tui.core.entry import StoredObject
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.transfers.manager import TransferManager
from cloudstore_tui.transfers.workers import Stop, Workers


class Listing(Protocol):
    """Everything that is to be pulled, page by page."""

    unit: str
    windows: int
    warnings: dict[str, None]
    errors: list[StorageError]

    def pages(self) -> AsyncIterator[tuple[StoredObject, ...]]:
        """The objects; some may come twice."""


class Pull:
    """Brings everything that a listing finds into a folder. Holds its plan on the disk until it is closed."""

    def __init__(
        self,
        provider: StorageProvider,
        listing: Listing,
        options: PullOptions,
        keeps: Callable[[StoredObject], bool] = lambda _entry: True,
    ) -> None:
        """Prepare one; nothing is sent and nothing is written to the folder yet.

        Args:
            provider: the profile.
            listing: what is to be brought.
            options: how.
            keeps: whether an object that was listed is wanted, for conditions that the service cannot check.
        """
        self._provider = provider
        self.listing = listing
        self._options = options
        self._keeps = keeps
        self._folder = PullFolder(options.folder)
        self._plan = PullPlan(options.scratch, sidecars=options.sidecars)
        self._workers = Workers(1)
        self._fetching: Fetching | None = None
        self.wanted = 0
        """Objects to be fetched; 0 until that is known."""
        self.listed = 0
        """Objects found so far."""

    @property
    def plan(self) -> PullPlan:
        """Every object and what became of it."""
        return self._plan

    @property
    def ended(self) -> int:
        """Objects that came to an end in this run."""
        return self._fetching.done if self._fetching else 0

    @property
    def size(self) -> int:
        """Bytes fetched in this run."""
        return self._fetching.size if self._fetching else 0

    async def close(self) -> None:
        """Forget the plan."""
        self._workers.close()
        self._plan.close()

    async def preview(self, examples: int) -> Preview:
        """What `run` would do; nothing is written.

        Raises:
            StorageError: the listing failed.
        """
        await self._prepare()
        counts, sizes = self._plan.counts(), self._plan.sizes()
        way = await self._workers.run(lambda _stop: self._way())
        return Preview(
            found=sum(counts.values()),
            had=counts[Fate.HAD],
            size=sizes[Fate.WANTED],
            windows=self.listing.windows,
            unit=self.listing.unit,
            zip_jobs=way.zip_jobs,
            direct=way.direct,
            requests=way.cost.requests + self.listing.windows,
            seconds=way.cost.seconds,
            examples=tuple(str(item.path) for item in islice(self._plan.items(), examples)),
        )

    async def run(self, engine: TransferManager) -> Report:
        """Fetch what is missing, and tell what is here then.

        Raises:
            BusyError: another pull fills the folder.
            StorageError: the listing failed, or the folder cannot be used at all.
        """
        await self._workers.run(lambda _stop: self._folder.lock())
        try:
            await self._prepare()
            return await self._fetch(engine)
        finally:
            self._folder.unlock()

    async def _prepare(self) -> None:
        await self._workers.run(lambda _stop: self._know())
        async for page in self.listing.pages():
            self._take(page)
        await self._workers.run(self._compare)

    def _know(self) -> None:
        """Learn what earlier pulls brought."""
        if self._folder.look(PurePosixPath(NAME)) is not None:
            self._plan.know((key_of_line(line), json.dumps(line)) for line in read_manifest(self._folder.path / NAME))

    def _take(self, page: tuple[StoredObject, ...]) -> None:
        naming, service = self._options.naming, self._provider.profile.provider
        self._plan.add((entry, naming.path(entry, service)) for entry in page if self._keeps(entry))
        self.listed += len(page)

    def _compare(self, stop: Stop) -> None:
        """Give every object its name, and find those that are here already."""
        self._plan.settle_names()
        for item, line in self._plan.known_items():
            stop.check()
            if tells_of_same(line, item):
                self._stand(item, line, stop)

    def _stand(self, item: Item, line: Line, stop: Stop) -> None:
        found = self._folder.look(item.path)
        if found is None or self._folder.refusal(item.path):
            return
        if compare(self._folder.file(item.path), found, line, stop) is not Standing.OTHER:
            self._plan.note(item, Fate.HAD, str(line.get("level", "")))

    def _way(self) -> Way:
        """How what is missing is fetched."""
        profile, options = self._provider.profile, self._options
        pace = profile.requests_per_minute
        wanted, size = self._plan.counts()[Fate.WANTED], self._plan.sizes()[Fate.WANTED]
        single = one_by_one(wanted, size, pace, options.at_once)
        if options.via is Via.CONTENT or Capability.ZIP not in self._provider.capabilities:
            return single
        entries = (item.entry for item in self._plan.items(Fate.WANTED))
        zips = by_zips(entries, pace, options.polls, options.at_once)
        faster = zips.zip_jobs > 0 and zips.cost.seconds < single.cost.seconds
        return zips if options.via is Via.ZIP or faster else single

    async def _fetch(self, engine: TransferManager) -> Report:
        way = await self._workers.run(lambda _stop: self._way())
        self.wanted = self._plan.counts()[Fate.WANTED]
        with self._recording() as recorder:
            await self._workers.run(lambda _stop: self._catch_up(recorder))
            self._fetching = Fetching(self._plan, self._folder, recorder, self._options, engine)
            await self._fetching.run(zips=way.zip_jobs > 0)
        await self._workers.run(lambda _stop: self._tidy(compact=recorder.written > 0))
        return self._report()

    @contextmanager
    def _recording(self) -> Iterator[Recorder]:
        manifest = Manifest(self._folder.path)
        try:
            yield Recorder(
                self._plan,
                self._folder,
                manifest,
                self._provider.profile.provider,
                sidecars=self._options.sidecars,
            )
        finally:
            manifest.close()

    def _catch_up(self, recorder: Recorder) -> None:
        """Write what is new about objects that are here already."""
        for item in self._plan.items(Fate.HAD):
            recorder.refresh(item)

    def _tidy(self, *, compact: bool) -> None:
        if compact:
            manifest = Manifest(self._folder.path)
            try:
                manifest.compact(self._options.scratch)
            finally:
                manifest.close()
        if self._options.table:
            write_table(self._folder.path)

    def _report(self) -> Report:
        counts = self._plan.counts()
        return Report(
            found=sum(counts.values()),
            had=counts[Fate.HAD],
            fetched=counts[Fate.FETCHED],
            skipped=counts[Fate.SKIPPED],
            missing=counts[Fate.MISSING],
            size=self.size,
            levels=self._plan.levels(),
            errors=tuple(self.listing.errors),
            warnings=tuple(self.listing.warnings),
        )
