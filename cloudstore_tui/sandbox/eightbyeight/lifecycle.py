"""Deleting and restoring objects."""

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from cloudstore_tui.sandbox.eightbyeight.gateway import Ask, Service, problem, route
from cloudstore_tui.sandbox.eightbyeight.keys import Level
from cloudstore_tui.sandbox.eightbyeight.objects import record_of
from cloudstore_tui.sandbox.eightbyeight.record import Record

_DAY = 86_400_000
_DAYS = range(1, 11)
_DEFAULT_DAYS = 7
_GONE = frozenset({"REVOKED", "DELETED"})


def lifecycle_routes(service: Service) -> list[BaseRoute]:
    """The routes of this file."""
    return [
        route(service, "DELETE", "/bulk", delete, Level.EDIT),
        route(service, "POST", "/objects/{id}/restore", restore, Level.EDIT),
    ]


def delete(ask: Ask) -> Response:
    """Revoke the objects whose ids are in the body; they are purged later."""
    found = [ask.store.get(ask.region, id_) for id_ in ask.ids()]
    known = [record for record in found if record and record.state not in _GONE]
    if not known or (len(known) < len(found) and ask.switch("E-28") == "404"):
        raise problem(404, "Objects not found", "body")
    now = ask.service.now
    for record in known:
        ask.store.set_state(record, "REVOKED", now)
        ask.store.plan(record, now + int(ask.seconds("purge-seconds") * 1000), "DELETED")
    return Response(status_code=int(ask.switch("delete-reply")))


def restore(ask: Ask) -> Response:
    """Ask for an archived object; it comes back later, and for some days only."""
    days = _days(ask)
    record = record_of(ask)
    again = ask.store.planned(record) and record.state not in _GONE
    if record.state != "ARCHIVED" and not again:
        raise problem(400, f"The object is {record.state}; only ARCHIVED objects can be restored", "objectState")
    if again and ask.switch("E-19") == "409":
        raise problem(409, "The object is being restored already")
    _plan(ask, record, days)
    return JSONResponse({"expirationDays": days})


def _plan(ask: Ask, record: Record, days: int) -> None:
    now = ask.service.now
    ready = now + int(ask.seconds("restore-seconds") * 1000)
    if record.state == "AVAILABLE":
        # A copy that is there already only stays longer.
        ready = now
    else:
        ask.store.set_state(record, ask.switch("E-18"), now)
    ask.store.forget_plans(record)
    ask.store.plan(record, ready, "AVAILABLE")
    ask.store.plan(record, ready + days * _DAY, "ARCHIVED")


def _days(ask: Ask) -> int:
    if not ask.body.strip():
        return _DEFAULT_DAYS
    body = ask.json()
    days = body.get("expirationDays", _DEFAULT_DAYS) if isinstance(body, dict) else None
    if not isinstance(days, int) or isinstance(days, bool) or days not in _DAYS:
        raise problem(400, "expirationDays must be between 1 and 10", "expirationDays")
    return days
