"""`verify`, `seal` and `reconcile`: what a folder that was pulled is worth."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from cloudstore_tui.archive.bag import Sealed, Stamping, note_verified, seal
from cloudstore_tui.archive.listing import QueryListing
from cloudstore_tui.archive.reconcile import CallRow, OpenItem, OpenKind, Reconciliation, read_calls
from cloudstore_tui.archive.timestamp import stamp_request
from cloudstore_tui.archive.verify import FileFinding, Found, ReadSample, verify_folder
from cloudstore_tui.cli.find import SearchOptions, narrowed
from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.reporting import Run, RunOptions, reported
from cloudstore_tui.cli.session import CommandSession, run
from cloudstore_tui.config.paths import state_folder
from cloudstore_tui.core.errors import PartialError, StorageError, UsageError
from cloudstore_tui.core.provider import Capability
from cloudstore_tui.net.ping import check_timestamp, fetch_timestamp, host_of
from cloudstore_tui.transfers.workers import Stop, Workers
from cloudstore_tui.ui import format as in_words

MAX_CHANGED = 1000
"""Files that are named in the events if they are not as they should be."""


def verify_command(
    folder: Path,
    *,
    sample: float,
    seed: int,
    signers: Path | None,
    authority: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Check that every file is there and has the bytes that were fetched; nothing is sent."""
    options = RunOptions.taken(given)

    async def work(session: CommandSession) -> None:
        async with reported(session, options, "verify", folder, ()) as run:
            await look_through(session, run)

    async def look_through(session: CommandSession, run: Run) -> None:
        workers = Workers(1)
        counts = dict.fromkeys(Found, 0)
        wrong: list[tuple[str, str]] = []

        def look(stop: Stop) -> None:
            part, scratch = ReadSample(sample, seed), state_folder()
            for finding in verify_folder(folder, stop, scratch, sample=part, signers=signers, authority=authority):
                counts[finding.found] += 1
                if finding.error is not None and len(wrong) < MAX_CHANGED:
                    wrong.append((finding.path, finding.text))
                _tell_finding(session.output, finding)

        try:
            await workers.run(look)
            numbers = {found.value.replace(" ", "_"): number for found, number in counts.items()}
            with _noted(session.output):
                await workers.run(lambda _stop: note_verified(folder, numbers, wrong))
        finally:
            workers.close()
        _tell_incomplete(session.output, folder, counts[Found.NOT_FETCHED])
        run.note(numbers, complete=not session.output.errors)
        if as_json:
            session.output.record({"event": "report", **numbers})
        else:
            parts = [f"{number:,} {found.value}" for found, number in counts.items() if number or found is Found.GOOD]
            session.output.line(", ".join(parts))

    run(work, as_json=as_json)


def _tell_incomplete(output: Output, folder: Path, lacking: int) -> None:
    """Say that what is here is not all; where bytes are wrong, that alone decides the exit code."""
    if not lacking:
        return
    entries, verb = in_words.counted(lacking, "entry", "entries"), "tells" if lacking == 1 else "tell"
    message = f"it is not complete: {entries} of its manifest {verb} of what could not be fetched or listed"
    error = PartialError(message, subject=str(folder), hint="Pull again, and look at what that says.")
    if output.errors:
        output.say(str(error))
    else:
        output.error(error)


@contextmanager
def _noted(output: Output) -> Iterator[None]:
    """Who only looks through a folder need not be able to write to it."""
    try:
        yield
    except StorageError as error:
        output.note(f"{error} So its events do not tell that it was verified.")


def _tell_finding(output: Output, finding: FileFinding) -> None:
    if finding.error is not None:
        output.error(finding.error, finding.path)
    elif finding.found is not Found.GOOD:
        if output.as_json:
            output.record({"event": finding.found.value, "path": finding.path, "text": finding.text})
        output.note(f"{finding.path}: {finding.found.value}: {finding.text}")


def seal_command(folder: Path, *, key: Path | None, url: str, as_json: bool, timeout: float) -> None:
    """Seal what is there, as BagIt (RFC 8493) has it; nothing is sent but what a time stamp takes."""

    async def work(session: CommandSession) -> None:
        if url:
            check_timestamp(url, session.config.settings.timestamp_hosts, f"--timestamp {host_of(url)}")
            stamp_request(b"?")
        workers = Workers(1)
        try:
            sealed = await workers.run(lambda stop: seal(folder, stop, state_folder(), key))
            _tell_sealed(session.output, sealed)
            if url:
                await stamp(session, workers)
        finally:
            workers.close()

    async def stamp(session: CommandSession, workers: Workers) -> None:
        subject = f"--timestamp {host_of(url)}"
        try:
            stamping = await workers.run(lambda _stop: Stamping(folder))
            answer = await fetch_timestamp(url, stamping.query, session.timeouts, subject)
            moment = await workers.run(lambda _stop: stamping.keep(answer, subject))
        except StorageError as error:
            raise error.with_(
                hint="It is sealed, without a time stamp. Seal it again: only what is new is read."
            ) from None
        if as_json:
            session.output.record({"event": "stamped", "at": moment.isoformat(), "by": host_of(url)})
        else:
            session.output.line(f"{host_of(url)} has stamped it: {moment:%Y-%m-%d %H:%M:%S} UTC.")

    run(work, as_json=as_json, timeout=timeout)


def _tell_sealed(output: Output, sealed: Sealed) -> None:
    if output.as_json:
        output.record(_sealed_record(sealed))
        return
    read = f", {sealed.read:,} of them read" if sealed.read else ""
    output.line(f"Sealed {in_words.counted(sealed.files, 'file')}, {in_words.size(sealed.bytes)}{read}.")
    if sealed.missing:
        output.line(f"Missing in it: {sealed.missing:,} that could not be fetched.")
    output.line(f"The last event is {sealed.head}.")


def _sealed_record(sealed: Sealed) -> dict[str, object]:
    return {"event": "sealed", **{name: getattr(sealed, name) for name in sealed.__struct_fields__}}


def reconcile_command(folder: Path, *, as_json: bool, timeout: float, **given: object) -> None:
    """Compare a list of calls with what the service has and what is here."""

    async def work(session: CommandSession) -> None:
        reconciling = _Reconciling(session, folder, given)
        await reconciling.run()

    run(work, as_json=as_json, timeout=timeout)


class _Reconciling:
    """One run of the command."""

    def __init__(self, session: CommandSession, folder: Path, given: dict[str, object]) -> None:
        self._session = session
        self._folder = folder
        self._calls = given["calls"]
        self._where = str(given["where"])
        self._expected = [word.strip() for word in str(given["expect"]).split(",") if word.strip()]
        self._columns = str(given["id_column"]), str(given["start_column"])
        self._late = timedelta(seconds=float(str(given["late"])))

    async def run(self) -> None:
        """Join, and tell."""
        workers, output = Workers(1), self._session.output
        assert isinstance(self._calls, Path)
        rows = read_calls(self._calls, output.zone, *self._columns)
        with closing(Reconciliation(self._folder, self._expected, state_folder())) as joined:
            try:
                await workers.run(lambda _stop: self._take_in(joined, rows))
                if self._where:
                    await self._ask(joined, workers)
                await workers.run(joined.add_what_is_here_alone)
                found: Counter[OpenKind] = Counter()
                await workers.run(lambda _stop: _tell_open_items(output, joined, found))
            finally:
                workers.close()
            self._sum_up(joined, found)

    def _take_in(self, joined: Reconciliation, rows: Iterator[CallRow]) -> None:
        joined.add_calls(rows)
        joined.add_folder()

    async def _ask(self, joined: Reconciliation, workers: Workers) -> None:
        output = self._session.output
        provider, location = self._session.resolve(self._where)
        provider.require(Capability.SEARCH, location)
        if location.path:
            raise UsageError("takes a profile or a region, not an object", subject=f"--at {self._where}")
        span = joined.span
        if span is None:
            return
        since, until = span[0] - timedelta(hours=1), span[1] + self._late
        options = SearchOptions("", "", since.isoformat(), until.isoformat())
        query, _ = narrowed(options.query(location, output), ("state:any",), output)
        listing = QueryListing(provider, query, datetime.now(UTC))
        async for page in listing.pages():
            await workers.run(partial(joined.add_objects, page))
        output.losses(listing.failures)

    def _sum_up(self, joined: Reconciliation, found: "Counter[OpenKind]") -> None:
        output = self._session.output
        numbers = {kind.name.lower(): found[kind] for kind in OpenKind}
        if output.as_json:
            output.record({"event": "report", "calls": joined.calls, "open": found.total(), **numbers})
        else:
            parts = [f"{number:,} {kind.value}" for kind, number in found.items() if number]
            output.line(f"{joined.calls:,} calls: {', '.join(parts) if parts else 'everything is there'}.")
        if joined.unread:
            output.error(
                StorageError(f"the beginning of {joined.unread:,} calls cannot be read", subject=str(self._calls))
            )
        if found.total():
            output.errors.append(StorageError("something is open"))


def _tell_open_items(output: Output, joined: Reconciliation, found: "Counter[OpenKind]") -> None:
    for item in joined.open_items():
        found[item.kind] += 1
        _tell_open(output, item)


def _tell_open(output: Output, item: OpenItem) -> None:
    if output.as_json:
        told = {"event": item.kind.name.lower(), "call": item.call, "path": item.address, "type": item.type}
        output.record({name: value for name, value in told.items() if value})
        return
    what = f"{item.kind.value} {item.type}" if item.kind is OpenKind.LACKING else item.kind.value
    output.line("  ".join(part for part in (f"{what:24}", item.call or "-", item.address) if part))
