"""`zip`: jobs of the server that pack objects into one file."""

from pathlib import Path

from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.session import CommandSession
from cloudstore_tui.cli.transfer import (
    ProgressLine,
    local_paths,
    print_result,
    submit_batch,
    target_folder,
    transferring,
    wait_for_all,
)
from cloudstore_tui.core.errors import StorageError, UnreadableError, UsageError, distinct
from cloudstore_tui.core.links import ZipJob
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.fs.names import is_segment, safe_name
from cloudstore_tui.transfers.manager import TransferManager
from cloudstore_tui.transfers.model import DownloadRequest, OnConflict, Request, TransferSnapshot, ZipRequest
from cloudstore_tui.transfers.zip.plan import plan_zips
from cloudstore_tui.ui.format import counted

_ENDING = ".zip"
_HINT = "For example acme8:us-east/0bccb889-3f0e-4b0e-9d8c-5f0f6f7d9a11.zip; `cloudstore zip list` shows them."


async def start_command(session: CommandSession, paths: tuple[str, ...], *, dry_run: bool) -> None:
    places = [_object_of(session, path) for path in session.read_paths(paths)]
    if not places:
        return
    if len({(location.profile, location.region) for _, location in places}) > 1:
        raise UsageError("a zip job packs objects of one region", hint="Start one job for each region.")
    provider = places[0][0]
    if dry_run:
        for _, location in places:
            session.output.planned("pack", location.address)
        return
    _show(session.output, await provider.start_zip([location for _, location in places]))


async def status_command(session: CommandSession, path: str) -> None:
    provider, location = _job_of(session, path)
    _show(session.output, await provider.zip_job(location.region, location.path))


async def list_command(session: CommandSession, path: str) -> None:
    provider, location = _zips_of(session, path)
    regions = [location.region] if location.region else await _regions(provider, location, session.output)
    count = 0
    for region in regions:
        try:
            queue = await provider.zip_jobs(region)
        except StorageError as error:
            session.output.error(error, f"{location.profile}:{region}/")
            continue
        for job in queue.items:
            _show(session.output, job)
        count += len(queue.items)
        session.output.report_failures(queue.failures)
    if not (count or session.output.errors):
        session.output.note("No zip jobs.")


async def get_command(
    session: CommandSession, paths: tuple[str, ...], *, folder: Path | None, keep_zip: bool, on_conflict: str | None
) -> None:
    target = target_folder(session, folder)
    way = OnConflict(on_conflict or OnConflict.REFUSE)
    requests = await _requests(session, session.read_paths(paths), target, way, keep=keep_zip)
    async with transferring(session) as engine:
        with ProgressLine(engine, session.output):
            numbers = submit_batch(engine, requests)
            ended = [await engine.wait(number) for number in numbers]
        for transfer in ended:
            _print_outcome(session.output, engine, transfer)
        await wait_for_all(engine, numbers)


async def cancel_command(session: CommandSession, path: str) -> None:
    provider, location = _job_of(session, path)
    for job in await provider.cancel_zip(location.region, location.path):
        _show(session.output, job)


async def clear_command(session: CommandSession, path: str, *, yes: bool) -> None:
    provider, location = _zips_of(session, path)
    if not location.region:
        raise UsageError("one region is cleared at a time", subject=path, hint="Write PROFILE:REGION.")
    if not yes:
        queue = await provider.zip_jobs(location.region)
        unnamed = sum(failure.number for failure in queue.failures if isinstance(failure, UnreadableError))
        _confirm(session.output, location, len(queue.items) + unnamed)
    for job in await provider.clear_zips(location.region):
        _show(session.output, job)


def _confirm(output: Output, location: Location, count: int) -> None:
    jobs = counted(count, "job")
    question = (
        f"Empty the queue of {location.address}? That removes {jobs}, including those of others with the same key"
    )
    hint = "Add --yes to empty it without asking."
    output.require_yes(question, UsageError("nobody is there to confirm that the queue is emptied", hint=hint))


async def _requests(
    session: CommandSession, paths: tuple[str, ...], folder: Path, way: OnConflict, *, keep: bool
) -> list[Request]:
    """The requests: one for each named job, and objects in as few jobs as possible, by region."""
    jobs = [path for path in paths if path.endswith(_ENDING)]
    requests: list[Request] = []
    for path in jobs:
        _, location = _job_of(session, path)
        name = location.path
        place = Location(location.profile, location.region)
        requests.append(ZipRequest((), place, folder, name, safe_name(name) if keep else ""))
    entries = [await _entry(session, path) for path in paths if path not in jobs]
    plan = plan_zips(entries)
    if keep and entries:
        raise UsageError("--keep-zip is for a job that is there", hint="Start it with: cloudstore zip start")
    downloads = {
        entry.location: DownloadRequest(entry.location, file.parent, file.name, way, entry)
        for entry, file in local_paths(session, entries, folder).items()
    }
    for batch in plan.batches:
        first = batch.entries[0].location
        members = tuple(downloads[entry.location] for entry in batch.entries)
        requests.append(ZipRequest(members, Location(first.profile, first.region), folder))
    packed = {entry.location for batch in plan.batches for entry in batch.entries}
    return requests + [request for location, request in downloads.items() if location not in packed]


async def _entry(session: CommandSession, path: str) -> StoredObject:
    provider, location = _object_of(session, path)
    entry = await provider.stat(location)
    if not isinstance(entry, StoredObject):
        raise UsageError("is a folder, and only objects are packed", subject=path)
    return entry


async def _regions(provider: StorageProvider, root: Location, output: Output) -> list[str]:
    page = await provider.folders(root)
    output.report_failures(distinct(page.failures))
    return [folder.location.region for folder in page.items]


def _zips_of(session: CommandSession, path: str) -> tuple[StorageProvider, Location]:
    provider, location = session.resolve(path)
    provider.require(Capability.ZIP, location)
    return provider, location


def _object_of(session: CommandSession, path: str) -> tuple[StorageProvider, Location]:
    provider, location = _zips_of(session, path)
    if provider.is_folder(location):
        raise UsageError("is a folder, and only objects are packed", subject=path, hint="Name the objects.")
    return provider, location


def _job_of(session: CommandSession, path: str) -> tuple[StorageProvider, Location]:
    provider, location = _zips_of(session, path)
    if not location.region or not location.path.endswith(_ENDING) or not is_segment(location.path):
        raise UsageError("is not a zip job", subject=path, hint=_HINT)
    return provider, location


def _show(output: Output, job: ZipJob) -> None:
    address = f"{job.profile}:{job.region}/{job.name}"
    output.result(
        {"path": address, "status": job.status, "content": list(job.content)},
        f"{job.status:13}  {len(job.content):>5}  {address}",
    )


def _print_outcome(output: Output, engine: TransferManager, transfer: TransferSnapshot) -> None:
    """Print the outcome of each member, or of a transfer without members."""
    members = engine.members(transfer.id)
    for member in members:
        print_result(output, member)
    if not members or (transfer.error is not None and all(member.error is None for member in members)):
        print_result(output, transfer)
    elif transfer.note:
        output.note(f"{transfer.request.location.address}: {transfer.note}.")
