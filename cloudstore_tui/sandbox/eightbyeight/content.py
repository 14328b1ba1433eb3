"""The bytes of objects and zips: directly, and by presigned links on the API's own host."""

import base64

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from cloudstore_tui.sandbox.blobs import Blob, refuse, serve
from cloudstore_tui.sandbox.eightbyeight.gateway import Ask, Service, problem, route
from cloudstore_tui.sandbox.eightbyeight.jobs import Job
from cloudstore_tui.sandbox.eightbyeight.objects import record_of
from cloudstore_tui.sandbox.eightbyeight.record import Record
from cloudstore_tui.sandbox.eightbyeight.zips import zip_of
from cloudstore_tui.sandbox.faults import stored
from cloudstore_tui.sandbox.signing import AWS, Refusal
from cloudstore_tui.sandbox.world import World

_STORES = {"us-east": "us-east-1", "uk": "eu-west-2"}
_GONE = Refusal(404, "NoSuchKey", "The specified key does not exist.")


def content_routes(service: Service) -> list[BaseRoute]:
    """The routes of this file."""

    async def presigned(request: Request) -> Response:
        return await run_in_threadpool(_presigned, service, request)

    methods = ["GET", "HEAD", "PUT", "POST", "DELETE"]
    return [
        route(service, "GET", "/objects/{id}/content", content),
        Route("/storage/{region}/{host}/content/{kind}/{customer}/{rest:path}", presigned, methods=methods),
    ]


def content(ask: Ask) -> Response:
    """The bytes of one object, or a link to them."""
    record = record_of(ask)
    if record.state != "AVAILABLE":
        status = int(ask.switch("E-16"))
        raise problem(status, f"The object is {record.state}; only AVAILABLE objects have content", "objectState")
    if ask.request.query_params.get("presignUrl", "").lower() == "true":
        path = f"EPS/{record.customer_id}/{record.user_id or 'none'}/{record.id}"
        return _told(link(ask, path, record.name, record.mime), ask.switch("E-14"))
    return serve(ask.request, blob_of(record, ask.service.world), ranges=ask.switch("E-17") == "206")


def link(ask: Ask, path: str, name: str, mime: str) -> str:
    """A presigned URL below the store's `content/` folder."""
    host = f"css-{ask.region}-media.s3.{_STORES[ask.region]}.amazonaws.com"
    full = f"/storage/{ask.region}/{host}/content/{path}"
    # A header cannot hold every name, so that the service encodes all of them as mail does.
    shown = f"=?UTF-8?b?{base64.b64encode(name.encode()).decode()}?="
    extra = {
        "response-content-disposition": f'attachment; filename="{shown}"',
        "response-content-type": mime,
    }
    signer, life = ask.service.world.signer, ask.seconds("link-life")
    query = signer.sign(AWS, "GET", full, life, extra=extra, told_life=int(life))
    return f"{ask.service.world.base_url}{full}?{query}"


def blob_of(record: Record, world: World) -> Blob:
    """The bytes of an object."""

    def read(start: int, end: int) -> bytes:
        return b"".join(record.body.read(start, end))

    blob = Blob(record.size, record.checksum, record.updated / 1000, record.mime, read)
    return stored.damaged(blob) if is_damaged(record, world) else blob


def is_damaged(record: Record, world: World) -> bool:
    """Whether a fault has changed the bytes of an object."""
    return world.faults.stored(stored.DAMAGED, (record.id, record.name)) is not None


def zip_blob(job: Job, naming: str, world: World) -> Blob:
    """The bytes of a job's zip, with members named in one of the ways of switch E-29."""
    path = zip_of(world.data, job, naming, lambda record: is_damaged(record, world))

    def read(start: int, end: int) -> bytes:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(end - start)

    blob = Blob(path.stat().st_size, path.stem, job.ended, "application/octet-stream", read)
    if (values := world.faults.stored(stored.BAD_MEMBER, (job.name,))) is not None:
        blob = stored.bad_member(blob, path, int(values["member"]))
    if (values := world.faults.stored(stored.CUT, (job.name,))) is not None:
        blob = stored.cut(blob, str(values["after"]))
    return blob


def _told(url: str, how: str) -> Response:
    if how == "text":
        return PlainTextResponse(url)
    if how == "302":
        return RedirectResponse(url, 302)
    return JSONResponse(url if how == "json string" else {"url" if how == "json" else how: url})


def _presigned(service: Service, request: Request) -> Response:
    refusal = service.world.signer.check(AWS, request, request.scope["path"])
    if refusal:
        return refuse(refusal)
    blob = _stored(service, request)
    if blob is None:
        return refuse(_GONE)
    answer = serve(request, blob)
    for header in ("content-disposition", "content-type"):
        if value := request.query_params.get(f"response-{header}"):
            answer.headers[header] = value
    return answer


def _stored(service: Service, request: Request) -> Blob | None:
    region, rest = request.path_params["region"], request.path_params["rest"]
    name = rest.rsplit("/", 1)[-1]
    if request.path_params["kind"] == "BULK":
        job = service.jobs.find(region, name, service.world.clock())
        naming = service.world.switches.value("E-29", request)
        return zip_blob(job, naming, service.world) if job else None
    record = service.store().get(region, name)
    return blob_of(record, service.world) if record and record.state == "AVAILABLE" else None
