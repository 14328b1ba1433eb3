"""`rm`: delete exactly these objects."""

from collections.abc import Sequence

import click

from cloudstore_tui.cli.deletions import deletion_log, print_deletions
from cloudstore_tui.cli.options import json_option, timeout_option
from cloudstore_tui.cli.output import Output, refuse
from cloudstore_tui.cli.session import Session, run
from cloudstore_tui.core.errors import MissingError, StorageError, UsageError
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.core.provider import Capability, Deletion, Fate, StorageProvider
from cloudstore_tui.deletions import delete_logged
from cloudstore_tui.ui import format as in_words
from cloudstore_tui.ui.format import counted

TYPED_ABOVE = 1
"""More objects than this, and the number has to be typed to confirm."""

_DELETED = ("REVOKED", "DELETED")
_GONE = (Fate.DELETED, Fate.GONE)


@click.command("rm", short_help="Delete objects.")
@click.argument("paths", metavar="PATH...", nargs=-1)
@click.option("--yes", is_flag=True, help="Do not ask; needed where nobody can be asked.")
@click.option("--log", "show_log", is_flag=True, help="Show what was deleted from this machine, instead of deleting.")
@json_option
@timeout_option()
def rm_command(paths: tuple[str, ...], *, yes: bool, show_log: bool, as_json: bool, timeout: float) -> None:
    """Delete exactly these objects, never a folder; look at each afterwards and tell what became of it.

    On a terminal the number of objects is to be typed. Every object is written down before it is deleted, with its
    size and checksum; `cloudstore deletions` shows that. The profile needs read_only = false.

    \b
    Examples:
      cloudstore rm acme:imports/outreach/nanp/plan.csv
      cloudstore rm acme8:us-east/58bc5748-339b-43c2-ad15-572a35dc3aad --yes
      cloudstore rm --log
    """
    if show_log:
        if paths:
            raise UsageError("--log only shows the log", subject="rm", hint="Leave out PATH.")
        print_deletions(as_json=as_json)
        return
    if not paths:
        raise UsageError("nothing to delete", subject="rm", hint="cloudstore rm PATH...")

    async def work(session: Session) -> None:
        batches = await _found(session, paths)
        if not yes and batches:
            _confirm(session.output, [entry for _, entries in batches for entry in entries])
        log, done = deletion_log(), list[Deletion]()
        for provider, entries in batches:
            done += await delete_logged(log, provider, entries)
        for deletion in done:
            _tell(session.output, deletion)
        _sum_up(session.output, done)

    run(work, as_json=as_json, timeout=timeout)


async def _found(session: Session, paths: Sequence[str]) -> list[tuple[StorageProvider, list[StoredObject]]]:
    """The objects as they are now, by profile. What is not there is said; nothing is deleted unseen."""
    places = [_allowed(session, path) for path in dict.fromkeys(paths)]
    batches: dict[str, tuple[StorageProvider, list[StoredObject]]] = {}
    for provider, location in dict.fromkeys(places):
        try:
            entry = await provider.stat(location)
        except MissingError:
            _tell(session.output, Deletion(location, Fate.GONE))
            continue
        except StorageError as error:
            session.output.error(error, location.address)
            continue
        if isinstance(entry, StoredObject) and entry.state in _DELETED:
            _tell(session.output, Deletion(location, Fate.GONE))
        elif isinstance(entry, StoredObject):
            batches.setdefault(location.profile, (provider, []))[1].append(entry)
    return list(batches.values())


def _allowed(session: Session, path: str) -> tuple[StorageProvider, Location]:
    provider, location = session.resolve(path)
    provider.require(Capability.DELETE, location)
    if provider.is_folder(location):
        raise UsageError(
            "is a folder; only objects can be deleted", subject=path, hint="List it and delete what is in it."
        )
    return provider, location


def _confirm(output: Output, entries: Sequence[StoredObject]) -> None:
    if not output.asks:
        raise UsageError("nobody is there to confirm the deletion", hint="Add --yes to delete without asking.")
    for entry in entries:
        output.note(f"  {entry.location.address}  {entry.name}  {in_words.size(entry.size)}")
    count, total = len(entries), sum(entry.size or 0 for entry in entries)
    places = sorted({f"{entry.location.profile}:{entry.location.region}" for entry in entries})
    question = f"Delete {counted(count, 'object')} of {', '.join(places)}, {in_words.size(total)}? It cannot be undone."
    if count > TYPED_ABOVE:
        agreed = output.typed(f"{question} Type {count} to confirm") == str(count)
    else:
        agreed = output.confirm(question)
    if not agreed:
        output.note("Nothing was deleted.")
        refuse()


def _tell(output: Output, deletion: Deletion) -> None:
    address, fate = deletion.location.address, deletion.fate
    if fate in _GONE:
        if output.as_json:
            output.record({"path": address, "result": fate.value})
        else:
            output.line(f"{fate.value}  {address}")
    error = deletion.error
    if error is None and fate not in _GONE:
        error = StorageError(f"{fate.value} by the service")
    if error is not None:
        output.error(error, address)


def _sum_up(output: Output, done: Sequence[Deletion]) -> None:
    """What looking at each afterwards gave, where there are several."""
    if len(done) > 1 and not output.as_json:
        numbers = {fate: sum(one.fate is fate for one in done) for fate in Fate}
        found = ", ".join(f"{number:,} {fate.value}" for fate, number in numbers.items() if number)
        output.note(f"Looked at afterwards: {found}. The log: cloudstore deletions")
