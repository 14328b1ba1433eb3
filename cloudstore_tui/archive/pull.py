"""A pull from its query to its report."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import PurePosixPath

import msgspec

from cloudstore_tui.archive.chain import PULLED, Chain, lacking_lines, manifest_lines, open_chain, read_lines
from cloudstore_tui.archive.fetch import Fetching, Recorder
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
from cloudstore_tui.archive.strategy import PullOptions, choose_strategy
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.fs.disk import Disk
from cloudstore_tui.transfers.manager import TransferManager
from cloudstore_tui.transfers.model import TransferBatch
from cloudstore_tui.transfers.workers import Stop, Workers


class PullEstimate(msgspec.Struct, frozen=True):
    """What a pull would do, before it begins."""

    found: int
    had: int
    """Objects that are here already, complete."""
    size: int
    """Bytes to fetch, where the service tells sizes."""
    windows: int
    """Windows of time, or folders, that were looked at."""
    unit: str
    """Which of both: `window` or `folder`."""
    zip_jobs: int
    direct: int
    """Objects to be fetched one by one."""
    requests: int
    """Of the API, listing included."""
    seconds: float
    """To fetch everything at the present pace."""
    examples: tuple[str, ...]
    """The first paths below the folder."""
    left_out: int = 0
    """Objects that the service found and that do not meet those conditions of the user which only we can check."""
    unlisted: tuple[StorageError, ...] = ()
    """What could not be listed, and so is not in the numbers."""

    @property
    def wanted(self) -> int:
        """Objects to be fetched."""
        return self.found - self.had


class PullReport(msgspec.Struct, frozen=True):
    """A pull when it has ended: `found` is the sum of `had`, `fetched`, `skipped` and `missing`."""

    found: int
    had: int
    fetched: int
    skipped: int
    missing: int
    size: int
    """Bytes of what was fetched now."""
    levels: dict[str, int]
    """How many of the objects that are here were verified how well."""
    changed: int = 0
    """How many of those fetched are new versions of what an earlier pull brought."""
    left_out: int = 0
    """Objects that the service found and that do not meet those conditions of the user which only we can check."""
    unlisted: tuple[StorageError, ...] = ()
    """What could not be listed, and so may be missing, too."""
    unwritten: tuple[StorageError, ...] = ()
    """What could not be written beside the objects: the manifest, its table, files that tell of an object."""

    @property
    def is_complete(self) -> bool:
        """Whether nothing is known to be missing, and everything is written down."""
        return not (self.missing or self.unlisted or self.unwritten)


class Pull:
    """Brings everything that a listing finds into a folder. Holds its plan on the disk until it is closed."""

    def __init__(
        self,
        provider: StorageProvider,
        listing: ObjectListing,
        options: PullOptions,
        keeps: Callable[[StoredObject], bool] = lambda _entry: True,
        disk: Disk | None = None,
    ) -> None:
        """Prepare one; nothing is sent and nothing is written to the folder yet.

        Args:
            provider: the profile.
            listing: what is to be brought.
            options: how.
            keeps: whether an object that was listed is wanted, for conditions that the service cannot check.
            disk: the file calls.

        Raises:
            StorageError: there is no room for the plan.
        """
        self._provider = provider
        self.listing = listing
        self._options = options
        self._place = options.place
        self._keeps = keeps
        self._disk = disk or Disk()
        self._folder = PullFolder(options.place.payload, self._disk)
        self._plan = PullPlan(options.scratch, sidecars=options.sidecars)
        self._workers = Workers(1)
        self._fetching: Fetching | None = None
        self._left_out: set[int] = set()
        self._is_untidy = False
        """Whether the manifest has lines that do not count any more."""
        self.warnings: list[str] = []
        """Sentences that a user should see and that mean no loss."""
        self.wanted = 0
        """Objects to be fetched; 0 until that is known."""
        self.listed = 0
        """Objects found so far."""

    @property
    def plan(self) -> PullPlan:
        """Every object and its outcome."""
        return self._plan

    @property
    def ended(self) -> int:
        """Objects that came to an end in this run."""
        return self._fetching.done if self._fetching else 0

    @property
    def size(self) -> int:
        """Bytes fetched in this run."""
        return self._fetching.size if self._fetching else 0

    async def finish(self) -> None:
        """Begin nothing more; returns when the objects in hand are here and written down."""
        if self._fetching is not None:
            await self._fetching.finish()

    async def close(self) -> None:
        """Forget the plan."""
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
        """Fetch what is missing, and tell what is here then.

        Args:
            engine: what fetches.
            begun: called once the folder is there and kept for this pull. May block.

        Raises:
            BusyError: another pull fills the folder.
            StorageError: nothing can be listed, or neither the folder nor the plan can be used at all.
        """
        await self._workers.run(lambda _stop: self._folder.lock())
        try:
            await self._workers.run(lambda _stop: begun())
            await self._prepare()
            return await self._fetch(engine)
        finally:
            self._folder.unlock()

    async def _prepare(self) -> None:
        await self._workers.run(lambda _stop: self._remember())
        async for page in self.listing.pages():
            self._take(page)
        await self._workers.run(lambda stop: self._plan.settle_names(partial(self._is_there, stop)))
        vague = await self._workers.run(lambda stop: match_plan(self._plan, self._folder, stop))
        if vague:
            had = "1 object that is here has" if vague == 1 else f"{vague:,} objects that are here have"
            what = "so a new version of about the same size is not noticed"
            self.warnings.append(f"{had} neither a time nor a checksum at the service, {what}.")

    def _is_there(self, stop: Stop, line: ManifestEntry) -> bool:
        return match_file(self._folder, PurePosixPath(path_of(line)), line, stop) is not LocalMatch.OTHER

    def _remember(self) -> None:
        """Learn what earlier pulls brought."""
        damaged: list[int] = []
        self._plan.remember(self._lines(damaged))
        if damaged:
            self._is_untidy = True
            what = "1 line cannot" if len(damaged) == 1 else f"{len(damaged):,} lines cannot"
            self.warnings.append(f"{NAME}: {what} be read. The files that they were about are checked again.")

    def _has_manifest(self) -> bool:
        return self._folder.stat(PurePosixPath(NAME)) is not None

    def _has_events(self) -> bool:
        return PullFolder(self._place.root).stat(PurePosixPath(CHAIN)) is not None

    def _lines(self, damaged: list[int]) -> Iterator[ManifestEntry]:
        lines: Iterator[ManifestEntry] = iter(())
        if self._has_manifest():
            lines = read_lines(self._place, damaged=damaged.append)
        elif self._has_events():
            self._is_untidy = True
            self.warnings.append(f"{NAME} was gone, and is written anew from {CHAIN}.")
            lines = manifest_lines(self._place.root / CHAIN)
        profile = self._provider.profile.name
        for line in lines:
            self._is_untidy = self._is_untidy or line.get("event") == UNLISTED
            if line.get("profile") == profile and (region := line.get("region")):
                self.listing.known_regions.add(str(region))
            yield line

    def _take(self, page: tuple[StoredObject, ...]) -> None:
        naming, service = self._options.naming, self._provider.profile.provider
        kept = [entry for entry in page if self._keeps(entry)]
        if len(kept) < len(page):
            self._left_out.update(hash(entry.location) for entry in page if not self._keeps(entry))
        self._plan.add((entry, naming.path(entry, service)) for entry in kept)
        self.listed += len(kept)

    async def _fetch(self, engine: TransferManager) -> PullReport:
        strategy = await self._workers.run(lambda _stop: choose_strategy(self._plan, self._provider, self._options))
        self.wanted = self._plan.counts()[Outcome.WANTED]
        opened = await self._workers.run(lambda _stop: open_chain(self._place, self._disk))
        with closing(opened) as chain:
            recorder = await self._workers.run(lambda _stop: self._recorder(chain))
            try:
                await self._workers.run(recorder.catch_up)
                await self._workers.run(lambda _stop: recorder.announce(self._options.asked))
                batch = TransferBatch(
                    secrets.token_hex(6),
                    f"{self.wanted:,} file{'' if self.wanted == 1 else 's'} of {self._provider.profile.name}",
                    str(self._folder.path.absolute()),
                    self.wanted,
                    self._plan.sizes()[Outcome.WANTED],
                )
                self._fetching = Fetching(self._plan, self._folder, recorder, self._options.on_conflict, engine, batch)
                await self._fetching.run(zips=strategy.zip_jobs > 0)
                self.warnings += self._fetching.warnings
            finally:
                recorder.close()
            await self._workers.run(lambda _stop: self._tidy(recorder, chain))
        return self._report(recorder)

    def _recorder(self, chain: Chain) -> Recorder:
        manifest = Manifest(self._folder.path, self._disk, manifest_lines(chain.path))
        lacking = list(lacking_lines(self._place))
        if lacking:
            self._is_untidy = True
            manifest.append(*lacking)
        service = self._provider.profile.provider
        return Recorder(self._plan, self._folder, manifest, service, sidecars=self._options.sidecars, chain=chain)

    def _tidy(self, recorder: Recorder, chain: Chain) -> None:
        """Leave the lines of the manifest that count, and what could not be listed; write its table."""
        is_new = bool(recorder.written or self._is_untidy or self.listing.failures)
        try:
            if recorder.broken is None:
                if is_new:
                    self._compact(chain)
                chain.append([(PULLED, {outcome.value: number for outcome, number in self._plan.counts().items()})])
            chain.sync()
            # One from before would tell less than there is.
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
