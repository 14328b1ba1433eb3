"""`verify`, `seal` and `reconcile`: whether a pulled folder is complete, and proof of it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import structs

from cloudstore_tui.archive.bag import Sealed, Stamping, note_verified, seal
from cloudstore_tui.archive.listing import QueryListing
from cloudstore_tui.archive.reconcile import OpenItem, OpenKind, Reconciliation, read_calls
from cloudstore_tui.archive.timestamp import stamp_request
from cloudstore_tui.archive.verify import FileFinding, Found, ReadSample, verify_folder
from cloudstore_tui.cli.find import SearchOptions, apply_words
from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.reporting import RunOptions, reported
from cloudstore_tui.cli.session import CommandSession
from cloudstore_tui.config.paths import state_folder
from cloudstore_tui.core.errors import PartialError, StorageError, UsageError
from cloudstore_tui.core.provider import Capability
from cloudstore_tui.net.ping import check_timestamp, fetch_timestamp, host_of
from cloudstore_tui.transfers.workers import Stop, Workers
from cloudstore_tui.ui import format as in_words

MAX_CHANGED = 1000
"""How many files with problems the events of a verification name."""


async def verify_command(
    session: CommandSession,
    folder: Path,
    *,
    sample: float,
    seed: int,
    signers: Path | None,
    authority: Path | None,
    **given: Any,
) -> None:
    output, counts = session.output, dict.fromkeys(Found, 0)
    wrong: list[tuple[str, str]] = []

    def verify(stop: Stop) -> None:
        part, scratch = ReadSample(sample, seed), state_folder()
        for finding in verify_folder(folder, stop, scratch, sample=part, signers=signers, authority=authority):
            counts[finding.found] += 1
            if finding.error is not None and len(wrong) < MAX_CHANGED:
                wrong.append((finding.path, finding.text))
            _report_finding(output, finding)

    async with reported(session, RunOptions.pop_from(given), "verify", folder, ()) as run:
        run.begin()
        with closing(Workers(1)) as workers:
            await workers.run(verify)
            numbers = {found.value.replace(" ", "_"): number for found, number in counts.items()}
            with _noting_failure(output):
                await workers.run(lambda _stop: note_verified(folder, numbers, wrong))
        _report_incomplete(output, folder, counts[Found.NOT_FETCHED])
        run.note(numbers, complete=not output.errors)
        output.result({"event": "report", **numbers}, _summary(counts))


_EVIDENCE = frozenset({Found.SEALED, Found.SIGNATURE, Found.SIGNED, Found.TIME_STAMP, Found.STAMPED})
"""What the summary of a good seal says in words, after the numbers."""


def _summary(counts: Mapping[Found, int]) -> str:
    """`245 good; the seal and the events are whole: signed, no time stamp`."""
    is_whole = counts[Found.SEALED] > 0
    numbers = {found: number for found, number in counts.items() if not (is_whole and found in _EVIDENCE)}
    shown = ", ".join(f"{number:,} {found.value}" for found, number in numbers.items() if number or found is Found.GOOD)
    if not is_whole:
        return shown
    whole = "the seal is whole" if counts[Found.CHAIN] else "the seal and the events are whole"
    signed = "signed" if counts[Found.SIGNED] else "not signed" + " as it has to be" * counts[Found.SIGNATURE]
    stamp = "a time stamp" if counts[Found.STAMPED] else f"no {'good ' * counts[Found.TIME_STAMP]}time stamp"
    return f"{shown}; {whole}: {signed}, {stamp}"


def _report_incomplete(output: Output, folder: Path, lacking: int) -> None:
    """Report that the folder is not complete; this decides the exit code only if no file is wrong."""
    if not lacking:
        return
    entries, verb = in_words.counted(lacking, "entry", "entries"), "records" if lacking == 1 else "record"
    message = f"it is not complete: {entries} of its manifest {verb} what could not be fetched or listed"
    error = PartialError(message, subject=str(folder), hint="Pull again, and see what it reports.")
    if output.errors:
        output.print_message(str(error))
    else:
        output.error(error)


@contextmanager
def _noting_failure(output: Output) -> Iterator[None]:
    """Turn a failure to write to the folder into a note: verifying needs only to read it."""
    try:
        yield
    except StorageError as error:
        output.note(f"{error} So its events do not record this verification.")


def _report_finding(output: Output, finding: FileFinding) -> None:
    if finding.error is not None:
        output.error(finding.error, finding.path)
    elif finding.found not in (Found.GOOD, Found.UNREAD):
        if output.as_json:
            output.record({"event": finding.found.value, "path": finding.path, "text": finding.text})
        output.note(f"{finding.path}: {finding.found.value}: {finding.text}")


async def seal_command(session: CommandSession, folder: Path, *, key: Path | None, url: str) -> None:
    if url:
        check_timestamp(url, session.config.settings.timestamp_hosts, f"--timestamp {host_of(url)}")
        stamp_request(b"?")
    with closing(Workers(1)) as workers:
        _print_sealed(session.output, await workers.run(lambda stop: seal(folder, stop, state_folder(), key)))
        if url:
            await _stamp(session, workers, folder, url)


async def _stamp(session: CommandSession, workers: Workers, folder: Path, url: str) -> None:
    subject = f"--timestamp {host_of(url)}"
    try:
        stamping = await workers.run(lambda _stop: Stamping(folder))
        answer = await fetch_timestamp(url, stamping.query, session.timeouts, subject)
        moment = await workers.run(lambda _stop: stamping.keep(answer, subject))
    except StorageError as error:
        hint = "It is sealed, without a time stamp. Seal it again: only what is new is read."
        raise error.with_(hint=hint) from None
    session.output.result(
        {"event": "stamped", "at": moment.isoformat(), "by": host_of(url)},
        f"{host_of(url)} has stamped it: {moment:%Y-%m-%d %H:%M:%S} UTC.",
    )


def _print_sealed(output: Output, sealed: Sealed) -> None:
    if output.as_json:
        output.record({"event": "sealed", **structs.asdict(sealed)})
        return
    read = f", {sealed.read:,} of them read" if sealed.read else ""
    output.line(f"Sealed {in_words.counted(sealed.files, 'file')}, {in_words.size(sealed.bytes)}{read}.")
    if sealed.missing:
        output.line(f"Missing: {sealed.missing:,} that could not be fetched, or whose files are gone.")
    for path in sealed.extra_paths:
        output.line(f"Sealed, though the manifest does not list it: {path}")
    if more := sealed.extra - len(sealed.extra_paths):
        output.line(f"And {more:,} more.")
    if sealed.extra:
        output.line("If a file does not belong there, remove it and seal again.")
    output.line(f"The last event is {sealed.head}.")


async def reconcile_command(
    session: CommandSession,
    folder: Path,
    *,
    calls: Path,
    where: str,
    expect: str,
    id_column: str,
    start_column: str,
    late: float,
) -> None:
    output = session.output
    rows = read_calls(calls, output.zone, id_column, start_column)
    expected = [word.strip() for word in expect.split(",") if word.strip()]
    found: Counter[OpenKind] = Counter()
    with closing(Reconciliation(folder, expected, state_folder())) as joined, closing(Workers(1)) as workers:
        await workers.run(lambda _stop: joined.add_calls(rows))
        await workers.run(lambda _stop: joined.add_folder())
        if where:
            await _add_objects(session, workers, joined, where, timedelta(seconds=late))
        await workers.run(joined.add_only_here)
        await workers.run(lambda _stop: _print_open_items(output, joined, found))
        if joined.unread:
            message = f"the start of {in_words.counted(joined.unread, 'call')} cannot be read"
            output.error(StorageError(message, subject=str(calls)))
        if joined.unnamed:
            message = f"{in_words.counted(joined.unnamed, 'line')} without the id of a call"
            output.error(StorageError(message, subject=str(calls)))
        _print_summary(output, joined.calls, found)
    if found.total():
        output.errors.append(StorageError("something is open"))


async def _add_objects(
    session: CommandSession, workers: Workers, joined: Reconciliation, where: str, late: timedelta
) -> None:
    """Add the objects that the service has for the time of the calls."""
    output = session.output
    provider, location = session.resolve(where)
    provider.require(Capability.SEARCH, location)
    if location.path:
        raise UsageError("takes a profile or a region, not an object", subject=f"--at {where}")
    if joined.span is None:
        return
    first, last = joined.span
    options = SearchOptions("", "", (first - timedelta(hours=1)).isoformat(), (last + late).isoformat())
    query, _ = apply_words(options.query(location, output), ("state:any",), output)
    listing = QueryListing(provider, query, datetime.now(UTC))
    async for page in listing.pages():
        await workers.run(partial(joined.add_objects, page))
    output.report_failures(listing.failures)


def _print_summary(output: Output, calls: int, found: "Counter[OpenKind]") -> None:
    if output.as_json:
        numbers = {kind.name.lower(): found[kind] for kind in OpenKind}
        output.record({"event": "report", "calls": calls, "open": found.total(), **numbers})
    else:
        parts = [f"{number:,} {kind.value}" for kind, number in found.items() if number]
        whole = "everything is there" if calls else "the list names no calls"
        nothing = "nothing open is known" if output.errors else whole
        output.line(f"{in_words.counted(calls, 'call')}: {', '.join(parts) or nothing}.")


def _print_open_items(output: Output, joined: Reconciliation, found: "Counter[OpenKind]") -> None:
    for item in joined.open_items():
        found[item.kind] += 1
        _print_open(output, item)


def _print_open(output: Output, item: OpenItem) -> None:
    if output.as_json:
        record = {"event": item.kind.name.lower(), "call": item.call, "path": item.address, "type": item.type}
        output.record({name: value for name, value in record.items() if value})
        return
    what = f"{item.kind.value} {item.type}" if item.kind is OpenKind.LACKING else item.kind.value
    output.line("  ".join(part for part in (f"{what:24}", item.call or "-", item.address) if part))
