"""`ls`, `stat` and `url`: what is there, everything known about one object, and a link to it."""

import shlex
from collections.abc import AsyncGenerator
from contextlib import aclosing, nullcontext
from functools import partial
from typing import Any

from cloudstore_tui.cli.export import noting_absent, read_export_options
from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.session import CommandSession
from cloudstore_tui.config.profiles import Config
from cloudstore_tui.core.errors import StorageError, UsageError
from cloudstore_tui.core.links import LinkForm
from cloudstore_tui.core.models import Entry, Folder, Location, StoredObject, identity
from cloudstore_tui.core.paging import PREFETCH_THRESHOLD, Pager
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.core.records import entry_record, iso
from cloudstore_tui.fs.names import safe_name
from cloudstore_tui.ui import format as in_words

NEWEST = 100
"""How many objects of a region `ls` shows: all of them would be the whole archive."""


async def ls_command(
    session: CommandSession, path: str, *, recursive: bool, everything: bool, limit: int | None, **export: Any
) -> None:
    form = read_export_options(session.output, **export)
    if not path:
        if form.file is not None:
            hint = "Name a folder or a region."
            raise UsageError("without a path ls lists the profiles, and writes no file", subject="ls", hint=hint)
        print_profiles(session.config, session.output)
        return
    provider, location = session.resolve(path)
    if not provider.is_folder(location):
        entry = await provider.stat(location)
        with form.sink(session.output, provider.profile) as sink:
            sink.add(entry)
        return
    newest = provider.query(location) is not None and not everything
    most = limit or (NEWEST if newest else None)
    pager = _pager(provider, location)
    ahead = most is None or most > PREFETCH_THRESHOLD
    if recursive:
        listed = _tree(provider, location, session.output, ahead=ahead)
    else:
        listed = _entries(pager, session.output, ahead=ahead)
    async with aclosing(listed) as listing:
        with form.sink(session.output, provider.profile) as sink:
            async with aclosing(noting_absent(listing, form.names, session.output)) as rows:
                is_full = await sink.take(rows, most)
        # The next page is not asked for only to know whether there is one.
        more = is_full and limit is None and (not pager.ended or await anext(listing, None) is not None)
    if more:
        session.output.note(f"Only the newest {NEWEST} are shown; --all shows every one.")


def _pager(provider: StorageProvider, location: Location) -> Pager[Entry]:
    query = provider.query(location)
    ahead = partial(provider.prefetch, query) if query is not None else None
    return Pager(lambda cursor: provider.browse(location, cursor), identity, location.address, ahead)


async def _entries(pager: Pager[Entry], output: Output, *, ahead: bool) -> AsyncGenerator[Entry, None]:
    """All entries; `ahead` if the caller will take them all, so that pages can be prefetched."""
    # Prefetched pages are compared with one another, so what one of them hides is found or reported.
    async with pager.prefetch() if ahead else nullcontext():
        with output.reporting_failures_of(pager):
            async for page in pager:
                for warning in page.warnings:
                    output.note(warning)
                for entry in page.items:
                    yield entry


async def _tree(
    provider: StorageProvider, location: Location, output: Output, *, ahead: bool
) -> AsyncGenerator[Entry, None]:
    """Everything below a folder, depth first; a folder that cannot be read is reported and skipped."""
    waiting = [location]
    while waiting:
        here = waiting.pop()
        folders = []
        try:
            async with aclosing(_entries(_pager(provider, here), output, ahead=ahead)) as entries:
                async for entry in entries:
                    yield entry
                    if isinstance(entry, Folder):
                        folders.append(entry.location)
        except StorageError as error:
            if here == location:
                raise
            output.error(error, here.address)
        waiting += reversed(folders)


def print_profiles(config: Config, output: Output) -> None:
    """Print the profiles, or how to add one."""
    for profile in config.profiles.values():
        if output.as_json:
            output.record({"profile": profile.name, "provider": profile.provider, "read_only": profile.read_only})
        else:
            mode = "read-only" if profile.read_only else "writable"
            output.line(f"{profile.name:16}  {profile.provider:8}  {mode}")
    if not config.profiles:
        output.note(f"No profiles in {config.path}. Add one: cloudstore profile add. To look around: cloudstore demo")


async def stat_command(session: CommandSession, path: str) -> None:
    provider, location = session.resolve(path)
    _print_stat(await provider.stat(location), provider, session.output)


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


async def url_command(session: CommandSession, path: str, *, native: bool, curl: bool) -> None:
    provider, location = session.resolve(path)
    link = await provider.link(location, LinkForm.NATIVE if native else None)
    url = link.url.reveal()
    if session.output.as_json:
        session.output.record({"url": url, "expires": iso(link.expires), "form": link.form.value})
    elif curl:
        session.output.line(shlex.join(["curl", "--fail", "--globoff", "--output", _local_name(location), url]))
    else:
        session.output.line(url)
    if link.note:
        session.output.note(link.note)
    ends = in_words.full_time(link.expires, session.output.zone)
    session.output.note(f"Expires {ends}. Anyone with this link can download the file.")


def _local_name(location: Location) -> str:
    """A safe name for a file in the current folder."""
    return safe_name(location.path.rsplit("/", 1)[-1] or "download")
