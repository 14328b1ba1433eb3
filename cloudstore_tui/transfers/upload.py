"""One upload: a single PUT, and a check of what arrived."""

import math
from functools import partial

from cloudstore_tui.core.errors import (
    AccessError,
    ConflictError,
    IntegrityError,
    MissingError,
    NetworkError,
    ReplyError,
    StorageError,
    UnavailableError,
    UsageError,
)
from cloudstore_tui.core.links import Target
from cloudstore_tui.core.models import Entry, Location, StoredObject
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.fs.local_file import LocalFile
from cloudstore_tui.net.failures import DENIED, LostReplyError, store_error
from cloudstore_tui.net.hosts import HostPermit
from cloudstore_tui.net.reply import BlobReply
from cloudstore_tui.transfers.context import TransferContext
from cloudstore_tui.transfers.fetch import Fetch, is_page
from cloudstore_tui.transfers.journal.store import JournalEntry
from cloudstore_tui.transfers.model import State, TransferProgress, UploadRequest

MAX_ATTEMPTS = 5
"""Times a file is sent."""
_UNCLEAR = frozenset({408, 500, 502, 504})
"""Replies that may come from something between us and the store, after the store took the file."""
_INCONCLUSIVE = (MissingError, AccessError, UsageError, UnavailableError)
"""Errors of a check that prove nothing: others may empty the folder, and rights may only allow writing."""
_LOOK_FIRST = "If the service empties this folder at once, look first whether it took the file; then try again."


class Upload:
    """Sends one file, and sends it again only if the store cannot have taken it before."""

    def __init__(
        self,
        progress: TransferProgress,
        request: UploadRequest,
        provider: StorageProvider,
        context: TransferContext,
        journal_entry: JournalEntry | None = None,
    ) -> None:
        self._progress = progress
        self._request = request
        self._provider = provider
        self._context = context
        self._journal = journal_entry or JournalEntry(None, progress.transfer_id)
        self._file = LocalFile(context.disk, request.path)
        self._budget = context.budget()
        self._permit = HostPermit(context.hosts, context.clock, progress.wait)
        self._sent_at = self._journal.resume_state.intent if self._journal.resume_state is not None else 0.0
        """When sending last started, if the store may have taken the file since; 0 if it cannot have."""
        self._attempts = 0
        self._not_before = 0.0
        """Later than the change of the object that is replaced: if our clock is behind, that one must not look new."""
        self._has_receipt = False
        """Whether the answer had an ETag, as a store's has, and that of a captive portal has not."""
        self.finished = False
        """Whether the store has the file, so that there is nothing left to cancel."""

    async def run(self) -> State:
        """Return how it ended.

        Raises:
            StorageError: why it failed.
        """
        self._progress.path = self._request.path
        await self._context.workers.run(lambda _stop: self._open())
        self._progress.size = self._file.size
        self._progress.meter = lambda: self._file.offset
        if self._sent_at and await self._was_sent_before():
            self.finished = True
            self._progress.level = "size"
            return State.DONE
        before = await self._find()
        if before is not None:
            self._refuse_to_replace()
        self._not_before = _time_of(before) + 1
        lost = await self._send()
        if lost is None and before is not None and not self._has_receipt:
            # The size alone cannot tell the file from the object that it was to replace.
            lost = ReplyError("an answer without the ETag that a store gives came")
        if lost is None:
            self.finished = True
            await self._context.workers.run(lambda _stop: self._file.check_unchanged())
            self._progress.level = await self._verify()
        else:
            await self._read_back(before, lost)
            self._progress.level = "size"
        return State.DONE

    def _open(self) -> None:
        """Open the file, which must be the same as in an earlier run."""
        self._file.open()
        left = self._journal.resume_state
        if left is not None:
            self._file.check_same(left.file)
        self._journal.note_file(self._file.identity)

    @property
    def can_resume(self) -> bool:
        """Never: a file is always sent whole."""
        return False

    @property
    def leaves(self) -> bool:
        """Whether there is something to discard: the open file."""
        return True

    async def suspend(self) -> None:
        """Close the file; that the store may have taken it is in the journal."""
        self._file.close()

    async def call_off(self) -> None:
        """Do nothing: the server keeps no state of an upload."""

    def discard(self) -> None:
        """Close the file."""
        self._file.close()

    async def _was_sent_before(self) -> bool:
        """Whether the store has the file from an earlier run that ended before it knew.

        Raises:
            StorageError: it is unknown, since the service moves files away.
        """
        self._progress.to(State.VERIFYING, "looking whether it was sent before")
        if self._file.modified <= self._sent_at and (await self._is_there() or await self._was_moved()):
            return True
        self._forget_sending()
        if self._provider.taken_to(self._request.location):
            raise StorageError(
                "sending it was interrupted, and whether it arrived is unknown",
                hint="Look whether the service took it; if not, try again.",
            )
        # If it had arrived, it would still be there.
        return False

    async def _is_there(self) -> bool:
        """Whether the object is there and came since sending started."""
        try:
            return await self._is_new(self._request.location)
        except MissingError:
            return False

    async def _was_moved(self) -> bool:
        """Whether the service has moved the object to one of its other folders since sending started."""
        for location in self._provider.taken_to(self._request.location):
            try:
                if await self._is_new(location):
                    return True
            except _INCONCLUSIVE:
                continue
        return False

    async def _is_new(self, location: Location) -> bool:
        entry = await self._provider.stat(location)
        if not isinstance(entry, StoredObject) or entry.modified is None:
            return False
        # Services give whole seconds. If our clock is ahead, the object looks old, which is the safe side.
        is_new = entry.modified.timestamp() >= math.floor(self._sent_at)
        return is_new and await self._exact_size(location) == self._file.size

    async def _exact_size(self, location: Location) -> int | None:
        fetch = Fetch(self._context, partial(self._provider.source, location), self._progress, html=True)
        return (await fetch.probe()).size

    def _refuse_to_replace(self) -> None:
        if not self._request.overwrite:
            raise ConflictError(
                "the object exists already", hint="Use --on-conflict overwrite to replace it, or skip to leave it."
            )

    async def _find(self) -> Entry | None:
        self._progress.to(State.SIGNING)
        try:
            return await self._provider.stat(self._request.location)
        except MissingError:
            return None

    async def _send(self) -> StorageError | None:
        """Send until the store has it; returns an error if it is unknown whether it has."""
        denied = False
        while True:
            try:
                with self._budget.owning_retries(), self._permit:
                    reply = await self._put()
            except LostReplyError as lost:
                return lost
            except UnavailableError as error:
                await self._wait(error)
                continue
            if 200 <= reply.status < 300:
                self._has_receipt = "etag" in reply.headers
                return _doubt(reply)
            if reply.status in _UNCLEAR:
                return store_error(reply)
            self._forget_sending()
            if reply.status in DENIED and not denied and reply.store_code not in ("BadDigest", "EntityTooLarge"):
                denied = True
                continue
            await self._wait(_refused(reply))

    async def _put(self) -> BlobReply:
        target = await self._target()
        self._progress.attempts += 1
        self._attempts += 1
        self._file.rewind()
        self._sent_at = max(self._context.clock.now().timestamp(), self._not_before)
        self._journal.note(intent=self._sent_at)
        await self._journal.settled()
        self._progress.to(State.RUNNING)
        self._permit.mark_sent()
        try:
            return await self._context.blob.put(target, self._file)
        finally:
            if not self._file.is_read:
                # A store takes only whole files.
                self._forget_sending()

    async def _target(self) -> Target:
        while True:
            self._progress.to(State.SIGNING)
            target = await self._provider.target(self._request.location, self._file.size)
            # After the first attempt, what is there may be what we sent.
            if target.replaces and not self._attempts:
                self._refuse_to_replace()
            if not await self._permit.enter(target.url, self._budget):
                return target

    def _forget_sending(self) -> None:
        """From now on it may be sent without a check: the store does not have it, or the user decides."""
        self._sent_at = 0.0
        self._journal.resume_state = None
        self._journal.note(intent=0.0)

    async def _wait(self, error: StorageError) -> None:
        if self._attempts >= MAX_ATTEMPTS:
            raise error
        await self._budget.wait(error, self._progress.wait)

    async def _verify(self) -> str:
        """Check what arrived, and return how well that is verified.

        Raises:
            IntegrityError: it has another size.
        """
        self._progress.to(State.VERIFYING)
        try:
            size = await self._exact_size(self._request.location)
        except MissingError:
            if await self._was_moved():
                return "size"
            if not self._has_receipt:
                self.finished = False
                self._forget_sending()
                message = "success was reported, but without the ETag that a store gives, and the object is not there"
                raise StorageError(message, hint=_LOOK_FIRST) from None
            # The store said that it took the file. A folder that is emptied at once must not make that a failure.
            self._progress.remark = "the store took it, but it is not there now: check whether the service took it"
            return "unverified"
        except _INCONCLUSIVE as error:
            # Rights that only allow to write are no failure either.
            self._progress.remark = f"the store took it, but what arrived could not be checked: {error.message}"
            return "unverified"
        if size is None:
            return "unverified"
        if size != self._file.size:
            raise IntegrityError(
                f"{size} of {self._file.size} bytes arrived", hint="Upload it again with --on-conflict overwrite."
            )
        return "size"

    async def _read_back(self, before: Entry | None, lost: StorageError) -> None:
        """Find out whether the store took a file whose reply was lost.

        Raises:
            StorageError: it did not, or that is unknown.
        """
        self._progress.to(State.VERIFYING, lost.message)
        try:
            location, missing = self._request.location, False
            is_other = not _is_same(before, await self._provider.stat(location))
            arrived = is_other and await self._exact_size(location) == self._file.size
        except MissingError:
            arrived, missing = False, True
        if arrived or await self._was_moved():
            self.finished = True
            await self._context.workers.run(lambda _stop: self._file.check_unchanged())
            return
        self._forget_sending()
        if missing:
            raise StorageError(
                f"{lost.message} after all was sent, and the object is not there",
                hint=_LOOK_FIRST,
            )
        raise NetworkError(
            f"{lost.message} after all was sent, and whether it arrived is unknown",
            hint="Look at the object, then try again.",
        )


def _is_same(before: Entry | None, now: Entry) -> bool:
    """Whether the object there now may still be the one from before."""
    if not isinstance(before, StoredObject) or not isinstance(now, StoredObject):
        return False
    return before.modified == now.modified


def _time_of(entry: Entry | None) -> float:
    """When an object was last changed, in seconds since 1970; 0 if unknown."""
    modified = entry.modified if isinstance(entry, StoredObject) else None
    return modified.timestamp() if modified is not None else 0.0


def _doubt(reply: BlobReply) -> StorageError | None:
    """Why a reply that reports success cannot be believed; `None` if it can."""
    if is_page(reply):
        return ReplyError("a web page came instead of the store's answer")
    if code := reply.store_code:
        return ReplyError(f"the store answered with an error ({reply.status} {code})")
    return None


def _refused(reply: BlobReply) -> StorageError:
    if reply.store_code == "BadDigest":
        return IntegrityError("the bytes that arrived are not those that were sent", hint="Upload it again.")
    if reply.store_code == "EntityTooLarge":
        return UsageError("the file is too large for one upload", hint="The store takes at most 5 GB.")
    return store_error(reply)
