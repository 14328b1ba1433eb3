"""`ls`, `find` and `stat`: what is there."""

from collections.abc import AsyncIterator

import click

from cloudstore_tui.cli.call import print_call, print_related, require_related
from cloudstore_tui.cli.filter import kept, narrowed, note_empty
from cloudstore_tui.cli.options import json_option, limit_option, wait_option
from cloudstore_tui.cli.output import Output, entry_record
from cloudstore_tui.cli.search import Search, query_options
from cloudstore_tui.cli.session import Session, run
from cloudstore_tui.core.entry import Entry, Folder, StoredObject, identity
from cloudstore_tui.core.errors import StorageError, UsageError
from cloudstore_tui.core.location import Location
from cloudstore_tui.core.page import Pager
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.core.query import Query
from cloudstore_tui.ui import format as in_words

NEWEST = 100
"""Objects that `ls` shows of a region, where everything would be the whole archive."""


@click.command("ls", short_help="List a folder or region.")
@click.argument("path")
@click.option("-R", "recursive", is_flag=True, help="Everything below, too.")
@click.option("--all", "everything", is_flag=True, help=f"All objects of a region, not only the newest {NEWEST}.")
@limit_option
@json_option
@wait_option()
def ls_command(path: str, *, recursive: bool, everything: bool, limit: int | None, as_json: bool, wait: float) -> None:
    """List a folder, a region or the regions.

    \b
    Examples:
      cloudstore ls acme:                        the top folders
      cloudstore ls acme:exports/reporting/ -R   everything below a folder
      cloudstore ls acme8:us-east/ --limit 20    the 20 newest objects of a region
    """

    async def work(session: Session) -> None:
        provider, location = session.resolve(path)
        if not provider.is_folder(location):
            session.output.entry(await provider.stat(location), provider.profile.provider)
            return
        newest = provider.query(location) is not None and not everything
        most = limit or (NEWEST if newest else None)
        listing = _tree(provider, location, session.output) if recursive else _entries(provider, location)
        more = await _print(session.output, listing, provider, most)
        if more and limit is None:
            session.output.note(f"The newest {NEWEST} are shown; --all shows every one.")

    run(work, as_json=as_json, wait=wait)


@click.command("find", short_help="Search an 8x8 profile by words, FIQL, type and time.")
@click.argument("where", metavar="PROFILE[:REGION]")
@click.argument("words", nargs=-1)
@query_options
@click.option("--sort", default="", help="The service's name of a field or tag: createdTime, storedBytes, duration.")
@click.option("--desc", is_flag=True, help="Largest or newest first; the default without --sort.")
@click.option("--count", is_flag=True, help="Print only how many there are.")
@click.option("--call", "key", default="", help="Everything of the call that any of its ids names, as a tree.")
@limit_option
@json_option
@wait_option()
def find_command(  # noqa: PLR0913 - one parameter per option
    where: str,
    *,
    words: tuple[str, ...],
    fiql: str,
    type_: str,
    since: str,
    until: str,
    sort: str,
    desc: bool,
    count: bool,
    key: str,
    limit: int | None,
    as_json: bool,
    wait: float,
) -> None:
    """Search the objects of a profile, in one region or in all.

    Words and options are joined by AND; `cloudstore fiql compile --help` tells the words. Times without a zone are in
    the zone of the settings.

    \b
    Examples:
      cloudstore find acme8 agent:"Khang Glynn" on:2024-09-01 "dur:>10m"
      cloudstore find acme8 --type callcenterrecording --since yesterday
      cloudstore find acme8:us-east --fiql "agentName=='Khang Glynn'" --sort duration --desc
      cloudstore find acme8:us-east --since 2024-09-01 --until 2024-09-02 --count
      cloudstore find acme8 --call int-191accbcf26-vfBqxsWQQqqJqwuSN2ed4UW4E-phone-01-acmecorp01
    """
    search = Search(fiql, type_, since, until, sort, desc)
    if key and (words or limit or count or search != Search("", "", "", "")):
        raise UsageError("--call finds everything of one call", place=key, cure="Leave out the other conditions.")

    async def work(session: Session) -> None:
        provider, location = _searchable(session, where)
        if key:
            await print_call(provider, location, key, session.output)
            return
        query, meaning = narrowed(search.query(location, session.output), words, session.output)
        found = kept(_found(provider, query, session.output), meaning, query, session.output)
        if count:
            number = await (_length(found) if meaning.local else provider.count(query))
            session.output.record({"count": number}) if as_json else session.output.line(str(number))
            if not number and not meaning.local:
                note_empty(session.output, query.filter)
            return
        await _print(session.output, found, provider, limit)

    run(work, as_json=as_json, wait=wait)


@click.command("stat", short_help="Show everything known of one object.")
@click.argument("path")
@click.option("--related", is_flag=True, help="Then everything else of its call, as a tree.")
@click.option("--all-regions", is_flag=True, help="As --related, but of all regions, not only of its own.")
@json_option
@wait_option()
def stat_command(path: str, *, related: bool, all_regions: bool, as_json: bool, wait: float) -> None:
    """Show every field and tag of one object.

    \b
    Examples:
      cloudstore stat acme:exports/reporting/outreach/outreach-20240901.tar
      cloudstore stat acme8:us-east/58bc5748-339b-43c2-ad15-572a35dc3aad --json
      cloudstore stat acme8:us-east/58bc5748-339b-43c2-ad15-572a35dc3aad --related
    """

    async def work(session: Session) -> None:
        provider, location = session.resolve(path)
        if related or all_regions:
            require_related(provider, path)
        entry = await provider.stat(location)
        _print_stat(entry, provider, session.output)
        if (related or all_regions) and isinstance(entry, StoredObject):
            await print_related(provider, entry, session.output, everywhere=all_regions)

    run(work, as_json=as_json, wait=wait)


def _print_stat(entry: Entry, provider: StorageProvider, output: Output) -> None:
    record = entry_record(entry, provider.profile.provider)
    if output.as_json:
        tags = list(entry.tags) if isinstance(entry, StoredObject) else []
        listed = {"tag_list": [{"key": key, "value": value} for key, value in tags]} if tags else {}
        output.record(record | listed)
        return
    for name, value in _facts(entry, record, output):
        output.line(f"{name:16}  {value}")


def _facts(entry: Entry, record: dict[str, object], output: Output) -> list[tuple[str, object]]:
    facts = [(name, value) for name, value in record.items() if name not in {"tags", "size_exact", "size"}]
    if isinstance(entry, Folder):
        return facts
    times = {name: in_words.full_time(getattr(entry, name), output.zone) for name in ("created", "modified", "updated")}
    facts = [(name, times.get(name, value)) for name, value in facts]
    size = in_words.exact_size(entry.size, exact=entry.size_exact)
    return [*facts, ("size", size), *((f"tag {key}", value) for key, value in entry.tags)]


def _searchable(session: Session, where: str) -> tuple[StorageProvider, Location]:
    provider, location = session.resolve(where if ":" in where else f"{where}:")
    if location.path:
        raise UsageError("find searches a region, not an object", place=where, cure="Write PROFILE:REGION.")
    if Capability.SEARCH not in provider.capabilities:
        cure = "List its folders: cloudstore ls PROFILE:PATH/ -R"
        raise UsageError("the service of this profile has no search", place=where, cure=cure)
    return provider, location


async def _print(output: Output, listing: AsyncIterator[Entry], provider: StorageProvider, limit: int | None) -> bool:
    """Print entries as they come; whether there were more than `limit`."""
    printed = 0
    async for entry in listing:
        if limit is not None and printed >= limit:
            return True
        output.entry(entry, provider.profile.provider)
        printed += 1
    return False


async def _length(listing: AsyncIterator[Entry]) -> int:
    length = 0
    async for _entry in listing:
        length += 1
    return length


async def _entries(provider: StorageProvider, location: Location) -> AsyncIterator[Entry]:
    pager = Pager(lambda cursor: provider.browse(location, cursor), identity, location.address)
    async for page in pager:
        for entry in page.items:
            yield entry


async def _tree(provider: StorageProvider, location: Location, output: Output) -> AsyncIterator[Entry]:
    """Everything below a folder, depth first; a folder that cannot be read does not end the walk."""
    waiting = [location]
    while waiting:
        here = waiting.pop()
        folders = []
        try:
            async for entry in _entries(provider, here):
                yield entry
                if isinstance(entry, Folder):
                    folders.append(entry.location)
        except StorageError as error:
            if here == location:
                raise
            output.error(error, here.address)
        waiting += reversed(folders)


async def _found(provider: StorageProvider, query: Query, output: Output) -> AsyncIterator[Entry]:
    pager = Pager(lambda cursor: provider.search(query, cursor), identity, query.location.address)
    async for page in pager:
        for warning in page.warnings:
            output.note(warning)
        for entry in page.items:
            yield entry
