"""`restore`: restoring archived objects, which takes hours."""

import re
import shlex
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.session import CommandSession
from cloudstore_tui.cli.transfer import (
    local_paths,
    print_result,
    submit_batch,
    target_folder,
    transferring,
    wait_for_all,
)
from cloudstore_tui.config.paths import state_folder
from cloudstore_tui.core.errors import AccessError, BusyError, NotAvailableError, StorageError, UsageError
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.core.provider import Capability
from cloudstore_tui.core.records import iso
from cloudstore_tui.restores import (
    ARCHIVED,
    AVAILABLE,
    FILE,
    RestorePoller,
    RestoreRequest,
    RestoreStatus,
    RestoreStep,
    RestoreStore,
    utc_now,
)
from cloudstore_tui.transfers.model import DownloadRequest, OnConflict
from cloudstore_tui.ui import format as in_words
from cloudstore_tui.ui.restore_text import describe, summary

_SPAN = re.compile(r"[0-9]+[smhd]?")
_HINTS = {
    "REVOKED": "It was deleted; only 8x8 can bring it back.",
    "DELETED": "It was purged.",
    "FAILED": "The service could not store it.",
}


async def restore_command(
    session: CommandSession,
    paths: tuple[str, ...],
    *,
    days: int,
    wait: bool,
    then_get: bool,
    folder: Path | None,
    dry_run: bool,
) -> None:
    if folder and not then_get:
        raise UsageError("--to says where --then-get puts files", subject="restore", hint="Add --then-get.")
    if not paths and not (wait or then_get):
        hint = "Name the objects, or add --wait to continue with the list, which `cloudstore restore list` shows."
        raise UsageError("nothing to restore", subject="restore", hint=hint)
    if wait and (span := next(filter(_SPAN.fullmatch, paths), "")):
        hint = f"--timeout {span} is how long a host that does not answer is tried."
        raise UsageError("--wait takes no time span: it waits until all are restored", subject="restore", hint=hint)
    named_paths = session.read_paths(paths)
    if paths and not named_paths:
        return
    if not paths and not any(map(is_pending, open_store().requests())):
        session.output.note("No restores are pending; `cloudstore restore list` shows the earlier ones.")
        return
    target = target_folder(session, folder).absolute() if then_get else None
    options = RestoreOptions(days, wait or then_get, target, dry_run)
    await _Restoring(session, options).run(named_paths)


async def list_command(session: CommandSession) -> None:
    requests = open_store().requests()
    for request in requests:
        print_request(session.output, request)
    if not requests and not session.output.as_json:
        session.output.note("No restores yet. Archived objects: cloudstore find PROFILE state:archived")


async def forget_command(session: CommandSession, paths: tuple[str, ...]) -> None:
    store, now, named_paths = open_store(), utc_now(), session.read_paths(paths)
    if paths:
        wanted = [session.resolve(path)[1] for path in named_paths]
    else:
        wanted = [
            request.location for request in store.requests() if request.has_expired(now) or not is_pending(request)
        ]
    count = store.forget(wanted)
    session.output.result({"forgotten": count}, f"{count} removed from the list")


class RestoreOptions(Struct, frozen=True):
    """What the options ask for."""

    days: int
    waits: bool
    folder: Path | None
    """Where to download what is restored; `None` for nowhere."""
    dry_run: bool


class _Restoring:
    """One run of the command."""

    def __init__(self, session: CommandSession, options: RestoreOptions) -> None:
        self._session = session
        self._output = session.output
        self._options = options
        self._store = open_store()
        self._last_summary = ""
        self._reported: set[Location] = set()

    async def run(self, paths: Sequence[str]) -> None:
        """Send the requests, and wait if that is wanted."""
        known = {request.location: request for request in self._store.requests()}
        mine = [await self._make_request(path, known) for path in paths] if paths else list(known.values())
        requests = [request for request in mine if request is not None]
        if self._options.dry_run:
            for request in requests:
                self._output.planned("restore", request.location.address, name=request.name)
            return
        if new := [request for request in requests if request != known.get(request.location)]:
            self._store.add(new)
        self._set_folders(requests)
        profiles = [request.location.profile for request in requests]
        poller = poller_of(self._session, profiles)
        # This includes requests that an earlier run could not send.
        async for step in poller.ask():
            self._report_failure(step)
        if self._options.waits:
            await self._wait(poller, {request.location for request in requests})
        self._print_outcomes({request.location for request in requests})

    async def _make_request(self, path: str, known: dict[Location, RestoreRequest]) -> RestoreRequest | None:
        """The request for an object, old or new; `None` if there is nothing to wait for."""
        try:
            provider, location = self._session.resolve(path)
            provider.require(Capability.RESTORE, location)
            entry = None if provider.is_folder(location) else await provider.stat(location)
            if not isinstance(entry, StoredObject):
                raise UsageError("is a folder; only objects are restored", subject=path, hint="Name the objects.")
            return self._request_for(entry, known.get(location))
        except StorageError as error:
            self._output.error(error, path)
            return None

    def _request_for(self, entry: StoredObject, known: RestoreRequest | None) -> RestoreRequest | None:
        now = utc_now()
        new = RestoreRequest(entry.location, entry.name, entry.size, self._options.days, now)
        if entry.state == AVAILABLE:
            return self._available(new, known)
        if entry.state == "PENDING":
            # Somebody else has requested it, for an unknown number of days.
            return known or replace(new, status=RestoreStatus.RESTORING, asked=now, days=1)
        if entry.state != ARCHIVED:
            message, hint = (
                f"its state is {entry.state}",
                _HINTS.get(entry.state, "Only ARCHIVED objects can be restored."),
            )
            raise NotAvailableError(message, state=entry.state, subject=entry.location.address, hint=hint)
        if known is None or not known.is_unsettled(now) or known.is_abandoned(now):
            return new
        if known.status is RestoreStatus.ASKING and not self._options.waits:
            message = "another program is requesting it right now, or was stopped while it did"
            raise BusyError(message, subject=entry.location.address, hint="Run this again in two minutes.")
        if known.status in (RestoreStatus.RESTORING, RestoreStatus.ASKING):
            self._output.note(f"{entry.location.address}: requested already; the list shows when.")
            return known
        return new

    def _available(self, new: RestoreRequest, known: RestoreRequest | None) -> RestoreRequest | None:
        if (
            known is not None
            and known.status in (RestoreStatus.READY, RestoreStatus.FETCHED)
            and not known.has_expired(new.added)
        ):
            return replace(known, status=RestoreStatus.READY)
        if self._options.folder or known is not None:
            return replace(new, status=RestoreStatus.READY)
        self._reported.add(new.location)
        self._output.result(
            {"path": new.location.address, "name": new.name, "result": "available"},
            f"available  {new.location.address}  {new.name}  not archived: nothing to restore",
        )
        return None

    def _set_folders(self, requests: Iterable[RestoreRequest]) -> None:
        if self._options.folder:
            # Another program in another folder may download them.
            for request in requests:
                self._store.set_folder(request.location, str(self._options.folder))

    async def _wait(self, poller: RestorePoller, wanted: set[Location]) -> None:
        while True:
            async for step in poller.ask():
                self._report_failure(step)
            async for step in poller.poll():
                self._report_failure(step)
            requests = self._of(wanted)
            ready = [request for request in requests if request.status is RestoreStatus.READY]
            await self._fetch([request for request in ready if request.folder])
            if not any(request.is_unsettled(utc_now()) for request in requests):
                return
            self._print_summary(self._of(wanted))
            await poller.wait()

    async def _fetch(self, requests: Sequence[RestoreRequest]) -> None:
        """Download what is restored; each object is tried once."""
        new = [request for request in requests if request.location not in self._reported]
        by_folder = {request.folder: [one for one in new if one.folder == request.folder] for request in new}
        for folder, some in by_folder.items():
            await self._fetch_to(Path(folder), some)

    async def _fetch_to(self, folder: Path, requests: Sequence[RestoreRequest]) -> None:
        entries = [StoredObject(request.location, request.name, request.location.path) for request in requests]
        files = local_paths(self._session, entries, folder)
        async with transferring(self._session) as engine:
            downloads = [
                # After hours, nobody is there to be asked.
                DownloadRequest(entry.location, file.parent, file.name, OnConflict.KEEP_BOTH)
                for entry, file in files.items()
            ]
            for transfer in await wait_for_all(engine, submit_batch(engine, downloads)):
                print_result(self._output, transfer)
                self._reported.add(transfer.request.location)
                if transfer.error is None and transfer.state.ended:
                    self._note_fetched(transfer.request.location)

    def _note_fetched(self, location: Location) -> None:
        try:
            self._store.mark_fetched(location)
        except StorageError as error:
            # The files are here, and the others must be reported even if the list cannot be written.
            self._output.error(error, location.address)

    def _report_failure(self, step: RestoreStep) -> None:
        """Report a failed step; the outcome of each object is printed at the end."""
        if isinstance(step.error, AccessError) and step.status is not RestoreStatus.FAILED:
            raise step.error
        if step.error is not None and step.status is RestoreStatus.WAITING:
            self._output.error(step.error, step.request.location.address)
            self._output.note("It stays on the list; `cloudstore restore --wait` tries again.")
            self._reported.add(step.request.location)
        elif step.error is not None and step.status is not RestoreStatus.FAILED:
            self._output.note(str(step.error))

    def _print_summary(self, requests: Sequence[RestoreRequest]) -> None:
        text = summary(requests, utc_now())
        if text != self._last_summary:
            self._last_summary = text
            self._output.note(f"{text}. Ctrl+C is safe: `cloudstore restore --wait` resumes.")

    def _print_outcomes(self, wanted: set[Location]) -> None:
        requests = [request for request in self._of(wanted) if request.location not in self._reported]
        for request in requests:
            error = request.failure(utc_now())
            if error is not None:
                self._output.error(error, request.location.address)
            else:
                print_request(self._output, request)
        if not self._output.as_json:
            self._print_next_step(requests)

    def _print_next_step(self, requests: Sequence[RestoreRequest]) -> None:
        if any(request.status is RestoreStatus.READY for request in requests):
            self._output.note(get_command(requests, self._output.zone))
        elif not self._options.waits and any(request.status is RestoreStatus.RESTORING for request in requests):
            self._output.note("This takes hours. To check: cloudstore restore list. To wait: cloudstore restore --wait")

    def _of(self, wanted: set[Location]) -> list[RestoreRequest]:
        return [request for request in self._store.requests() if request.location in wanted]


def is_pending(request: RestoreRequest) -> bool:
    """Whether it is still in progress, or ready to be downloaded."""
    return request.status is RestoreStatus.READY or request.is_unsettled(utc_now())


def open_store() -> RestoreStore:
    """The user's list of restores; opening it creates no file."""
    return RestoreStore(state_folder() / FILE)


def poller_of(session: CommandSession, profiles: Iterable[str]) -> RestorePoller:
    """Polls the requests of some profiles at the intervals of the settings."""
    names = tuple(dict.fromkeys(profiles))
    settings = session.config.settings
    return RestorePoller(open_store(), session.provider, lambda: names, settings.restore_poll_seconds)


def print_request(output: Output, request: RestoreRequest) -> None:
    """One line of the list."""
    now = utc_now()
    if output.as_json:
        output.record(request_record(request, now))
        return
    size = in_words.size(request.size)
    what = describe(request, output.zone, now)
    output.line(f"{size:>10}  {request.status.value:9}  {request.location.address}  {request.name}  {what}")


def request_record(request: RestoreRequest, now: datetime) -> dict[str, object]:
    """One request with the field names of the JSON contract; what is unknown is absent."""
    record: dict[str, object] = {
        "path": request.location.address,
        "name": request.name,
        "size": request.size,
        "result": "expired" if request.has_expired(now) else request.status.value,
        "days": request.days,
        "asked": iso(request.asked),
        "ready": iso(request.ready),
        "expires": iso(request.expires),
        "folder": request.folder,
        "note": request.note,
    }
    return {name: value for name, value in record.items() if value not in ("", None)}


def get_command(requests: Iterable[RestoreRequest], zone: ZoneInfo) -> str:
    """The command that downloads what is ready, with its deadline."""
    ready = [request for request in requests if request.status is RestoreStatus.READY]
    ends = min((request.expires for request in ready if request.expires), default=None)
    until = f" before {in_words.full_time(ends, zone)}" if ends else ""
    folders = {request.folder for request in ready}
    to = f" --to {shlex.quote(folders.pop())}" if len(folders) == 1 and folders != {""} else ""
    return f"Fetch it{until}: cloudstore get {shlex.join(request.location.address for request in ready)}{to}"
