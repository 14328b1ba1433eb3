"""`GET objectKeys`: what is where, page by page."""

import base64
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

import pytest

from cloudstore_tui.sandbox import DATA_NOW
from cloudstore_tui.sandbox.alvaria.data import CROWD, all_folders

HISTORICAL = "exports/reporting/enterprise-historical/"
ODD = "exports/aps-custom/"
TOKEN = {"v2": "continuationToken", "v3": "nextToken"}

versions = pytest.mark.parametrize("version", ["v2", "v3"])


def pages(api: Any, key: str, kind: str = "file", version: str = "v3", **more: Any) -> list[list[str]]:
    """All pages of a listing, at most twenty."""
    found, token = [], ""
    for _ in range(20):
        reply = api.list(key, kind, version=version, **more, **({TOKEN[version]: token} if token else {}))
        found.append(reply.keys)
        token = reply.json.get(TOKEN[version]) or ""
        if not token:
            break
    return found


def joined(found: list[list[str]]) -> list[str]:
    return [key for page in found for key in page]


def crowd(api: Any) -> str:
    folders = api.list("exports/cxp/recordings/").keys
    return str(max(folders))


def entries(api: Any, key: str, **more: Any) -> dict[str, Any]:
    return {entry["keyName"]: entry for entry in api.list(key, **more).json["objectKeys"]}


@versions
def test_a_folder_lists_exactly_one_level_in_byte_order(api: Any, version: str) -> None:
    keys = api.list("exports/reporting/", version=version).keys
    assert keys == [f"exports/reporting/{name}/" for name in ("enterprise-historical", "intraday", "outreach")]
    odd = api.list(f"{ODD}odd names/", version=version).keys
    assert len(odd) > 15
    assert odd == sorted(odd, key=str.encode)


@versions
def test_files_are_listed_recursively_without_folders(api: Any, version: str) -> None:
    keys = api.list("exports/reporting/", "file", version=version).keys
    assert len(keys) == 28 + 28 + 48
    assert not [key for key in keys if key.endswith("/")]


def test_the_nightly_extracts_are_those_of_the_last_28_days(api: Any) -> None:
    wanted = {f"{DATA_NOW - timedelta(days=back):%Y%m%d}" for back in range(1, 29)}
    assert {key[-12:-4] for key in api.list(HISTORICAL).keys} == wanted


@pytest.mark.parametrize(
    ("version", "switch", "hidden"), [("v3", "", False), ("v2", "", True), ("v2", "A-21=visible", False)]
)
def test_the_whole_tree_is_there_and_v2_does_not_know_all_of_it(
    api: Any, version: str, switch: str, hidden: bool
) -> None:
    found = set()

    def walk(nodes: list[dict[str, Any]]) -> None:
        for node in nodes:
            if node:
                found.add(node["key"])
                walk(node["childObjectKeys"])

    for root in ("exports/", "imports/"):
        nodes = api.list(root, "directory", version=version, switch=switch).json["objectKeys"]
        assert [node["key"] for node in nodes] == [root]
        walk(nodes)
    only = {folder for folder in all_folders() if "work" in folder or folder.startswith("imports/motivate/kpi/")}
    assert len(only) == 7
    assert (all_folders() - found) == (only if hidden else set())
    listed = api.list("exports/workforce/", version=version, switch=switch)
    assert listed.status == (404 if hidden else 200)


def test_a_leaf_of_the_hierarchy_holds_an_empty_entry(api: Any) -> None:
    (node,) = api.list(HISTORICAL, "directory").json["objectKeys"]
    assert node["childObjectKeys"] == [{}]


def test_the_key_of_a_file_lists_that_file(api: Any) -> None:
    key = api.list(HISTORICAL).keys[0]
    assert api.list(key, "file").keys == [key]
    assert api.list(key, "directory").status == 404


@versions
def test_a_key_without_slash_is_a_file_or_nothing_unless_it_is_a_prefix(api: Any, version: str) -> None:
    assert api.list("exports/reporting", version=version).status == 404
    assert api.list("exports/reporting", "directory", version=version).status == 404
    found = api.list("exports/reporting", version=version, switch="A-6=prefix").keys
    assert found == ["exports/reporting-archive/", "exports/reporting/"]
    assert len(api.list(f"{HISTORICAL}enterprise", "file", version=version, switch="A-6=prefix").keys) == 28
    assert api.list("exports/nothing", version=version, switch="A-6=prefix").status == 404


@pytest.mark.parametrize(("switch", "status"), [("", 200), ("A-7=404", 404)])
@pytest.mark.parametrize("kind", ["file", "file:directory"])
def test_an_empty_folder_is_empty_or_missing(api: Any, switch: str, status: int, kind: str) -> None:
    folder = "imports/workflow/"
    reply = api.list(folder, kind, switch=switch)
    assert reply.status == status
    assert status == 404 or reply.json["objectKeys"] == []


def test_files_and_folders_together_may_be_refused(api: Any) -> None:
    assert api.list("exports/", switch="A-8=400").status == 400
    assert api.list("exports/", "file", switch="A-8=400").status == 200


def test_a_folder_may_name_itself_on_its_first_page(api: Any) -> None:
    found = pages(api, "exports/reporting/", "file:directory", switch="A-9=yes", maxResults=2)
    assert [len(page) for page in found] == [2, 2]
    assert found[0][0] == "exports/reporting/"
    assert len(set(joined(found))) == 4


@versions
def test_a_page_has_a_thousand_entries_whatever_is_asked_for(api: Any, version: str) -> None:
    folder = crowd(api)
    for more in ({}, {"maxResults": 5000}):
        assert len(api.list(folder, version=version, **more).keys) == 1000
    assert len(api.list(folder, version=version, maxResults=7).keys) == 7


@versions
@pytest.mark.parametrize("kind", ["file", "file:directory"])
def test_the_pages_of_a_large_folder_name_every_entry_once_and_in_order(api: Any, version: str, kind: str) -> None:
    found = joined(pages(api, crowd(api), kind, version))
    assert len(found) == CROWD
    assert found == sorted(set(found), key=str.encode)


@versions
def test_an_inclusive_token_repeats_the_last_entry_and_still_gets_on(api: Any, version: str) -> None:
    found = pages(api, HISTORICAL, "file", version, switch="A-11=inclusive", maxResults=10)
    assert [page[0] for page in found[1:]] == [page[-1] for page in found[:-1]]
    assert len(set(joined(found))) == 28
    smallest = api.list(HISTORICAL, "file", version=version, switch="A-11=inclusive", maxResults=1)
    again = {TOKEN[version]: smallest.json[TOKEN[version]]}
    assert len(api.list(HISTORICAL, "file", version=version, switch="A-11=inclusive", maxResults=1, **again).keys) == 2


def test_a_token_of_v3_is_the_key_and_one_of_v2_has_to_be_encoded(api: Any) -> None:
    reply = api.list(HISTORICAL, maxResults=3)
    assert base64.b64decode(reply.json["nextToken"]).decode() == reply.keys[-1]
    tokens = [api.list(HISTORICAL, version="v2", maxResults=3).json["continuationToken"] for _ in range(2)]
    assert tokens[0] != tokens[1]
    assert set("+/%=") <= set(tokens[0])
    damaged = tokens[0].replace("+", " ")
    assert api.list(HISTORICAL, version="v2", continuationToken=damaged).status == 400


def test_a_token_sent_percent_encoded_works_only_when_decoded(api: Any) -> None:
    token = api.list(HISTORICAL, version="v2", maxResults=3, switch="A-11=quoted").json["continuationToken"]
    assert api.list(HISTORICAL, version="v2", continuationToken=token).status == 400
    assert len(api.list(HISTORICAL, version="v2", continuationToken=unquote(token)).keys) == 25


def test_a_token_belongs_to_its_folder(api: Any) -> None:
    token = api.list(HISTORICAL, maxResults=3).json["nextToken"]
    assert api.list("exports/reporting/outreach/", nextToken=token).status == 400


@versions
@pytest.mark.parametrize(("switch", "value"), [("", ...), ("A-12=blank", ""), ("A-12=null", None)])
def test_the_last_page_has_no_token(api: Any, version: str, switch: str, value: Any) -> None:
    reply = api.list("exports/reporting/", version=version, switch=switch).json
    assert reply.get(TOKEN[version], ...) == value


@pytest.mark.parametrize(("switch", "value"), [("", "28"), ("A-13=number", 28), ("A-13=absent", None)])
def test_v3_counts_the_entries_of_all_pages(api: Any, switch: str, value: Any) -> None:
    assert api.list(HISTORICAL, switch=switch, maxResults=5).json.get("totalItems") == value
    assert "totalItems" not in api.list(HISTORICAL, version="v2", switch=switch).json


@pytest.mark.parametrize(("switch", "end"), [("", " KB"), ("A-15=kb", " kb")])
def test_sizes_are_rounded_kilobytes(api: Any, switch: str, end: str) -> None:
    entry = api.list(HISTORICAL, switch=switch).json["objectKeys"][0]
    assert entry["size"].endswith(end)
    data = api.send("GET", api.signed(entry["key"])).body
    assert abs(float(entry["size"].split()[0]) * 1024 - len(data)) <= 52


def test_sizes_may_be_blank(api: Any) -> None:
    assert api.list(HISTORICAL, switch="A-15=blank").json["objectKeys"][0]["size"] == ""


def test_an_entry_has_what_the_vendor_shows(api: Any) -> None:
    entry = api.list(HISTORICAL).json["objectKeys"][0]
    assert set(entry) == {"kind", "key", "keyName", "size", "lastModifiedTime", "keyType", "keyHash"}
    assert entry["kind"] == "objectKey"
    datetime.fromisoformat(entry["lastModifiedTime"])


def test_some_entries_are_as_odd_as_the_vendors_samples(api: Any) -> None:
    found = entries(api, ODD)
    assert found["blank-size.csv"]["size"] == ""
    assert found["capital-type.csv"]["keyType"] == "File "
    assert "lastModifiedTime" not in found["date-instead-of-time.csv"]
    assert found["blank-date.csv"]["lastModifiedDate"] == ""
    assert found["empty-children.csv"]["childObjectKeys"] == [{}]
    assert "keyType" not in found["no-type.csv"]
    assert found["links-in-the-listing.csv"]["signedUploadUrl"] == " "


def test_a_listing_that_never_ends_repeats_its_token(api: Any) -> None:
    token = api.list(HISTORICAL, switch="A-end=no").json["nextToken"]
    again = api.list(HISTORICAL, switch="A-end=no", nextToken=token).json["nextToken"]
    assert token == again


def test_a_listing_may_go_on_with_empty_pages(api: Any) -> None:
    reply = api.list(HISTORICAL, switch="A-end=empty")
    assert len(reply.keys) == 28
    for _ in range(3):
        reply = api.list(HISTORICAL, switch="A-end=empty", nextToken=reply.json["nextToken"])
        assert reply.keys == []
