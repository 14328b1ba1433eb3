"""`find`: what a profile holds that meets a filter."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from cloudstore_tui.cli.export import Form, form_given
from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.searching import SearchOptions, found, kept, narrowed, note_empty, pager_of
from cloudstore_tui.cli.session import CommandSession, run
from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.core.models import Entry, Location
from cloudstore_tui.core.paging import EtaEstimator
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.ui.layout import FIELDS


@form_given
def find_command(
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
    form: Form,
    limit: int | None,
    as_json: bool,
    timeout: float,
) -> None:
    """Search the objects of a profile, in one region or in all."""
    search = SearchOptions(fiql, type_, since, until, sort, desc)

    async def work(session: CommandSession) -> None:
        provider, location = _searchable(session, where)
        query, meaning = narrowed(
            search.query(location, session.output, (*FIELDS, *provider.columns(location, frozenset({type_ or "any"})))),
            words,
            session.output,
            provider.profile.retention,
        )
        if count and not meaning.local:
            _print_count(await provider.count(query), session.output, query.filter)
            return
        pager, eta = pager_of(provider, query), EtaEstimator(provider.profile.requests_per_minute)
        objects = found(pager, eta, session.output, None if meaning.local else limit)
        with session.output.telling(pager):
            async with aclosing(objects):
                listing = kept(objects, meaning, query, session.output)
                if count:
                    _print_count(await _length(listing), session.output)
                    return
                with form.sink(session.output, provider.profile) as sink:
                    await sink.take(listing, limit)

    run(work, as_json=as_json, timeout=timeout)


def _searchable(session: CommandSession, where: str) -> tuple[StorageProvider, Location]:
    provider, location = session.resolve(where)
    if location.path:
        raise UsageError("find searches a region, not an object", subject=where, hint="Write PROFILE:REGION.")
    if Capability.SEARCH not in provider.capabilities:
        hint = "List its folders: cloudstore ls PROFILE:PATH/ -R"
        raise UsageError("the service of this profile has no search", subject=where, hint=hint)
    return provider, location


def _print_count(number: int, output: Output, filter_: str = "") -> None:
    if output.as_json:
        output.record({"count": number})
    else:
        output.line(str(number))
    if not number and filter_:
        note_empty(output, filter_)


async def _length(listing: AsyncIterator[Entry]) -> int:
    length = 0
    async for _entry in listing:
        length += 1
    return length
