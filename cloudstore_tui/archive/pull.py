"""A pull, from its query to its report."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import PurePosixPath

import msgspec

from cloudstore_tui.archive.chain import CHANGED, PULLED, Chain, lacking_lines, manifest_lines, open_chain, read_lines
from cloudstore_tui.archive.fetch import Fetcher, Recorder
from cloudstore_tui.archive.folder import PullFolder
from cloudstore_tui.archive.listing import ObjectListing
from cloudstore_tui.archive.manifest import (
    CHAIN,
    NAME,
    TABLE,
    UNLISTED,
    Manifest,
    ManifestEntry,
    path_of,
    unlisted_entry,
    write_table,
)
from cloudstore_tui.archive.plan import LocalMatch, Outcome, PullPlan, match_file, match_plan
from cloudstore_tui.archive.runs import lost_events
from cloudstore_tui.archive.strategy import PullOptions, choose_strategy
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.fs.disk import Disk
from cloudstore_tui.transfers.manager import TransferManager
from cloudstore_tui.transfers.model import TransferBatch
from cloudstore_tui.transfers.workers import Stop, Workers


class PullEstimate(msgspec.Struct, frozen=True):
    """What a pull would do."""

    found: int
    had: int
    """Objects that are here already, complete."""
    size: int
    """Bytes to fetch; unknown sizes count as 0."""
    windows: int
    """Windows of time, or folders, that were listed."""
    unit: str
    """`window` or `folder`."""
    zip_jobs: int
    direct: int
    """Objects to fetch one by one."""
    requests: int
    """API requests, including those of the listing."""
    seconds: float
    """Time to fetch everything at the present pace."""
    examples: tuple[str, ...]
    """The first paths below the folder."""
    left_out: int = 0
    """Objects that the service found but that do not meet the conditions checked here."""
    unlisted: tuple[StorageError, ...] = ()
    """What could not be listed, and so is not counted."""

    @property
    def wanted(self) -> int:
        """Objects to fetch."""
        return self.found - self.had


class PullReport(msgspec.Struct, frozen=True):
    """The result of a pull: `found` is the sum of `had`, `fetched`, `skipped` and `missing`."""

    found: int
    had: int
    fetched: int
    skipped: int
    missing: int
    size: int
    """Bytes fetched."""
    levels: dict[str, int]
    """The number of objects that are here, by how they were verified."""
    changed: int = 0
    """Objects fetched in a new version."""
    left_out: int = 0
    """Objects that the service found but that do not meet the conditions checked here."""
    unlisted: tuple[StorageError, ...] = ()
    """What could not be listed, so that more may be missing."""
    unwritten: tuple[StorageError, ...] = ()
    """Why the manifest, its table or a sidecar could not be written."""

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing and everything is recorded."""
        return not (self.missing or self.unlisted or self.unwritten)


class Pull:
    """Fetches everything that a listing finds into a folder. Its plan lies on the disk until `close`."""

    def __init__(
        self,
        provider: StorageProvider,
        listing: ObjectListing,
        options: PullOptions,
        keeps: Callable[[StoredObject], bool] = lambda _entry: True,
        disk: Disk | None = None,
    ) -> None:
        """Prepare a pull; nothing is sent, and nothing is written to the folder yet.

        Args:
            provider: the profile.
            listing: the objects to fetch.
            options: how to fetch them.
            keeps: whether a listed object is wanted, for conditions that the service cannot check.
            disk: the file calls.

        Raises:
            StorageError: there is no room for the plan.
        """
        self._provider = provider
        self.listing = listing
        self._options = options
        self._place = options.place
        self._is_wanted = keeps
        self._disk = disk or Disk()
        self._folder = PullFolder(options.place.payload, self._disk)
        self._plan = PullPlan(options.scratch, sidecars=options.sidecars)
        self._workers = Workers(1)
        self._fetcher: Fetcher | None = None
        self._left_out: set[int] = set()
        self._has_lines = False
        """Whether the manifest had lines before this run."""
        self._needs_compacting = False
        """Whether the manifest has outdated lines."""
        self.warnings: list[str] = []
        """Sentences for the user about things that are no loss."""
        self.wanted = 0
        """Objects to fetch; 0 until that is known."""
        self.listed = 0
        """Objects found so far."""

    @property
    def plan(self) -> PullPlan:
        """Its objects and their outcomes."""
        return self._plan

    @property
    def ended(self) -> int:
        """Objects that got an outcome in this run."""
        return self._fetcher.done if self._fetcher else 0

    @property
    def size(self) -> int:
        """Bytes fetched in this run."""
        return self._fetcher.size if self._fetcher else 0

    async def finish(self) -> None:
        """Begin nothing more; returns once the transfers under way have ended and are recorded."""
        if self._fetcher is not None:
            await self._fetcher.finish()

    async def close(self) -> None:
        """Delete the plan."""
        self._workers.close()
        self._plan.close()

    async def estimate(self, examples: int) -> PullEstimate:
        """What `run` would do; nothing is written.

        Raises:
            StorageError: the listing failed.
        """
        await self._prepare()
        counts, sizes = self._plan.counts(), self._plan.sizes()
        strategy = await self._workers.run(lambda _stop: choose_strategy(self._plan, self._provider, self._options))
        return PullEstimate(
            found=sum(counts.values()),
            had=counts[Outcome.HAD],
            size=sizes[Outcome.WANTED],
            windows=self.listing.windows,
            unit=self.listing.unit,
            zip_jobs=strategy.zip_jobs,
            direct=strategy.direct,
            requests=strategy.cost.requests + self.listing.windows,
            seconds=strategy.cost.seconds,
            examples=tuple(str(item.path) for item in islice(self._plan.items(), examples)),
            left_out=len(self._left_out),
            unlisted=self.listing.failures,
        )

    async def run(self, engine: TransferManager, begun: Callable[[], None] = lambda: None) -> PullReport:
        """Fetch what is missing.

        Args:
            engine: carries out the transfers.
            begun: called in a worker thread once the folder exists and is locked.

        Raises:
            BusyError: another run has locked the folder.
            StorageError: nothing can be listed, or the folder or the plan cannot be used.
        """
        await self._workers.run(lambda _stop: self._folder.lock())
        try:
            await self._workers.run(lambda _stop: begun())
            await self._prepare()
            return await self._fetch(engine)
        finally:
            self._folder.unlock()

    async def _prepare(self) -> None:
        await self._workers.run(lambda _stop: self._load_manifest())
        async for page in self.listing.pages():
            self._add_page(page)
        await self._workers.run(lambda stop: self._plan.assign_names(partial(self._is_there, stop)))
        vague = await self._workers.run(lambda stop: match_plan(self._plan, self._folder, stop))
        if vague:
            had = "1 object that is here has" if vague == 1 else f"{vague:,} objects that are here have"
            what = "so a new version of about the same size is not noticed"
            self.warnings.append(f"{had} neither a time nor a checksum at the service, {what}.")

    def _is_there(self, stop: Stop, line: ManifestEntry) -> bool:
        return match_file(self._folder, PurePosixPath(path_of(line)), line, stop) is not LocalMatch.OTHER

    def _load_manifest(self) -> None:
        """Load what earlier pulls recorded."""
        damaged: list[int] = []
        self._plan.load_lines(self._lines(damaged))
        if damaged:
            self._needs_compacting = True
            what = "1 line cannot" if len(damaged) == 1 else f"{len(damaged):,} lines cannot"
            self.warnings.append(f"{NAME}: {what} be read. The files that they were about are checked again.")

    def _has_manifest(self) -> bool:
        return self._folder.stat(PurePosixPath(NAME)) is not None

    def _lines(self, damaged: list[int]) -> Iterator[ManifestEntry]:
        lines: Iterator[ManifestEntry] = iter(())
        if self._has_manifest():
            lines = read_lines(self._place, damaged=damaged.append)
        elif PullFolder(self._place.root).stat(PurePosixPath(CHAIN)) is not None:
            self._needs_compacting = True
            self.warnings.append(f"{NAME} was gone, and is written anew from {CHAIN}.")
            lines = manifest_lines(self._place.root / CHAIN)
        profile = self._provider.profile.name
        for line in lines:
            self._has_lines = True
            self._needs_compacting = self._needs_compacting or line.get("event") == UNLISTED
            if line.get("profile") == profile and (region := line.get("region")):
                self.listing.known_regions.add(str(region))
            yield line

    def _add_page(self, page: tuple[StoredObject, ...]) -> None:
        naming, service = self._options.naming, self._provider.profile.provider
        kept = [entry for entry in page if self._is_wanted(entry)]
        if len(kept) < len(page):
            self._left_out.update(hash(entry.location) for entry in page if not self._is_wanted(entry))
        self._plan.add((entry, naming.path(entry, service)) for entry in kept)
        self.listed += len(kept)

    async def _fetch(self, engine: TransferManager) -> PullReport:
        strategy = await self._workers.run(lambda _stop: choose_strategy(self._plan, self._provider, self._options))
        self.wanted = self._plan.counts()[Outcome.WANTED]
        opened = await self._workers.run(lambda _stop: self._open_chain())
        with closing(opened) as chain:
            recorder = await self._workers.run(lambda _stop: self._recorder(chain))
            try:
                await self._workers.run(recorder.update_existing)
                await self._workers.run(lambda _stop: recorder.record_targets(self._options.asked))
                batch = TransferBatch(
                    secrets.token_hex(6),
                    f"{self.wanted:,} file{'' if self.wanted == 1 else 's'} of {self._provider.profile.name}",
                    str(self._folder.path.absolute()),
                    self.wanted,
                    self._plan.sizes()[Outcome.WANTED],
                )
                self._fetcher = Fetcher(self._plan, self._folder, recorder, self._options.on_conflict, engine, batch)
                await self._fetcher.run(zips=strategy.zip_jobs > 0)
                self.warnings += self._fetcher.warnings
            finally:
                recorder.close()
            await self._workers.run(lambda _stop: self._finish_manifest(recorder, chain))
        return self._report(recorder)

    def _open_chain(self) -> Chain:
        lost = lost_events(self._place) if self._has_manifest() else ""
        chain = open_chain(self._place, self._disk)
        if lost:
            chain.append([(CHANGED, {"path": CHAIN, "why": f"it was {lost}"})])
            self.warnings.append(f"{CHAIN} was {lost}, and begins anew with what {NAME} lists.")
        return chain

    def _recorder(self, chain: Chain) -> Recorder:
        manifest = Manifest(self._folder.path, self._disk, manifest_lines(chain.path))
        lacking = list(lacking_lines(self._place))
        if lacking:
            self._needs_compacting = True
            manifest.append(*lacking)
        service = self._provider.profile.provider
        return Recorder(self._plan, self._folder, manifest, service, sidecars=self._options.sidecars, chain=chain)

    def _finish_manifest(self, recorder: Recorder, chain: Chain) -> None:
        """Reduce the manifest to its current lines, add what could not be listed, and write the table."""
        is_new = bool(recorder.written or self._needs_compacting or self.listing.failures)
        try:
            if recorder.broken is None:
                # In a new folder every object has one line, which nothing replaces.
                if is_new and (self._has_lines or self._needs_compacting or self.listing.failures):
                    self._compact(chain)
                chain.append([(PULLED, {outcome.value: number for outcome, number in self._plan.counts().items()})])
            chain.sync()
            # An earlier table would be out of date.
            if self._options.table or (is_new and self._folder.stat(PurePosixPath(TABLE)) is not None):
                write_table(self._folder.path, self._disk)
        except StorageError as error:
            recorder.failures.append(error)

    def _compact(self, chain: Chain) -> None:
        now, profile = datetime.now(UTC), self._provider.profile.name
        asked = self._options.asked
        unlisted = [unlisted_entry(failure, profile, asked, now) for failure in self.listing.failures]
        chain.append((UNLISTED, {"line": line}) for line in unlisted)
        manifest = Manifest(self._folder.path, self._disk)
        try:
            manifest.compact(unlisted, self._options.scratch, asked=asked)
        finally:
            manifest.close()

    def _report(self, recorder: Recorder) -> PullReport:
        counts = self._plan.counts()
        return PullReport(
            found=sum(counts.values()),
            had=counts[Outcome.HAD],
            fetched=counts[Outcome.FETCHED],
            skipped=counts[Outcome.SKIPPED],
            missing=counts[Outcome.MISSING],
            size=self.size,
            levels=self._plan.levels(),
            changed=self._plan.changed(),
            left_out=len(self._left_out),
            unlisted=self.listing.failures,
            unwritten=tuple(recorder.failures),
        )
