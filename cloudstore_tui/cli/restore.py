"""`restore`: archived objects brought back, which takes hours."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from cloudstore_tui.cli.options import json_option
from cloudstore_tui.cli.restoring import absolute, failure, get_command, keeper_of, open_ledger, print_order
from cloudstore_tui.cli.session import Session, Unasked, run
from cloudstore_tui.cli.transferring import finished, named, tell, transferring
from cloudstore_tui.core.entry import StoredObject
from cloudstore_tui.core.errors import AccessError, NotAvailableError, StorageError, UsageError
from cloudstore_tui.core.location import Location
from cloudstore_tui.core.provider import Capability
from cloudstore_tui.restores.keeper import ARCHIVED, AVAILABLE, Keeper, Step
from cloudstore_tui.restores.order import Order, Stage, utc_now
from cloudstore_tui.transfers.model import DownloadRequest, OnConflict
from cloudstore_tui.ui.restore_text import summary

_GIVE_UP = Unasked(900)
_CURES = {
    "REVOKED": "It was deleted; only 8x8 can bring it back.",
    "DELETED": "It was purged.",
    "FAILED": "The service could not store it.",
}


@click.command("restore", short_help="Bring archived objects back.")
@click.argument("paths", metavar="[PATH...]", nargs=-1)
@click.option("--days", type=click.IntRange(1, 10), default=7, show_default=True, help="How long they shall stay.")
@click.option("--wait", is_flag=True, help="Wait until they are back; it can take up to 24 hours.")
@click.option("--then-get", is_flag=True, help="Wait, and download each as soon as it is back.")
@click.option("--to", "folder", default="", help="Folder for --then-get. [default: download_dir]")
@click.option("--list", "list_", is_flag=True, help="Show the list, which is also what happens without PATH.")
@click.option("--forget", is_flag=True, help="Take these off the list, or without PATH all that have ended.")
@json_option
def restore_command(paths: tuple[str, ...], *, as_json: bool, list_: bool, forget: bool, **wish: Any) -> None:
    """Ask for archived objects back, and keep a list of what was asked for.

    The service brings an object back within hours, for 1 to 10 days. The list survives the end of the program: any
    later `cloudstore restore --wait`, and the browser while it is open, goes on with it. A PATH of - reads paths, or
    what `find --json` prints, from stdin. The profile needs read_only = false, and the key the level edit.

    \b
    Examples:
      cloudstore restore acme8:us-east/58bc5748-339b-43c2-ad15-572a35dc3aad --days 3
      cloudstore find acme8:us-east --fiql objectState==ARCHIVED --json | cloudstore restore -
      cloudstore restore --wait --then-get --to calls/
      cloudstore restore
    """
    if list_ and (paths or forget):
        raise UsageError("--list shows the whole list", subject="restore", hint="Leave out PATH and --forget.")
    named_paths = tuple(dict.fromkeys(_expanded(paths)))
    wants = _wish(**wish)

    async def work(session: Session) -> None:
        if paths and not named_paths:
            session.output.note("Nothing is named on stdin, so nothing is done.")
        elif forget:
            _forget(session, named_paths)
        elif named_paths or ((wants.waits or wants.gets) and not list_):
            await _Restoring(session, wants).run(named_paths)
        else:
            _list(session)

    run(work, as_json=as_json, wait=_GIVE_UP)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the options ask for."""

    days: int
    waits: bool
    gets: bool
    folder: str


def _wish(*, days: int, wait: bool, then_get: bool, folder: str) -> Wish:
    if folder and not then_get:
        raise UsageError("--to says where --then-get puts files", subject="restore", hint="Add --then-get.")
    return Wish(days, wait or then_get, then_get, folder)


class _Restoring:
    """One run of the command."""

    def __init__(self, session: Session, wish: Wish) -> None:
        self._session = session
        self._output = session.output
        self._wish = wish
        self._ledger = open_ledger()
        self._said = ""
        self._told: set[Location] = set()

    async def run(self, paths: Sequence[str]) -> None:
        """Ask, and wait if that is wanted."""
        known = {order.location: order for order in self._ledger.orders()}
        mine = [await self._order(path, known) for path in paths] if paths else list(known.values())
        orders = [order for order in mine if order is not None]
        if new := [order for order in orders if order != known.get(order.location)]:
            self._ledger.add(new)
        self._want_files(orders)
        profiles = [order.location.profile for order in orders]
        keeper = keeper_of(self._session, profiles)
        # What an earlier run could not ask for is asked for too.
        async for step in keeper.ask():
            self._tell_trouble(step)
        if self._wish.waits:
            await self._wait(keeper, {order.location for order in orders})
        self._tell({order.location for order in orders})

    async def _order(self, path: str, known: dict[Location, Order]) -> Order | None:
        """The order for an object, old or new; `None` if there is nothing to wait for."""
        try:
            provider, location = self._session.resolve(path)
            provider.require(Capability.RESTORE, location)
            entry = None if provider.is_folder(location) else await provider.stat(location)
            if not isinstance(entry, StoredObject):
                raise UsageError("is a folder; only objects are restored", subject=path, hint="Name the objects.")
            return self._order_for(entry, known.get(location))
        except StorageError as error:
            self._output.error(error, path)
            return None

    def _order_for(self, entry: StoredObject, known: Order | None) -> Order | None:
        now = utc_now()
        new = Order(entry.location, entry.name, entry.size, self._wish.days, now)
        if entry.state == AVAILABLE:
            return self._available(new, known)
        if entry.state == "PENDING":
            # The service works on it already; for how long it stays then, nobody has said.
            return known or replace(new, stage=Stage.RESTORING, asked=now, days=1)
        if entry.state != ARCHIVED:
            message, hint = f"its state is {entry.state}", _CURES.get(entry.state, "Only ARCHIVED objects come back.")
            raise NotAvailableError(message, state=entry.state, subject=entry.location.address, hint=hint)
        if known is not None and known.goes_on(now) and known.stage in (Stage.RESTORING, Stage.ASKING):
            self._output.note(f"{entry.location.address}: asked for already; the list shows when.")
            return known
        return new

    def _available(self, new: Order, known: Order | None) -> Order | None:
        if known is not None and known.stage in (Stage.READY, Stage.FETCHED) and not known.is_over(new.added):
            return replace(known, stage=Stage.READY)
        if self._wish.gets or known is not None:
            return replace(new, stage=Stage.READY)
        self._told.add(new.location)
        if self._output.as_json:
            self._output.record({"path": new.location.address, "name": new.name, "result": "available"})
        else:
            self._output.line(f"available  {new.location.address}  {new.name}  not archived: nothing to restore")
        return None

    def _want_files(self, orders: Iterable[Order]) -> None:
        if self._wish.gets:
            folder = absolute(self._wish.folder or str(self._session.config.settings.download_dir))
            for order in orders:
                self._ledger.keep(order.location, folder)

    async def _wait(self, keeper: Keeper, wanted: set[Location]) -> None:
        while True:
            async for step in keeper.ask():
                self._tell_trouble(step)
            async for step in keeper.look():
                self._tell_trouble(step)
            orders = self._of(wanted)
            await self._fetch([order for order in orders if order.stage is Stage.READY and order.folder])
            if not any(order.goes_on(utc_now()) for order in orders):
                return
            self._say(self._of(wanted))
            await keeper.wait()

    async def _fetch(self, orders: Sequence[Order]) -> None:
        """Download what is back; one that fails is tried once in a run."""
        new = [order for order in orders if order.location not in self._told]
        by_folder = {order.folder: [one for one in new if one.folder == order.folder] for order in new}
        for folder, some in by_folder.items():
            await self._fetch_to(Path(folder), some)

    async def _fetch_to(self, folder: Path, orders: Sequence[Order]) -> None:
        entries = [StoredObject(order.location, order.name, order.location.path) for order in orders]
        files = named(self._session, entries, folder)
        async with transferring(self._session) as engine:
            requests = [
                # Nobody is there to be asked after hours.
                DownloadRequest(entry.location, file.parent, file.name, OnConflict.KEEP_BOTH)
                for entry, file in files.items()
            ]
            for transfer in await finished(engine, [engine.submit(request) for request in requests]):
                tell(self._output, transfer)
                self._told.add(transfer.request.location)
                if transfer.error is None and transfer.state.ended:
                    self._ledger.fetched(transfer.request.location)

    def _tell_trouble(self, step: Step) -> None:
        """Say what did not work on the way; what became of each object comes at the end."""
        if isinstance(step.error, AccessError) and step.stage is not Stage.FAILED:
            raise step.error
        if step.error is not None and step.stage is Stage.WAITING:
            self._output.error(step.error, step.order.location.address)
            self._output.note("It stays on the list; `cloudstore restore --wait` asks again.")
            self._told.add(step.order.location)
        elif step.error is not None and step.stage is not Stage.FAILED:
            self._output.note(str(step.error))

    def _say(self, orders: Sequence[Order]) -> None:
        text = summary(orders, utc_now())
        if text != self._said:
            self._said = text
            self._output.note(f"{text}. Ctrl+C is safe: `cloudstore restore --wait` goes on.")

    def _tell(self, wanted: set[Location]) -> None:
        orders = [order for order in self._of(wanted) if order.location not in self._told]
        for order in orders:
            error = failure(order)
            if error is not None:
                self._output.error(error, order.location.address)
            else:
                print_order(self._output, order)
        if not self._output.as_json:
            self._tell_next(orders)

    def _tell_next(self, orders: Sequence[Order]) -> None:
        if any(order.stage is Stage.READY for order in orders):
            self._output.note(get_command(orders, self._output.zone))
        elif not self._wish.waits and any(order.stage is Stage.RESTORING for order in orders):
            self._output.note("It takes hours. Look with: cloudstore restore. Wait with: cloudstore restore --wait")

    def _of(self, wanted: set[Location]) -> list[Order]:
        return [order for order in self._ledger.orders() if order.location in wanted]


def _list(session: Session) -> None:
    orders = open_ledger().orders()
    for order in orders:
        print_order(session.output, order)
    if not orders and not session.output.as_json:
        session.output.note("Nothing was asked for. Archived objects: cloudstore find PROFILE state:archived")


def _forget(session: Session, paths: Sequence[str]) -> None:
    ledger, now = open_ledger(), utc_now()
    if paths:
        wanted = [session.resolve(path)[1] for path in paths]
    else:
        wanted = [order.location for order in ledger.orders() if order.is_over(now) or not _matters(order)]
    count = ledger.forget(wanted)
    if session.output.as_json:
        session.output.record({"forgotten": count})
    else:
        session.output.line(f"{count} taken off the list")


def _matters(order: Order) -> bool:
    return order.stage is Stage.READY or order.goes_on(utc_now())


def _expanded(paths: Iterable[str]) -> Iterable[str]:
    """The paths; those of stdin in place of a `-`."""
    for path in paths:
        if path != "-":
            yield path
            continue
        for line in sys.stdin:
            if text := line.strip():
                yield _address(text) if text.startswith("{") else text


def _address(line: str) -> str:
    """The address of an object that `find --json` printed."""
    try:
        record = json.loads(line)
        return f"{record['profile']}:{record['region']}/{record['id']}"
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError(
            "a line of stdin is neither a path nor an object", subject="restore -", hint="Feed it with: find --json"
        ) from None
