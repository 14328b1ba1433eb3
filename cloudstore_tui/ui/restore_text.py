"""An order for an archived object in words."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo

from cloudstore_tui.restores.order import Order, Stage
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.format import counted

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


def describe(order: Order, zone: tzinfo, now: datetime) -> str:
    """How far it is, since when, until when."""
    if order.stage is Stage.READY:
        return _ready(order, zone, now)
    if order.stage is Stage.RESTORING:
        late = "; it usually takes no more than 24 hours" if order.is_late(now) else ""
        return f"asked for {span(now - (order.asked or order.added))} ago, {counted(order.days, 'day')}{late}"
    if order.stage is Stage.WAITING:
        return f"not asked for yet{f': {order.note}' if order.note else ''}"
    if order.stage is Stage.FETCHED:
        return "downloaded"
    return order.note


def _ready(order: Order, zone: tzinfo, now: datetime) -> str:
    if order.expires is None:
        return "can be fetched"
    date = words.full_time(order.expires, zone)
    if order.is_over(now):
        return f"the copy has expired by now ({date}): ask again"
    hurry = "fetch it now: " if order.ends_soon(now) else ""
    return f"{hurry}the copy expires in {span(order.expires - now)} ({date})"


def span(length: timedelta) -> str:
    """`5 minutes`, `3 hours`, `6 days`."""
    if length >= 2 * _DAY:
        return counted(length // _DAY, "day")
    if length >= _HOUR:
        return counted(length // _HOUR, "hour")
    return counted(max(length // timedelta(minutes=1), 0), "minute")


def summary(orders: Sequence[Order], now: datetime) -> str:
    """`3 restoring, 2 ready, 1 expired`."""
    return ", ".join(f"{number} {word}" for word, number in _numbers(orders, now) if number) or "none"


def _numbers(orders: Iterable[Order], now: datetime) -> list[tuple[str, int]]:
    found = ["expired" if order.is_over(now) else order.stage.value for order in orders]
    return [(word, found.count(word)) for word in (*(stage.value for stage in Stage), "expired")]
