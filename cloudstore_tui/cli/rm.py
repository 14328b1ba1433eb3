"""`rm` and `deletions`: delete exactly these objects, and show what was deleted."""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Self

from cloudstore_tui.archive.release import ProofFolder
from cloudstore_tui.cli.habits import why_missing
from cloudstore_tui.cli.output import Output, refuse
from cloudstore_tui.cli.session import CommandSession
from cloudstore_tui.config.paths import state_folder
from cloudstore_tui.core.errors import IntegrityError, MissingError, StorageError, UsageError
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.core.provider import Capability, Deletion, DeletionOutcome, StorageProvider
from cloudstore_tui.deletions import BATCH, FILE, TYPED_ABOVE, UNKNOWN, Deleted, DeletionLog, delete_logged
from cloudstore_tui.transfers.workers import Workers
from cloudstore_tui.ui import format as in_words
from cloudstore_tui.ui.format import counted

_DELETED = ("REVOKED", "DELETED")
_MOST_LINES = 10


async def rm_command(
    session: CommandSession, paths: tuple[str, ...], *, folder: Path | None, yes: bool, dry_run: bool
) -> None:
    if not paths and folder is None:
        raise UsageError("nothing to delete", subject="rm", hint="Write the objects, or --proved-by DIR.")
    addresses = session.read_paths(paths)
    if paths and not addresses:
        # No paths at all would mean everything that is proved.
        return
    if folder is not None:
        await _release(session, folder, addresses, yes=yes, dry_run=dry_run)
    else:
        await _delete(session, addresses, yes=yes, dry_run=dry_run)


async def _delete(session: CommandSession, paths: Sequence[str], *, yes: bool, dry_run: bool) -> None:
    batches = await _found(session, paths)
    if not _may_delete(session.output, batches, yes=yes, dry_run=dry_run):
        return
    log = _log()
    with _Tally(session.output, sum(len(entries) for _, entries in batches)) as tally:
        for provider, entries in batches:
            await delete_logged(log, provider, entries, settled=tally.add)


async def _release(session: CommandSession, folder: Path, paths: Sequence[str], *, yes: bool, dry_run: bool) -> None:
    """Delete what a folder holds a good copy of, and report what is kept and why."""
    workers, output = Workers(1), session.output
    proof = await workers.run(lambda _stop: ProofFolder(folder, state_folder()))
    try:
        wanted = paths or await workers.run(lambda _stop: [place.address for place in proof.locations()])
        proved: list[tuple[StorageProvider, list[StoredObject]]] = []
        for provider, entries in await _found(session, wanted):
            good = []
            for entry in entries:
                if (error := _objection(entry, await workers.run(partial(proof.prove, entry)))) is None:
                    good.append(entry)
                else:
                    output.error(error)
            proved += [(provider, good)] if good else []
        if not _may_delete(output, proved, yes=yes, dry_run=dry_run):
            return
        with _Tally(output, sum(len(entries) for _, entries in proved)) as tally:
            for provider, entries in proved:
                for first in range(0, len(entries), BATCH):
                    some = entries[first : first + BATCH]
                    await _release_batch(session, workers, proof, provider, some, tally)
    finally:
        proof.close()
        workers.close()


async def _release_batch(
    session: CommandSession,
    workers: Workers,
    proof: ProofFolder,
    provider: StorageProvider,
    entries: Sequence[StoredObject],
    tally: "_Tally",
) -> None:
    """Check each object and its copy again, and at once delete those that have not changed."""
    # `_found` reports what has happened to the others.
    again = [entry for _, found in await _found(session, [one.location.address for one in entries]) for entry in found]
    if not again:
        return
    done = await delete_logged(
        _log(), provider, again, lambda entry: _objection(entry, proof.still_proved(entry)), tally.add
    )
    try:
        await workers.run(lambda _stop: proof.note_released(list(done)))
    except StorageError as error:
        session.output.error(error)


def _objection(entry: StoredObject, why: str) -> IntegrityError | None:
    """The error about an object that is kept."""
    return IntegrityError(f"it is kept: {why}", subject=entry.location.address) if why else None


async def _found(session: CommandSession, paths: Sequence[str]) -> list[tuple[StorageProvider, list[StoredObject]]]:
    """The objects as they are now, by profile; what is missing is reported, and nothing is deleted unseen."""
    places = [_deletable(session, path) for path in dict.fromkeys(paths)]
    batches: dict[str, tuple[StorageProvider, list[StoredObject]]] = {}
    for provider, location in dict.fromkeys(places):
        try:
            entry = await provider.stat(location)
        except MissingError as error:
            if why_missing(location.address):
                # A mistyped address never existed, so it does not count as gone.
                session.output.error(error, location.address)
            else:
                _print_outcome(session.output, await _missing(provider, location))
            continue
        except StorageError as error:
            session.output.error(error, location.address)
            continue
        if isinstance(entry, StoredObject) and entry.state in _DELETED:
            _print_outcome(session.output, Deletion(location, DeletionOutcome.GONE))
        elif isinstance(entry, StoredObject):
            batches.setdefault(location.profile, (provider, []))[1].append(entry)
    return list(batches.values())


async def _missing(provider: StorageProvider, location: Location) -> Deletion:
    """The outcome for an object without a record: the service may still have a link to it."""
    try:
        source = await provider.source(location)
    except MissingError:
        return Deletion(location, DeletionOutcome.GONE)
    except StorageError as error:
        return Deletion(location, DeletionOutcome.UNKNOWN, error)
    if not any((source.size, source.rough_size, source.modified)):
        # Some services give a link to any address.
        return Deletion(location, DeletionOutcome.GONE)
    known = StorageError(
        "the service says that it is not there, and gives a link to it",
        subject=location.address,
        hint="Nothing was deleted. Check what is there, and report it to the service's support.",
    )
    return Deletion(location, DeletionOutcome.UNKNOWN, known)


def _deletable(session: CommandSession, path: str) -> tuple[StorageProvider, Location]:
    provider, location = session.resolve(path)
    provider.require(Capability.DELETE, location)
    if provider.is_folder(location):
        raise UsageError(
            "is a folder; only objects can be deleted", subject=path, hint="List it and delete what is in it."
        )
    return provider, location


def _may_delete(
    output: Output, batches: Sequence[tuple[StorageProvider, Sequence[StoredObject]]], *, yes: bool, dry_run: bool
) -> bool:
    """Whether to delete these objects; a dry run only lists them."""
    entries = [entry for _, some in batches for entry in some]
    if dry_run:
        for entry in entries:
            size = {"size": entry.size, "size_exact": entry.size_exact}
            output.planned("delete", entry.location.address, name=entry.name, **size)
        output.note(f"Nothing was deleted; this would delete {_summary(entries)}.")
    elif not yes and entries:
        _confirm(output, entries)
    return not dry_run


class _Tally:
    """Prints outcomes as they become known, and at the end of the block how many there are of each."""

    def __init__(self, output: Output, total: int) -> None:
        self._output = output
        self._total = total
        self._done: list[Deletion] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, asyncio.CancelledError):
            done = f"{len(self._done):,} of {counted(self._total, 'object')}"
            self._output.print_message(f"Stopped after {done}. Which others may be deleted: cloudstore deletions")
        _print_summary(self._output, self._done)

    def add(self, some: Sequence[Deletion]) -> None:
        for deletion in some:
            _print_outcome(self._output, deletion)
        self._done += some


def _confirm(output: Output, entries: Sequence[StoredObject]) -> None:
    if not output.asks:
        raise UsageError("nobody is there to confirm the deletion", hint="Add --yes to delete without asking.")
    for entry in entries:
        size = in_words.size(entry.size, exact=entry.size_exact)
        output.print_message(f"  {entry.location.address}  {entry.name}  {size}")
    count, question = len(entries), f"Delete {_summary(entries)}? It cannot be undone."
    if count > TYPED_ABOVE:
        agreed = output.ask_text(f"{question} Type {count} to confirm") == str(count)
    else:
        agreed = output.confirm(question)
    if not agreed:
        output.note("Nothing was deleted.")
        refuse()


def _summary(entries: Sequence[StoredObject]) -> str:
    """`245 objects of acme8:us-east, 62.6 MB`."""
    places = sorted({f"{entry.location.profile}:{entry.location.region}".rstrip(":") for entry in entries})
    where = f" of {', '.join(places)}" if places else ""
    size = in_words.total_size(entries)
    return f"{counted(len(entries), 'object')}{where}{f', {size}' if size else ''}"


def _print_outcome(output: Output, deletion: Deletion) -> None:
    address, outcome = deletion.location.address, deletion.outcome
    if outcome.is_gone:
        output.result({"path": address, "result": outcome.value}, f"{outcome.value}  {address}")
    error = deletion.error
    if error is None and not outcome.is_gone:
        error = StorageError(f"{outcome.value} by the service")
    if error is not None:
        output.error(error, address)


def _print_summary(output: Output, done: Sequence[Deletion]) -> None:
    """Print how many of several objects were found to be deleted."""
    if len(done) > 1 and not output.as_json:
        numbers = {outcome: sum(one.outcome is outcome for one in done) for outcome in DeletionOutcome}
        found = ", ".join(f"{number:,} {outcome.value}" for outcome, number in numbers.items() if number)
        output.note(f"Verified: {found}. The log: cloudstore deletions")


def _log() -> DeletionLog:
    return DeletionLog(state_folder() / FILE)


def deletions_command(*, as_json: bool) -> None:
    output = Output(as_json=as_json)
    log, damaged = state_folder() / FILE, list[int]()
    deleted = DeletionLog(log).read(damaged.append)
    for one in deleted:
        output.result(one.record, _deleted_line(one))
    if damaged:
        lines = ", ".join(f"{number:,}" for number in damaged[:_MOST_LINES])
        what = f"{counted(len(damaged), 'line')} of it cannot be read: {lines}"
        output.note(f"{log}: {what}{' …' * (len(damaged) > _MOST_LINES)}. More may have been deleted.")
    elif not deleted and not as_json:
        output.note("Nothing was deleted from this machine.")


def _deleted_line(one: Deleted) -> str:
    size = one.fields.get("size")
    is_exact = one.fields.get("size_exact") is not False
    outcome = one.outcome if one.outcome in (UNKNOWN, *(outcome.value for outcome in DeletionOutcome)) else "?"
    reason = f": {one.reason}" if one.reason else ""
    return (
        f"{one.text('at')[:19]}Z  {one.text('user')}  {outcome}{reason}  {one.text('path')}  {one.text('name')}  "
        f"{in_words.size(size if isinstance(size, int) else None, exact=is_exact)}  {one.text('checksum')}"
    ).rstrip()
