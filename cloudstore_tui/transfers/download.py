"""One download: from a request to a complete, verified file under its final name."""

import hashlib
from email.utils import parsedate_to_datetime
from pathlib import Path

from cloudstore_tui.core.entry import StoredObject
from cloudstore_tui.core.errors import IntegrityError, UsageError
from cloudstore_tui.core.exchange import Source
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.transfers.fetch import Fetch, may_be_html
from cloudstore_tui.transfers.landing import Landing
from cloudstore_tui.transfers.live import LiveTransfer
from cloudstore_tui.transfers.means import Means
from cloudstore_tui.transfers.names import is_segment, safe_name
from cloudstore_tui.transfers.part import PartFile
from cloudstore_tui.transfers.patience import Patience
from cloudstore_tui.transfers.transfer import DownloadRequest, OnConflict, State
from cloudstore_tui.transfers.verify import Claim
from cloudstore_tui.transfers.workers import Stop

FULL_FETCHES = 2
"""Times an object is fetched whole before bytes that contradict its checksum are taken to be damaged at the source."""


class Download:
    """Fetches one object into a part file and publishes it; `run` again goes on where it stopped."""

    def __init__(self, live: LiveTransfer, request: DownloadRequest, provider: StorageProvider, means: Means) -> None:
        self._live = live
        self._request = request
        self._provider = provider
        self._means = means
        self._part: PartFile | None = None
        self._fetch: Fetch | None = None

    @property
    def can_go_on(self) -> bool:
        """Whether something arrived that another `run` can build upon."""
        return self._part is not None and self._part.is_open and self._part.offset > 0

    @property
    def leaves(self) -> bool:
        """Whether there is something to discard."""
        return self._part is not None and self._part.is_open

    @property
    def finished(self) -> bool:
        """Whether the file has its final name, so that nothing can be cancelled any more."""
        return self._part is not None and self._part.published

    async def run(self) -> State:
        """How it ended.

        Raises:
            StorageError: why it failed.
        """
        entry = self._request.entry or await self._entry()
        landing = self._landing(entry)
        self._live.path = landing.path
        if await self._means.workers.run(lambda stop: self._begin(landing, stop)):
            if self._request.on_conflict is OnConflict.SKIP:
                return State.SKIPPED
            if await self._is_there(landing, entry):
                return State.DONE
        return await self._bring(landing, entry)

    def _begin(self, landing: Landing, stop: Stop) -> bool:
        """Whether something has the name already; if not, the part file is opened before anything is asked for."""
        taken = landing.is_taken(stop)
        if not taken:
            self._part_in(landing).open()
        return taken

    def discard(self) -> None:
        """Leave nothing behind. Blocks, unless there is nothing."""
        if self._part is not None:
            self._part.discard()
        self._part = self._fetch = None

    async def _entry(self) -> StoredObject:
        self._live.to(State.SIGNING)
        entry = await self._provider.stat(self._request.location)
        if not isinstance(entry, StoredObject):
            raise UsageError("is a folder, and only objects can be fetched", place=self._request.location.address)
        return entry

    def _landing(self, entry: StoredObject) -> Landing:
        request = self._request
        name = request.name or safe_name(entry.name)
        if not is_segment(name):
            raise UsageError("is no name for a file", place=name, cure="Give a name without /.")
        identity = entry.id or entry.location.path
        return Landing(self._means.disk, request.folder, name, identity, request.on_conflict)

    def _fetch_of(self, entry: StoredObject) -> Fetch:
        if self._fetch is None:
            html = may_be_html(entry.name, entry.mime)
            self._fetch = Fetch(self._means, self._sign, self._live, html=html)
        self._fetch.patience = Patience(self._means.clock, self._means.give_up)
        return self._fetch

    async def _is_there(self, landing: Landing, entry: StoredObject) -> bool:
        """Whether the object is on the disk already, so that there is nothing to do."""
        claim = await self._fetch_of(entry).look()
        self._live.to(State.VERIFYING)
        existing = await self._means.workers.run(lambda stop: landing.existing(claim, stop))
        if existing is None:
            return False
        self._live.path, self._live.level = existing
        self._live.size = claim.size
        return True

    async def _bring(self, landing: Landing, entry: StoredObject) -> State:
        fetch, part = self._fetch_of(entry), self._part_in(landing)
        self._live.meter = lambda: part.offset
        if not part.is_open:
            await self._means.workers.run(lambda _stop: part.open())
        contradiction = ""
        for _ in range(FULL_FETCHES):
            await fetch.run(part)
            self._live.to(State.VERIFYING)
            finish = _Finish(landing, part, fetch.claim, _modified(entry, fetch))
            contradiction = await self._means.workers.run(finish.run)
            if not contradiction:
                return self._ended(finish)
            fetch.forget(part)
        raise IntegrityError(
            f"it arrived damaged twice: {contradiction}",
            cure="The object itself may be damaged; nothing was kept.",
        )

    def _ended(self, finish: "_Finish") -> State:
        if finish.path is None:
            return State.SKIPPED
        self._live.path, self._live.level = finish.path, finish.level
        self._live.sha256 = finish.sha256
        return State.DONE

    def _part_in(self, landing: Landing) -> PartFile:
        if self._part is None:
            self._part = PartFile(self._means.disk, self._means.space, self._request.folder, self._tid(landing))
        return self._part

    def _tid(self, landing: Landing) -> str:
        """The same for the same object and file, so that two downloads of it meet, and never for others."""
        profile, location = self._provider.profile, self._request.location
        names = (profile.provider, profile.name, location.region, location.path, str(landing.path.absolute()))
        return hashlib.sha256("\0".join(names).encode("utf-8", "surrogatepass")).hexdigest()[:12]

    async def _sign(self) -> Source:
        return await self._provider.source(self._request.location)


class _Finish:
    """What happens to a complete part file: synced, read back, compared, given its name."""

    def __init__(self, landing: Landing, part: PartFile, claim: Claim, modified: float | None) -> None:
        self._landing = landing
        self._part = part
        self._claim = claim
        self._modified = modified
        self.path: Path | None = None
        """The file; `None` where something came into the way that is to be left alone."""
        self.level = ""
        self.sha256 = ""

    def run(self, stop: Stop) -> str:
        """What contradicts, as a clause; empty if all is well. Blocks."""
        if self._modified is not None:
            self._part.set_time(self._modified)
        verdict, digests = self._part.content(stop).verify(self._claim)
        if verdict.contradiction:
            return verdict.contradiction
        self.level, self.sha256 = verdict.level, digests.sha256
        self.path = self._landing.publish(self._part, digests, stop)
        return ""


def _modified(entry: StoredObject, fetch: Fetch) -> float | None:
    """When the object was last changed, by its record or by the store."""
    if entry.modified is not None:
        return entry.modified.timestamp()
    try:
        return parsedate_to_datetime(fetch.modified).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
