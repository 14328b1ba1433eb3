"""`rm`: delete exactly these objects."""

import click

from cloudstore_tui.cli.options import json_option, wait_option
from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.session import Session, run
from cloudstore_tui.core.entry import StoredObject
from cloudstore_tui.core.errors import StorageError, UsageError
from cloudstore_tui.core.location import Location
from cloudstore_tui.core.provider import Capability, Deletion, Fate, StorageProvider
from cloudstore_tui.ui import format as in_words

TYPED_ABOVE = 20
"""More objects than this, and the number has to be typed to confirm."""


@click.command("rm", short_help="Delete objects.")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask; needed where nobody can be asked.")
@json_option
@wait_option()
def rm_command(paths: tuple[str, ...], *, yes: bool, as_json: bool, wait: float) -> None:
    """Delete exactly these objects, never a folder, and tell what became of each.

    The profile needs read_only = false.

    \b
    Examples:
      cloudstore rm acme:imports/outreach/nanp/plan.csv
      cloudstore rm acme8:us-east/58bc5748-339b-43c2-ad15-572a35dc3aad --yes
    """

    async def work(session: Session) -> None:
        batches: dict[str, tuple[StorageProvider, list[Location]]] = {}
        for path in dict.fromkeys(paths):
            provider, location = session.resolve(path)
            provider.require(Capability.DELETE, location)
            if provider.is_folder(location):
                raise UsageError(
                    "is a folder; only objects can be deleted", place=path, cure="List it and delete what is in it."
                )
            batches.setdefault(location.profile, (provider, []))[1].append(location)
        if not yes:
            await _confirm(session.output, list(batches.values()))
        for provider, locations in batches.values():
            for deletion in await provider.delete(locations):
                _tell(session.output, deletion)

    run(work, as_json=as_json, wait=wait)


async def _confirm(output: Output, batches: list[tuple[StorageProvider, list[Location]]]) -> None:
    if not output.asks:
        raise UsageError("nobody is there to confirm the deletion", cure="Add --yes to delete without asking.")
    count = total = 0
    for provider, locations in batches:
        for location in locations:
            count += 1
            total += await _size(output, provider, location)
    question = f"Delete {count} object{'s' if count != 1 else ''}, {in_words.size(total)}? This cannot be undone."
    if count > TYPED_ABOVE:
        agreed = output.typed(f"{question} Type {count} to confirm") == str(count)
    else:
        agreed = output.confirm(question)
    if not agreed:
        raise click.Abort


async def _size(output: Output, provider: StorageProvider, location: Location) -> int:
    try:
        entry = await provider.stat(location)
    except StorageError as error:
        output.note(str(error))
        return 0
    size = entry.size if isinstance(entry, StoredObject) else None
    output.note(f"  {location.address}  {entry.name}  {in_words.size(size)}")
    return size or 0


def _tell(output: Output, deletion: Deletion) -> None:
    address = deletion.location.address
    if deletion.error is not None:
        output.error(deletion.error, address)
    elif deletion.fate is Fate.KEPT or deletion.fate is Fate.UNKNOWN:
        output.error(StorageError(f"{deletion.fate.value} by the service"), address)
    elif output.as_json:
        output.record({"path": address, "result": deletion.fate.value})
    else:
        output.line(f"{deletion.fate.value}  {address}")
