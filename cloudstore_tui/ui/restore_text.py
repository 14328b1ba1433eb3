"""Restore requests in words."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo

from cloudstore_tui.restores import RestoreRequest, RestoreStatus
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.format import counted

ASKED = "Restore requested: Q shows progress."
"""Shown for an archived object that was already requested."""


def describe(request: RestoreRequest, zone: tzinfo, now: datetime) -> str:
    """The progress of a request, with its dates."""
    if request.status is RestoreStatus.READY:
        return _ready(request, zone, now)
    if request.status is RestoreStatus.RESTORING:
        late = "; it usually takes no more than 24 hours" if request.is_late(now) else ""
        ago = now - (request.asked or request.added)
        since = f"{words.span(ago)} ago" if ago >= timedelta(minutes=1) else "just now"
        return f"requested {since} · kept {counted(request.days, 'day')}{late}"
    if request.status is RestoreStatus.WAITING:
        return f"not requested yet{f': {request.note}' if request.note else ''}"
    if request.status is RestoreStatus.FETCHED:
        return "downloaded"
    return request.note


def _ready(request: RestoreRequest, zone: tzinfo, now: datetime) -> str:
    if request.expires is None:
        return "can be fetched"
    date = words.full_time(request.expires, zone)
    if request.has_expired(now):
        return f"the copy has expired by now ({date}): ask again"
    urgency = "fetch it now: " if request.expires_soon(now) else ""
    return f"{urgency}the copy expires in {words.span(request.expires - now)} ({date})"


def summary(requests: Sequence[RestoreRequest], now: datetime) -> str:
    """`3 restoring, 2 ready, 1 expired`."""
    return ", ".join(f"{number} {word}" for word, number in _numbers(requests, now) if number) or "none"


def _numbers(requests: Iterable[RestoreRequest], now: datetime) -> list[tuple[str, int]]:
    found = ["expired" if request.has_expired(now) else request.status.value for request in requests]
    return [(word, found.count(word)) for word in (*(stage.value for stage in RestoreStatus), "expired")]
