"""Regions, searches, single objects and buckets."""

from typing import Any

import msgspec
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from cloudstore_tui.sandbox.eightbyeight.filters import search_of
from cloudstore_tui.sandbox.eightbyeight.fixtures import REGIONS
from cloudstore_tui.sandbox.eightbyeight.gateway import Ask, Service, problem, route
from cloudstore_tui.sandbox.eightbyeight.record import Record
from cloudstore_tui.sandbox.eightbyeight.search import Search

PUBLISHED = ("us-west", "us-east", "uk", "ap", "ca")
"""Regions of the service; any of them can be asked which are the company's."""


def object_routes(service: Service) -> list[BaseRoute]:
    """The routes of this file."""
    return [
        route(service, "GET", "/regions", regions, anywhere=True),
        route(service, "GET", "/objects", search),
        route(service, "GET", "/objects/{id}", single),
        route(service, "GET", "/objects/{id}/metadata", single),
        route(service, "GET", "/buckets", buckets),
        route(service, "GET", "/buckets/{id}", bucket),
    ]


def regions(ask: Ask) -> Response:
    """The regions that the company has."""
    if ask.region not in PUBLISHED:
        raise problem(404, f"Unknown region {ask.region}", "region")
    if "storage" in ask.key.products:
        return JSONResponse(list(REGIONS))
    if ask.switch("E-34") == "403":
        raise problem(403, "This API key has no access to the product storage")
    return JSONResponse([])


def search(ask: Ask) -> Response:
    """One page of objects."""
    headers = ask.request.headers
    for name in ("Accept", "Content-Type"):
        if "application/json" not in headers.get(name.lower(), ""):
            raise problem(400, f"{name} must be application/json", name)
    wanted = search_of(ask, "object")
    page = ask.store.search(wanted)
    return _page(ask, wanted, [record.as_json() for record in page.objects], page.more)


def single(ask: Ask) -> Response:
    """Everything known of one object."""
    return JSONResponse(record_of(ask).as_json())


def record_of(ask: Ask) -> Record:
    """The object that the path names."""
    object_id = str(ask.request.path_params["id"])
    record = ask.store.get(ask.region, object_id)
    if record is None:
        raise problem(404, f"No object {object_id} in {ask.region}")
    return record


def buckets(ask: Ask) -> Response:
    """One page of buckets."""
    wanted = search_of(ask, "bucket")
    page = ask.store.search_buckets(wanted)
    return _page(ask, wanted, [found.as_json() for found in page.buckets], page.more)


def bucket(ask: Ask) -> Response:
    """One bucket with its objects."""
    bucket_id = str(ask.request.path_params["id"])
    found = ask.store.bucket(ask.region, bucket_id)
    if found is None:
        raise problem(404, f"No bucket {bucket_id} in {ask.region}")
    return JSONResponse(found.as_json())


def _page(ask: Ask, wanted: Search, content: list[dict[str, Any]], more: bool) -> Response:
    full = len(content) == wanted.limit
    page = {
        "lastPage": not more and not (full and ask.switch("E-2") == "empty"),
        "pageKey": wanted.offset if ask.switch("E-3") == "current" else wanted.offset + wanted.limit,
        "pageSize": len(content),
        "content": content,
    }
    # Far faster than Starlette's own, which matters to clients that fetch many pages.
    body = msgspec.json.encode([page] if ask.switch("E-5") == "array" else page)
    return Response(body, media_type="application/json")
