"""The list of restores as commands use it: opened, looked after, printed."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from cloudstore_tui.cli.output import Output, iso
from cloudstore_tui.cli.session import Session
from cloudstore_tui.config.paths import state_folder
from cloudstore_tui.core.errors import StorageError, UnavailableError
from cloudstore_tui.restores.keeper import Keeper
from cloudstore_tui.restores.ledger import FILE, Ledger
from cloudstore_tui.restores.order import Order, Stage, utc_now
from cloudstore_tui.ui import format as in_words
from cloudstore_tui.ui.restore_text import describe


def open_ledger() -> Ledger:
    """The user's list of restores; nothing is made by opening it."""
    return Ledger(state_folder() / FILE)


def keeper_of(session: Session, profiles: Iterable[str]) -> Keeper:
    """Who looks after the orders of some profiles, at the pace that the settings name."""
    names = tuple(dict.fromkeys(profiles))
    settings = session.config.settings
    return Keeper(open_ledger(), session.provider, lambda: names, settings.restore_poll_seconds)


def print_order(output: Output, order: Order) -> None:
    """One line of the list."""
    now = utc_now()
    if output.as_json:
        output.record(order_record(order, now))
        return
    size = in_words.size(order.size)
    what = describe(order, output.zone, now)
    output.line(f"{size:>10}  {order.stage.value:9}  {order.location.address}  {order.name}  {what}")


def order_record(order: Order, now: datetime) -> dict[str, object]:
    """One order with the field names of the JSON contract; what is unknown is absent."""
    record: dict[str, object] = {
        "path": order.location.address,
        "name": order.name,
        "size": order.size,
        "result": "expired" if order.is_over(now) else order.stage.value,
        "days": order.days,
        "asked": iso(order.asked),
        "ready": iso(order.ready),
        "expires": iso(order.expires),
        "folder": order.folder,
        "note": order.note,
    }
    return {name: value for name, value in record.items() if value not in ("", None)}


def get_command(orders: Iterable[Order], zone: ZoneInfo) -> str:
    """The command that downloads what is ready, and until when that works."""
    ready = [order for order in orders if order.stage is Stage.READY]
    ends = min((order.expires for order in ready if order.expires), default=None)
    until = f" before {in_words.full_time(ends, zone)}" if ends else ""
    folders = {order.folder for order in ready}
    to = f" --to {folders.pop()}" if len(folders) == 1 and folders != {""} else ""
    return f"Fetch it{until}: cloudstore get {' '.join(order.location.address for order in ready)}{to}"


def failure(order: Order) -> StorageError | None:
    """What is wrong with an order that has ended, or that nobody waits for any more."""
    place = order.location.address
    if order.stage is Stage.FAILED:
        return StorageError(order.note or "it cannot be restored", subject=place)
    if order.stage is Stage.UNKNOWN:
        return UnavailableError(order.note, subject=place, hint="Look again with: cloudstore restore --wait")
    if not order.goes_on(utc_now()) and order.stage in (Stage.WAITING, Stage.RESTORING, Stage.ASKING):
        return UnavailableError("it did not come back within three days", subject=place, hint="Ask 8x8, or ask again.")
    return None


def absolute(folder: str) -> str:
    """A folder so that it means the same to a program that runs elsewhere."""
    return str(Path(folder).expanduser().absolute()) if folder else ""
