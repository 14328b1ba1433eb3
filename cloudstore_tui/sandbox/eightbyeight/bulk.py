"""Zip jobs over HTTP."""

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from cloudstore_tui.sandbox.blobs import serve
from cloudstore_tui.sandbox.eightbyeight.content import link, zip_blob
from cloudstore_tui.sandbox.eightbyeight.gateway import Ask, Service, problem, route
from cloudstore_tui.sandbox.eightbyeight.jobs import FETCHABLE, Job
from cloudstore_tui.sandbox.eightbyeight.keys import Level
from cloudstore_tui.sandbox.eightbyeight.people import CUSTOMER_ID
from cloudstore_tui.sandbox.eightbyeight.record import Record

LARGEST_ZIP = 2_000_000_000
"""Bytes of `storedBytes` that one job may hold."""

_LIVES = {"24h": 86_400.0, "60s": 60.0}


def bulk_routes(service: Service) -> list[BaseRoute]:
    """The routes of this file."""
    base = "/bulk/download"
    return [
        route(service, "POST", f"{base}/start", start, Level.DOWNLOAD_ONLY),
        route(service, "GET", f"{base}/status", status_of_all),
        route(service, "GET", f"{base}/status/{{name}}", status),
        route(service, "PUT POST", f"{base}/cancel/{{name}}", cancel, Level.DOWNLOAD_ONLY),
        route(service, "PUT", f"{base}/clear", clear, Level.DOWNLOAD_ONLY),
        route(service, "GET", f"{base}/{{name}}", fetch),
    ]


def start(ask: Ask) -> Response:
    """Put objects into a new zip."""
    found = [(id_, ask.store.get(ask.region, id_)) for id_ in ask.ids()]
    good = [record for _id, record in found if record and record.state == "AVAILABLE"]
    missing = [id_ for id_, record in found if record is None or record.state != "AVAILABLE"]
    if not good:
        raise problem(400, "None of the objects can be downloaded", "body")
    if missing and ask.switch("E-22") == "404":
        raise problem(404, f"Objects not found: {', '.join(missing[:3])}", "body")
    job = ask.service.jobs.start(_job(ask, good, missing))
    if ask.switch("E-5") == "queue":
        return _reply(ask, [other.as_json(_now(ask)) for other in _all(ask)])
    return _reply(ask, _wrapped(ask, job))


def _job(ask: Ask, good: list[Record], missing: list[str]) -> Job:
    kept, outcome = good, "PARTIAL_DONE" if missing else "DONE"
    if sum(record.size for record in good) > LARGEST_ZIP:
        outcome = ask.switch("E-21")
        if outcome == "400":
            raise problem(400, "The objects exceed 2 GB", "body")
        kept = _that_fit(good)
    if ask.switch("zip-outcome") != "DONE":
        outcome = ask.switch("zip-outcome")
        kept = kept[:-1] if outcome == "PARTIAL_DONE" else kept
    left_out = [*missing, *(record.id for record in good if record not in kept)]
    now, life = _now(ask), _LIVES[ask.switch("E-24")]
    return Job(ask.region, tuple(kept), tuple(left_out), now, now + ask.seconds("zip-seconds"), outcome, life)


def _that_fit(records: list[Record]) -> list[Record]:
    kept, size = [], 0
    for record in records:
        if size + record.size <= LARGEST_ZIP:
            kept.append(record)
            size += record.size
    return kept


def status(ask: Ask) -> Response:
    """The state of one job."""
    job = _named(ask)
    url = ""
    if ask.request.query_params.get("presignUrl", "").lower() == "true" and job.status(_now(ask)) in FETCHABLE:
        url = link(ask, f"BULK/{CUSTOMER_ID}/{job.name}", job.name, "application/octet-stream")
    return JSONResponse(_wrapped(ask, job, url))


def status_of_all(ask: Ask) -> Response:
    """The whole queue."""
    return JSONResponse([job.as_json(_now(ask)) for job in _all(ask)])


def cancel(ask: Ask) -> Response:
    """Stop one job; the queue."""
    if ask.request.method == "POST" and ask.switch("E-27") == "PUT":
        raise problem(405, "Use PUT")
    ask.service.jobs.cancel(_named(ask), _now(ask))
    return _reply(ask, [job.as_json(_now(ask)) for job in _all(ask)])


def clear(ask: Ask) -> Response:
    """Empty the queue, running jobs too; what is left of it, which is nothing."""
    ask.service.jobs.clear(ask.region)
    return _reply(ask, [job.as_json(_now(ask)) for job in _all(ask)])


def fetch(ask: Ask) -> Response:
    """The bytes of a finished zip."""
    job = _named(ask)
    if job.status(_now(ask)) not in FETCHABLE:
        raise problem(404, f"{job.name} is {job.status(_now(ask))}")
    blob = zip_blob(job, ask.switch("E-29"), ask.service.world)
    return serve(ask.request, blob, ranges=ask.switch("E-17") == "206")


def _named(ask: Ask) -> Job:
    name = str(ask.request.path_params["name"])
    job = ask.service.jobs.find(ask.region, name, _now(ask))
    if job is None:
        raise problem(404, f"No zip {name} in {ask.region}")
    return job


def _all(ask: Ask) -> list[Job]:
    return ask.service.jobs.all(ask.region, _now(ask))


def _wrapped(ask: Ask, job: Job, url: str = "") -> object:
    shown = job.as_json(_now(ask), url)
    return [shown] if ask.switch("E-5") == "array" else shown


def _reply(ask: Ask, body: object) -> Response:
    status = int(ask.switch("zip-reply"))
    return Response(status_code=204) if status == 204 else JSONResponse(body, status)


def _now(ask: Ask) -> float:
    return ask.service.world.clock()
