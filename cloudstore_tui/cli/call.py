"""`call`: the objects of one call, shown as a tree or downloaded into a folder."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from cloudstore_tui.archive.template import CallFolder
from cloudstore_tui.calls import NAMED_BY, Branch, CallNode, CallTree, branches, call_tree, file_names, placeholder
from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.session import CommandSession
from cloudstore_tui.cli.transfer import download, objects_at, target_folder
from cloudstore_tui.core.errors import MissingError, UsageError, distinct
from cloudstore_tui.core.models import Location, StoredObject, identity
from cloudstore_tui.core.paging import Page
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.core.records import entry_record
from cloudstore_tui.fs.names import distinct_name, safe_name
from cloudstore_tui.transfers.model import OnConflict
from cloudstore_tui.ui import format as in_words

_MAX_TITLE = 44
_STATE = 9
"""Columns for a state; a longer one pushes what follows to the right."""


async def show_command(session: CommandSession, path: str, key: str, *, all_regions: bool) -> None:
    provider, location = session.resolve(path)
    _require_related(provider, path)
    if key:
        if location.path:
            raise UsageError(
                "an id is searched for in a region or a profile", subject=path, hint="Write PROFILE:REGION ID."
            )
        await _show_named(provider, location, key, session.output)
        return
    entry = None if provider.is_folder(location) else await provider.stat(location)
    if not isinstance(entry, StoredObject):
        raise UsageError("is not an object", subject=path, hint="Name an object, or add the id of a call.")
    await _show_related(provider, entry, session.output, everywhere=all_regions)


async def get_command(
    session: CommandSession, paths: tuple[str, ...], *, folder: Path | None, on_conflict: str | None
) -> None:
    entries = await objects_at(session, session.read_paths(paths))
    target = target_folder(session, folder)
    files = await _call_files(session, entries, target)
    await download(session, files, target, OnConflict(on_conflict) if on_conflict else None)


def _require_related(provider: StorageProvider, subject: str) -> None:
    """Refuse a service that has no calls.

    Raises:
        UsageError: it has none.
    """
    if Capability.RELATED not in provider.capabilities:
        raise UsageError("the service of this profile has no calls", subject=subject, hint="This works with 8x8 only.")


async def _show_named(provider: StorageProvider, where: Location, key: str, output: Output) -> None:
    """Print everything of the call with this id, in one region or in all.

    Raises:
        MissingError: nothing was found, and every region could be searched.
    """
    found = await provider.related(placeholder(where, key), everywhere=not where.region)
    tree = call_tree(found.items)
    _print_tree(tree, provider, output)
    _report_losses(found, output)
    if not tree.legs and not found.failures:
        region, fields = where.region or "all regions", ", ".join(NAMED_BY)
        what = f"not found in {region}, in any state but purged, as {fields}"
        raise MissingError(
            what, subject=key, hint="Check the id; `cloudstore find` finds calls by agent, number or time."
        )


async def _show_related(provider: StorageProvider, entry: StoredObject, output: Output, *, everywhere: bool) -> None:
    """Print the call that an object belongs to."""
    found = await provider.related(entry, everywhere=everywhere)
    if not found.items:
        output.note(_nothing_related(entry, everywhere=everywhere))
    else:
        _print_tree(call_tree([entry, *found.items], entry), provider, output)
    _report_losses(found, output)


async def _call_files(
    session: CommandSession, entries: Iterable[StoredObject], folder: Path
) -> dict[StoredObject, Path]:
    """The local paths of everything that belongs to the calls of these objects, one folder per call.

    What is not available is left out, unless it is one of `entries`.
    """
    naming = CallFolder(session.config.settings.call_folder, session.output.zone)
    files: dict[StoredObject, Path] = {}
    folders: set[Path] = set()
    for entry in entries:
        if entry in files:
            continue
        provider = session.provider(entry.location.profile)
        _require_related(provider, entry.location.address)
        found = await provider.related(entry)
        _report_losses(found, session.output)
        tree = call_tree([entry, *found.items], entry)
        wanted = [one for one in tree.entries if one == entry or one.is_available]
        if left := len(tree.entries) - len(wanted):
            session.output.note(
                f"{entry.location.address}: {in_words.counted(left, 'object')} of its call not available, and left out."
            )
        where = folder / naming.path(tree.representative or entry, provider.profile.provider)
        if where in folders:
            # Another call of the same minute and agent has this name.
            where = where.with_name(distinct_name(where.name, tree.legs[0].call_id or entry.id))
        folders.add(where)
        files |= _files(wanted, file_names(tree), where)
    return files


def _files(entries: Iterable[StoredObject], names: Mapping[str, str], folder: Path) -> dict[StoredObject, Path]:
    files: dict[StoredObject, Path] = {}
    taken: set[str] = set()
    for entry in entries:
        name = safe_name(names[identity(entry)])
        if name in taken:
            name = distinct_name(name, entry.id)
        taken.add(name)
        files[entry] = folder / name
    return files


def _print_tree(tree: CallTree, provider: StorageProvider, output: Output) -> None:
    if output.as_json:
        _print_records(tree, provider, output)
        return
    lines = list(branches(tree))
    longest = max((len(line.strokes + line.title) for line in lines if line.node is not None), default=0)
    for line in lines:
        output.line(_line(line, min(longest, _MAX_TITLE)))


def _print_records(tree: CallTree, provider: StorageProvider, output: Output) -> None:
    for leg in tree.legs:
        for node in leg.walk():
            role = {"part": node.part.value, "title": node.title, "call": leg.call_id, "tie": leg.tie.value}
            output.record(entry_record(node.entry, provider.profile.provider) | role)


def _line(line: Branch, width: int) -> str:
    name = f"{line.strokes}{line.title}"
    return f"{name:{width}}  {_facts(line.node)}" if line.node is not None else name


def _facts(node: CallNode) -> str:
    entry = node.entry
    size = in_words.size(entry.size, exact=entry.size_exact)
    state = in_words.state(entry.state)
    length = in_words.duration(entry.duration)
    return f"{length:>7}  {size:>8}  {state:{_STATE}}  {entry.location.address}  {entry.name}"


def _report_losses(found: Page[StoredObject], output: Output) -> None:
    for warning in found.warnings:
        output.note(warning)
    output.report_failures(distinct(found.failures))


def _nothing_related(entry: StoredObject, *, everywhere: bool) -> str:
    where = "all regions" if everywhere else entry.location.region
    hint = "" if everywhere else " --all-regions searches the others, too."
    return f"Nothing else of a call was found in {where}: no object shares a call, bucket or source with it.{hint}"
