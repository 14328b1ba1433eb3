"""The routes: searches, objects and buckets, contents and links, deletions and restores, zip jobs."""

import base64
from collections.abc import Collection
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from cloudstore_tui.core.errors import FilterError, UsageError
from cloudstore_tui.fiql.checker import check
from cloudstore_tui.fiql.measures import epoch_ms, parse_time
from cloudstore_tui.fiql.parser import parse
from cloudstore_tui.fiql.syntax import Comparison, Node, comparisons, rewrite
from cloudstore_tui.sandbox.blobs import AWS, Refusal, StoredBlob, file_reader, refuse, serve
from cloudstore_tui.sandbox.eightbyeight.fixtures import REGIONS
from cloudstore_tui.sandbox.eightbyeight.jobs import FETCHABLE, SandboxJob, zip_of
from cloudstore_tui.sandbox.eightbyeight.model import CUSTOMER_ID, TAGS, Bucket, Record
from cloudstore_tui.sandbox.eightbyeight.service import ApiRequest, Level, Service, problem, require, route
from cloudstore_tui.sandbox.eightbyeight.sql import TABLE_FIELDS, Rules, number
from cloudstore_tui.sandbox.eightbyeight.store import ObjectSearch, ResultPage
from cloudstore_tui.sandbox.faults import broken_answers
from cloudstore_tui.sandbox.world import World

# Filters and sorts of a request


LARGEST_PAGE = 100
_HONOURED = 10_000
"""The largest page if any limit is honoured."""

_WINDOW = 10_000
_ALIASES = {"name": "objectName", "size": "storedBytes", "objectId": "id"}
_TIMES = frozenset({"createdTime", "updatedTime"})
_DIRECTIONS = {"ASC": False, "DESC": True}


def search_of(call: ApiRequest, table: str) -> ObjectSearch:
    """The search of a request, in the table `object` or `bucket`."""
    query = call.request.query_params
    aliases = _ALIASES if table == "object" else {"bucketId": "id"}
    text = query.get("filter", "")
    rules = Rules(
        numeric_tags=call.switch("E-7") == "numeric",
        missing_differs=call.switch("E-8") == "matches",
        wildcards=call.switch("E-9") == "wildcards",
        fold=call.switch("E-9") == "fold",
    )
    sort = query.get("sortField") or "createdTime"
    direction = query.get("sortDirection") or ("ASC" if query.get("sortField") else "DESC")
    if direction not in _DIRECTIONS:
        raise problem(400, "sortDirection must be ASC or DESC", "sortDirection")
    if call.switch("order") == "newest":
        sort, direction = "createdTime", "DESC"
    return ObjectSearch(
        region=call.region,
        node=_node(call, text, table, aliases) if "filter" in query else None,
        rules=rules,
        sort=aliases.get(sort, sort),
        descending=_DIRECTIONS[direction],
        offset=_offset(call),
        limit=_limit(call),
    )


def _offset(call: ApiRequest) -> int:
    offset = _whole_number(call, "pageKey", 0)
    if offset < 0:
        raise problem(400, "pageKey must not be negative", "pageKey")
    if call.switch("E-4") == "400" and offset >= _WINDOW:
        raise problem(400, f"Result window is too large: pageKey must be below {_WINDOW}", "pageKey")
    return offset


def _limit(call: ApiRequest) -> int:
    limit = _whole_number(call, "limit", LARGEST_PAGE)
    how = call.switch("E-1")
    if limit < 1 or (limit > LARGEST_PAGE and how == "400"):
        raise problem(400, f"limit must be between 1 and {LARGEST_PAGE}", "limit")
    return min(limit, _HONOURED if how == "honoured" else LARGEST_PAGE)


def _whole_number(call: ApiRequest, name: str, default: int) -> int:
    text = call.request.query_params.get(name, "")
    if not text:
        return default
    if not text.removeprefix("-").isdecimal() or len(text) > 12:
        raise problem(400, f"{name} must be a whole number", name)
    return int(text)


def _node(call: ApiRequest, text: str, table: str, aliases: dict[str, str]) -> Node:
    if call.switch("E-10") == "400" and ("'" in text or '"' in text):
        raise problem(400, "Quotes are not supported in a filter", "filter")
    try:
        node = parse(text)
    except FilterError as error:
        raise problem(400, f"Invalid filter at position {error.position}: {error.message}", "filter") from None
    node = rewrite(node, lambda term: replace(term, selector=aliases.get(term.selector, term.selector)))
    node = rewrite(node, lambda term: _with_time(call, term))
    for found in check(node, text):
        if found.fatal:
            raise problem(400, f"Invalid filter at position {found.position}: {found.text}", "filter")
    if call.switch("E-6") == "400":
        _refuse_unknown(node, {*TABLE_FIELDS[table], *TAGS, *call.store.tag_keys()})
    return node


def _with_time(call: ApiRequest, term: Comparison) -> Comparison:
    """With its time in epoch milliseconds; ISO times are refused unless a switch accepts them."""
    if term.selector not in _TIMES or all(number(value) is not None for value in term.values):
        return term
    if call.switch("E-11") == "accepted":
        try:
            now = datetime.fromtimestamp(call.service.now / 1000, UTC)
            moments = (str(epoch_ms(parse_time(value, UTC, now))) for value in term.values)
            return replace(term, values=tuple(moments))
        except UsageError:
            pass
    position, value = term.start, term.value
    raise problem(400, f"Invalid filter at position {position}: {value!r} is not a time in milliseconds", "filter")


def _refuse_unknown(node: Node, known: Collection[str]) -> None:
    for term in comparisons(node):
        if term.selector not in known:
            raise problem(400, f"Unknown field {term.selector!r} at position {term.start}", "filter")


# Regions, searches, single objects and buckets


PUBLISHED = ("us-west", "us-east", "uk", "ap", "ca")
"""Regions of the service, each of which can be asked for those of the company."""


def object_routes(service: Service) -> list[BaseRoute]:
    return [
        route(service, "GET", "/regions", regions, anywhere=True),
        route(service, "GET", "/objects", search),
        route(service, "GET", "/objects/{id}", single),
        route(service, "GET", "/objects/{id}/metadata", single),
        route(service, "GET", "/buckets", buckets),
        route(service, "GET", "/buckets/{id}", bucket),
    ]


def regions(call: ApiRequest) -> Response:
    if call.region not in PUBLISHED:
        raise problem(404, f"Unknown region {call.region}", "region")
    if "storage" in call.key.products:
        return JSONResponse(list(REGIONS))
    if call.switch("E-34") == "403":
        raise problem(403, "This API key has no access to the product storage")
    return JSONResponse([])


def search(call: ApiRequest) -> Response:
    """One page of objects."""
    headers = call.request.headers
    for name in ("Accept", "Content-Type"):
        if "application/json" not in headers.get(name.lower(), ""):
            raise problem(400, f"{name} must be application/json", name)
    wanted = search_of(call, "object")
    return _page(call, wanted, call.store.search(wanted))


def single(call: ApiRequest) -> Response:
    """The record of one object."""
    return JSONResponse(record_of(call).as_json())


def record_of(call: ApiRequest) -> Record:
    """The object in the path."""
    object_id = str(call.request.path_params["id"])
    record = call.store.get(call.region, object_id)
    if record is None:
        raise problem(404, f"No object {object_id} in {call.region}")
    return record


def buckets(call: ApiRequest) -> Response:
    wanted = search_of(call, "bucket")
    return _page(call, wanted, call.store.search_buckets(wanted))


def bucket(call: ApiRequest) -> Response:
    bucket_id = str(call.request.path_params["id"])
    found = call.store.bucket(call.region, bucket_id)
    if found is None:
        raise problem(404, f"No bucket {bucket_id} in {call.region}")
    return JSONResponse(found.as_json())


def _page(call: ApiRequest, wanted: ObjectSearch, page: ResultPage[Record] | ResultPage[Bucket]) -> Response:
    is_full = len(page.items) == wanted.limit
    shown = {
        "lastPage": not page.more and not (is_full and call.switch("E-2") == "empty"),
        "pageKey": wanted.offset if call.switch("E-3") == "current" else wanted.offset + wanted.limit,
        "pageSize": len(page.items),
        "content": [item.as_json() for item in page.items],
    }
    # Much faster than Starlette's own encoder, which matters to clients that fetch many pages.
    body = msgspec.json.encode([shown] if call.switch("E-5") == "array" else shown)
    return Response(body, media_type="application/json")


# The bytes of objects and zips: from the API, and by presigned links on the same host


_STORES = {"us-east": "us-east-1", "uk": "eu-west-2"}
_NO_KEY = Refusal(404, "NoSuchKey", "The specified key does not exist.")


def content_routes(service: Service) -> list[BaseRoute]:

    async def presigned(request: Request) -> Response:
        return await run_in_threadpool(_presigned, service, request)

    methods = ["GET", "HEAD", "PUT", "POST", "DELETE"]
    return [
        route(service, "GET", "/objects/{id}/content", content, Level.DOWNLOAD_ONLY),
        Route("/storage/{region}/{host}/content/{kind}/{customer}/{rest:path}", presigned, methods=methods),
    ]


def content(call: ApiRequest) -> Response:
    """The bytes of one object, or a link to them."""
    record = record_of(call)
    if record.state != "AVAILABLE":
        status = int(call.switch("E-16"))
        raise problem(status, f"The object is {record.state}; only AVAILABLE objects have content", "objectState")
    if call.request.query_params.get("presignUrl", "").lower() == "true":
        path = f"EPS/{record.customer_id}/{record.user_id or 'none'}/{record.id}"
        return _link_reply(link(call, path, record.name, record.mime), call.switch("E-14"))
    return serve(call.request, blob_of(record, call.service.world), ranges=call.switch("E-17") == "206")


def link(call: ApiRequest, path: str, name: str, mime: str) -> str:
    """A presigned URL below the store's `content/` folder."""
    host = f"css-{call.region}-media.s3.{_STORES[call.region]}.amazonaws.com"
    full = f"/storage/{call.region}/{host}/content/{path}"
    # Not every name fits into a header, so the service encodes them all as in mail (RFC 2047).
    shown = f"=?UTF-8?b?{base64.b64encode(name.encode()).decode()}?="
    extra = {"response-content-disposition": f'attachment; filename="{shown}"', "response-content-type": mime}
    signer, life = call.service.world.signer, call.seconds("link-life")
    query = signer.sign(AWS, "GET", full, life, extra=extra, stated_life=int(life))
    return f"{call.service.world.base_url}{full}?{query}"


def blob_of(record: Record, world: World) -> StoredBlob:
    """The bytes of an object."""

    def read(start: int, end: int) -> bytes:
        return b"".join(record.body.read(start, end))

    blob = StoredBlob(record.size, record.checksum, record.updated / 1000, record.mime, read)
    return broken_answers.damaged(blob) if is_damaged(record, world) else blob


def is_damaged(record: Record, world: World) -> bool:
    """Whether a fault has changed the bytes of an object."""
    return world.faults.stored(broken_answers.DAMAGED, (record.id, record.name)) is not None


def zip_blob(job: SandboxJob, naming: str, world: World) -> StoredBlob:
    """The zip of a job, with members named as switch E-29 says."""
    path = zip_of(world.data, job, naming, lambda record: is_damaged(record, world))
    blob = StoredBlob(path.stat().st_size, path.stem, job.ended, "application/octet-stream", file_reader(path))
    if (values := world.faults.stored(broken_answers.BAD_MEMBER, (job.name,))) is not None:
        blob = broken_answers.bad_member(blob, path, int(values["member"]))
    if (values := world.faults.stored(broken_answers.CUT, (job.name,))) is not None:
        blob = broken_answers.cut(blob, str(values["after"]))
    return blob


def _link_reply(url: str, how: str) -> Response:
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
        return refuse(_NO_KEY)
    answer = serve(request, blob)
    for header in ("content-disposition", "content-type"):
        if value := request.query_params.get(f"response-{header}"):
            answer.headers[header] = value
    return answer


def _stored(service: Service, request: Request) -> StoredBlob | None:
    region, rest = request.path_params["region"], request.path_params["rest"]
    name = rest.rsplit("/", 1)[-1]
    if request.path_params["kind"] == "BULK":
        job = service.jobs.find(region, name, service.world.clock())
        naming = service.world.switches.value("E-29", request)
        return zip_blob(job, naming, service.world) if job else None
    record = service.store().get(region, name)
    return blob_of(record, service.world) if record and record.state == "AVAILABLE" else None


# Deleting and restoring


_DAY = 86_400_000
_DAYS = range(1, 11)
_DEFAULT_DAYS = 7
_GONE = frozenset({"REVOKED", "DELETED"})


def lifecycle_routes(service: Service) -> list[BaseRoute]:
    return [
        route(service, "DELETE", "/bulk", delete, Level.EDIT),
        route(service, "POST", "/objects/{id}/restore", restore, Level.EDIT),
    ]


def delete(call: ApiRequest) -> Response:
    """Revoke the objects in the body; they are purged later."""
    found = [call.store.get(call.region, id_) for id_ in call.ids()]
    known = [record for record in found if record and record.state not in _GONE]
    if not known or (len(known) < len(found) and call.switch("E-28") == "404"):
        raise problem(404, "Objects not found", "body")
    now = call.service.now
    for record in known:
        call.store.set_state(record, "REVOKED", now)
        call.store.plan(record, now + int(call.seconds("purge-seconds") * 1000), "DELETED")
    return Response(status_code=int(call.switch("delete-reply")))


def restore(call: ApiRequest) -> Response:
    """Restore an archived object: it becomes available later, and for some days only."""
    days = _days(call)
    record = record_of(call)
    again = call.store.is_planned(record) and record.state not in _GONE
    if record.state != "ARCHIVED" and not again:
        raise problem(400, f"The object is {record.state}; only ARCHIVED objects can be restored", "objectState")
    if again and call.switch("E-19") == "409":
        raise problem(409, "The object is being restored already")
    _plan(call, record, days)
    return JSONResponse({"expirationDays": days})


def _plan(call: ApiRequest, record: Record, days: int) -> None:
    now = call.service.now
    ready = now + int(call.seconds("restore-seconds") * 1000)
    if record.state == "AVAILABLE":
        # A copy that was restored before just stays longer.
        ready = now
    else:
        call.store.set_state(record, call.switch("E-18"), now)
    call.store.cancel_plans(record)
    call.store.plan(record, ready, "AVAILABLE")
    call.store.plan(record, ready + days * _DAY, "ARCHIVED")


def _days(call: ApiRequest) -> int:
    if not call.body.strip():
        return _DEFAULT_DAYS
    body = call.json()
    days = body.get("expirationDays", _DEFAULT_DAYS) if isinstance(body, dict) else None
    if not isinstance(days, int) or isinstance(days, bool) or days not in _DAYS:
        raise problem(400, "expirationDays must be between 1 and 10", "expirationDays")
    return days


# Zip jobs


LARGEST_ZIP = 2_000_000_000
"""Sum of `storedBytes` in one job."""

_LIVES = {"24h": 86_400.0, "60s": 60.0}


def bulk_routes(service: Service) -> list[BaseRoute]:
    base = "/bulk/download"
    return [
        route(service, "POST", f"{base}/start", start, Level.DOWNLOAD_ONLY),
        route(service, "GET", f"{base}/status", status_of_all),
        route(service, "GET", f"{base}/status/{{name}}", status),
        route(service, "PUT POST", f"{base}/cancel/{{name}}", cancel, Level.DOWNLOAD_ONLY),
        route(service, "PUT", f"{base}/clear", clear, Level.DOWNLOAD_ONLY),
        route(service, "GET", f"{base}/{{name}}", fetch, Level.DOWNLOAD_ONLY),
    ]


def start(call: ApiRequest) -> Response:
    """Start a zip job."""
    found = [(id_, call.store.get(call.region, id_)) for id_ in call.ids()]
    good = [record for _id, record in found if record and record.state == "AVAILABLE"]
    missing = [id_ for id_, record in found if record is None or record.state != "AVAILABLE"]
    if not good:
        raise problem(400, "None of the objects can be downloaded", "body")
    if missing and call.switch("E-22") == "404":
        raise problem(404, f"Objects not found: {', '.join(missing[:3])}", "body")
    job = call.service.jobs.start(_job(call, good, missing))
    if call.switch("E-5") == "queue":
        return _reply(call, _queue(call))
    return _reply(call, _wrapped(call, job))


def _job(call: ApiRequest, good: list[Record], missing: list[str]) -> SandboxJob:
    kept, outcome = good, "PARTIAL_DONE" if missing else "DONE"
    if sum(record.size for record in good) > LARGEST_ZIP:
        outcome = call.switch("E-21")
        if outcome == "400":
            raise problem(400, "The objects exceed 2 GB", "body")
        kept = _fitting(good)
    if call.switch("zip-outcome") != "DONE":
        outcome = call.switch("zip-outcome")
        kept = kept[:-1] if outcome == "PARTIAL_DONE" else kept
    left_out = [*missing, *(record.id for record in good if record not in kept)]
    now, life = call.clock, _LIVES[call.switch("E-24")]
    return SandboxJob(call.region, tuple(kept), tuple(left_out), now, now + call.seconds("zip-seconds"), outcome, life)


def _fitting(records: list[Record]) -> list[Record]:
    kept, size = [], 0
    for record in records:
        if size + record.size <= LARGEST_ZIP:
            kept.append(record)
            size += record.size
    return kept


def status(call: ApiRequest) -> Response:
    """The state of one job."""
    job, url = _named(call), ""
    if call.request.query_params.get("presignUrl", "").lower() == "true":
        require(call, Level.DOWNLOAD_ONLY)
        if job.status(call.clock) in FETCHABLE:
            url = link(call, f"BULK/{CUSTOMER_ID}/{job.name}", job.name, "application/octet-stream")
    return JSONResponse(_wrapped(call, job, url))


def status_of_all(call: ApiRequest) -> Response:
    """The whole queue."""
    return JSONResponse(_queue(call))


def cancel(call: ApiRequest) -> Response:
    """Stop one job; the queue."""
    if call.request.method == "POST" and call.switch("E-27") == "PUT":
        raise problem(405, "Use PUT")
    call.service.jobs.cancel(_named(call), call.clock)
    return _reply(call, _queue(call))


def clear(call: ApiRequest) -> Response:
    """Remove all jobs, including running ones; answers with the queue, which is empty."""
    call.service.jobs.clear(call.region)
    return _reply(call, _queue(call))


def fetch(call: ApiRequest) -> Response:
    """The bytes of a finished zip."""
    job = _named(call)
    if job.status(call.clock) not in FETCHABLE:
        raise problem(404, f"{job.name} is {job.status(call.clock)}")
    blob = zip_blob(job, call.switch("E-29"), call.service.world)
    return serve(call.request, blob, ranges=call.switch("E-17") == "206")


def _named(call: ApiRequest) -> SandboxJob:
    name = str(call.request.path_params["name"])
    job = call.service.jobs.find(call.region, name, call.clock)
    if job is None:
        raise problem(404, f"No zip {name} in {call.region}")
    return job


def _queue(call: ApiRequest) -> list[object]:
    return [job.as_json(call.clock) for job in call.service.jobs.all(call.region, call.clock)]


def _wrapped(call: ApiRequest, job: SandboxJob, url: str = "") -> object:
    shown = job.as_json(call.clock, url)
    return [shown] if call.switch("E-5") == "array" else shown


def _reply(call: ApiRequest, body: object) -> Response:
    status = int(call.switch("zip-reply"))
    return Response(status_code=204) if status == 204 else JSONResponse(body, status)
