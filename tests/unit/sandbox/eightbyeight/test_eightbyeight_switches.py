"""Every answer that the sandbox can give to an open question, by the switch that chooses it."""

import json
from typing import Any

import pytest

from cloudstore_tui.sandbox.eightbyeight import KEYS, SWITCHES

DAY = "type==callcenterrecording;createdTime=ge=1725148800000;createdTime=lt=1725235200000"
FIFTY = f"{DAY};createdTime=lt=1725166290000"


def page(service: Any, **query: Any) -> Any:
    reply = service.get("/objects", params={"sortField": "createdTime", "sortDirection": "ASC", **query})
    return reply.json() if reply.status_code == 200 else reply.status_code


def test_every_question_of_the_list_has_a_switch_and_its_default_is_one_of_its_values() -> None:
    known = {switch.id: switch for switch in SWITCHES}
    assert {f"E-{number}" for number in range(1, 35)} <= set(known)
    assert len(known) == len(SWITCHES)
    for switch in SWITCHES:
        assert switch.values == ("*",) or switch.default in switch.values
        assert switch.text


def test_a_header_sets_a_switch_for_one_request(service: Any) -> None:
    headers = {"X-Sandbox-Switch": "E-3=current, E-5=array"}
    reply = service.get("/objects", headers=headers, params={"limit": 5, "pageKey": 5}).json()
    assert reply[0]["pageKey"] == 5
    assert page(service, limit=5, pageKey=5)["pageKey"] == 10


def test_e1_a_large_limit(service: Any) -> None:
    reply = page(service, limit=1000)
    assert (reply["pageSize"], reply["pageKey"]) == (100, 100)
    service.world.switches.set({"E-1": "400"})
    assert page(service, limit=101) == 400
    assert page(service, limit=100)["pageSize"] == 100
    service.world.switches.set({"E-1": "honoured"})
    reply = page(service, limit=300)
    assert (reply["pageSize"], reply["pageKey"]) == (300, 300)


def test_e2_a_full_last_page(service: Any) -> None:
    total = len(service.find(DAY, limit=100, pageKey=200)) + 200
    reply = page(service, filter=DAY, limit=49, pageKey=total - 49)
    assert (reply["pageSize"], reply["lastPage"]) == (49, True)
    service.world.switches.set({"E-2": "empty"})
    reply = page(service, filter=DAY, limit=49, pageKey=total - 49)
    assert (reply["pageSize"], reply["lastPage"]) == (49, False)
    reply = page(service, filter=DAY, limit=49, pageKey=total)
    assert (reply["pageSize"], reply["lastPage"]) == (0, True)


def test_e3_page_key(service: Any) -> None:
    assert page(service, limit=10, pageKey=20)["pageKey"] == 30
    service.world.switches.set({"E-3": "current"})
    assert page(service, limit=10, pageKey=20)["pageKey"] == 20


def test_e4_the_result_window(service: Any) -> None:
    assert page(service, pageKey=10_000)["content"] == []
    service.world.switches.set({"E-4": "400"})
    assert page(service, pageKey=10_000) == 400
    assert page(service, pageKey=9_999)["content"] == []


def test_e5_lists_around_pages_and_jobs(service: Any) -> None:
    first = service.start(service.summaries(1)).json()
    assert isinstance(first, dict)
    service.world.switches.set({"E-5": "array"})
    (wrapped,) = page(service, limit=5)
    assert wrapped["pageSize"] == 5
    (second,) = service.start(service.summaries(1)).json()
    assert service.get(f"/bulk/download/status/{second['zipName']}").json()[0]["zipName"] == second["zipName"]
    service.world.switches.set({"E-5": "queue"})
    queue = service.start(service.summaries(1)).json()
    assert {first["zipName"], second["zipName"]} < {job["zipName"] for job in queue}


def test_e6_unknown_fields(service: Any) -> None:
    assert page(service, filter="colour==red")["content"] == []
    assert page(service, filter="colour!=red")["pageSize"] == 100
    service.world.switches.set({"E-6": "400"})
    assert page(service, filter="colour==red") == 400
    for known in ("speaker==owner", "agentName==x", "size=gt=1", "meetingUrl==x"):
        assert page(service, filter=known) != 400


def test_e7_numbers_in_tags(service: Any) -> None:
    def durations() -> list[str]:
        found = service.find("type==callcenterrecording;duration=gt=99000", limit=100, sortField="duration")
        return [tag["value"] for record in found for tag in record["tags"] if tag["key"] == "duration"]

    numeric = durations()
    assert all(int(value) > 99000 for value in numeric)
    assert numeric == sorted(numeric, key=int)
    service.world.switches.set({"E-7": "text"})
    assert durations() == []
    as_text = [
        tag["value"]
        for record in service.find("type==callcenterrecording;duration=gt=5", limit=100, sortField="duration")
        for tag in record["tags"]
        if tag["key"] == "duration"
    ]
    assert as_text == sorted(as_text)
    assert as_text != sorted(as_text, key=int)
    assert page(service, filter="storedBytes=gt=99000")["content"]


def test_e8_objects_without_the_tag(service: Any) -> None:
    assert {record["type"] for record in service.find("speaker!=owner", limit=100)} > {"callcenterrecording"}
    service.world.switches.set({"E-8": "no match"})
    assert {record["type"] for record in service.find("speaker!=owner", limit=100)} == {"transcription"}
    assert {record["type"] for record in service.find("speaker=out=(owner)")} == {"transcription"}


def test_e9_wildcards_and_capitals(service: Any) -> None:
    assert service.find("agentName==khang*") == []
    service.world.switches.set({"E-9": "wildcards"})
    assert service.find("agentName==khang*") == []
    found = service.find("agentName==Khang*", limit=100)
    assert len({record["type"] for record in found}) > 1
    assert service.find("type==callcenter*;agentName!=*")[:1] == []
    service.world.switches.set({"E-9": "fold"})
    assert service.find("agentName=='khang glynn'", limit=100) == found
    assert service.find("type==CALLRECORDING")


def test_e10_quotes(service: Any) -> None:
    assert page(service, filter="agentName=='Khang Glynn'") != 400
    service.world.switches.set({"E-10": "400"})
    assert page(service, filter="agentName=='Khang Glynn'") == 400
    assert page(service, filter='agentName=="x"') == 400
    assert page(service, filter="agentName==x") != 400


def test_e11_iso_times(service: Any) -> None:
    iso = "type==callcenterrecording;createdTime=ge=2024-09-01T00:00:00;createdTime=lt=2024-09-02"
    assert page(service, filter=iso) == 400
    expected = page(service, filter=DAY)
    service.world.switches.set({"E-11": "accepted"})
    assert page(service, filter=iso) == expected
    assert page(service, filter="createdTime=ge=nonsense") == 400


def test_e12_any_mention_of_a_state_ends_the_default(service: Any) -> None:
    states = {record["objectState"] for record in service.find("objectState!=AVAILABLE,callId==twice", limit=100)}
    assert states == {"AVAILABLE", "ARCHIVED", "REVOKED", "DELETED", "PENDING", "FAILED"}


def test_e13_the_default_order_is_newest_first(service: Any) -> None:
    assert service.find(DAY) == service.find(DAY, sortField="createdTime", sortDirection="DESC")


def test_the_order_that_is_asked_for_may_be_ignored(service: Any) -> None:
    newest = service.find(DAY)
    service.world.switches.set({"order": "newest"})
    assert service.find(DAY, sortField="createdTime", sortDirection="ASC") == newest
    assert service.find(DAY, sortField="storedBytes", sortDirection="DESC") == newest


@pytest.mark.parametrize("how", ["json", "text", "json string", "302", "presignedUrl", "presignUrl"])
def test_e14_the_shape_of_a_presigned_link(service: Any, how: str) -> None:
    record = service.one("type==summary")
    service.world.switches.set({"E-14": how})
    reply = service.get(f"/objects/{record['id']}/content", params={"presignUrl": "true"})
    shapes = {
        "text": lambda: (reply.status_code, reply.text),
        "302": lambda: (reply.status_code - 102, reply.headers["location"]),
        "json string": lambda: (reply.status_code, reply.json()),
    }
    status, url = shapes.get(how, lambda: (reply.status_code, reply.json()["url" if how == "json" else how]))()
    assert status == 200
    assert len(service.http.get(url).content) == record["storedBytes"]


@pytest.mark.parametrize("status", [403, 404, 409])
def test_e16_content_of_an_object_that_is_not_available(service: Any, status: int) -> None:
    service.world.switches.set({"E-16": str(status)})
    for state in ("ARCHIVED", "PENDING", "FAILED", "REVOKED", "DELETED"):
        record = service.one(f"objectState=={state}")
        reply = service.get(f"/objects/{record['id']}/content")
        assert reply.status_code == status
        assert state in reply.json()["detail"]
        assert service.get(f"/objects/{record['id']}/content", params={"presignUrl": "true"}).status_code == status


def test_e17_ranges_that_are_not_looked_at(service: Any) -> None:
    record = service.one("type==summary")
    name = service.start([record["id"]]).json()["zipName"]
    service.world.clock.offset = 4
    ranged = {"Range": "bytes=10-19"}
    for path in (f"/objects/{record['id']}/content", f"/bulk/download/{name}"):
        service.world.switches.set({"E-17": "206"})
        assert service.get(path, headers=ranged).status_code == 206
        service.world.switches.set({"E-17": "200"})
        reply = service.get(path, headers=ranged)
        assert reply.status_code == 200
        assert len(reply.content) > 100


@pytest.mark.parametrize("state", ["ARCHIVED", "PENDING"])
def test_e18_the_state_while_restoring(service: Any, state: str) -> None:
    object_id = service.archived()
    service.world.switches.set({"E-18": state})
    assert service.call("POST", f"/objects/{object_id}/restore").status_code == 200
    assert service.get(f"/objects/{object_id}").json()["objectState"] == state
    service.world.clock.offset = 31
    assert service.get(f"/objects/{object_id}").json()["objectState"] == "AVAILABLE"


@pytest.mark.parametrize("status", [200, 409])
def test_e19_restoring_twice(service: Any, status: int) -> None:
    object_id = service.archived()
    service.world.switches.set({"E-19": str(status)})
    service.call("POST", f"/objects/{object_id}/restore")
    assert service.call("POST", f"/objects/{object_id}/restore").status_code == status
    service.world.clock.offset = 31
    assert service.call("POST", f"/objects/{object_id}/restore").status_code == status
    assert service.get(f"/objects/{object_id}").json()["objectState"] == "AVAILABLE"


def test_e20_a_restored_copy_is_archived_again(service: Any) -> None:
    object_id = service.archived()
    service.call("POST", f"/objects/{object_id}/restore", content='{"expirationDays": 1}')
    service.world.clock.offset = 31 + 86_400
    service.token = service.login(KEYS[0])
    assert service.get(f"/objects/{object_id}").json()["objectState"] == "ARCHIVED"
    assert service.call("POST", f"/objects/{object_id}/restore").status_code == 200


def test_e30_some_checksums_are_those_of_uploads_in_parts(service: Any) -> None:
    suffixes = {record["checksum"].partition("-")[2] for record in service.find("type=in=(meeting,callrecording)")}
    assert {"", "1", "3"} <= suffixes


def test_e31_times_are_in_utc_and_name_no_zone(service: Any) -> None:
    record = service.one("type==callrecording")
    start_time = next(int(tag["value"]) for tag in record["tags"] if tag["key"] == "startTime") // 1000 * 1000
    assert service.find(f"id=={record['id']};createdTime=={start_time}") == [record]
    assert not record["createdTime"].endswith("Z")


@pytest.mark.parametrize("how", ["60/min", "bare"])
def test_e32_the_limit_of_requests(service: Any, how: str) -> None:
    assert {service.get("/regions").status_code for _ in range(70)} == {200}
    service.world.clock.offset = 1000 if how == "bare" else 500
    service.world.switches.set({"E-32": how})
    replies = [service.get("/regions") for _ in range(61)]
    assert {reply.status_code for reply in replies[:60]} == {200}
    assert replies[60].status_code == 429
    assert ("retry-after" in replies[60].headers) == (how == "60/min")
    service.world.clock.offset += 61
    assert service.get("/regions").status_code == 200


@pytest.mark.parametrize(("level", "zipping", "editing"), [("read-only", 403, 403), ("download-only", 200, 403)])
def test_e33_the_level_of_the_key(service: Any, level: str, zipping: int, editing: int) -> None:
    ids = service.summaries(1)
    service.world.switches.set({"E-33": level})
    assert service.start(ids).status_code == zipping
    assert service.call("DELETE", "/bulk", content=json.dumps(ids)).status_code == editing
    service.world.switches.set({"E-33": "edit"})
    assert service.start(ids).status_code == 200


def test_e34_regions_of_a_key_without_storage(service: Any) -> None:
    service.token = service.login(KEYS[3])
    assert service.get("/regions").json() == []
    service.world.switches.set({"E-34": "403"})
    assert service.get("/regions").status_code == 403


@pytest.mark.parametrize("status", ["200", "204"])
def test_the_status_of_a_delete(service: Any, status: str) -> None:
    service.world.switches.set({"delete-reply": status})
    assert service.call("DELETE", "/bulk", content=json.dumps(service.summaries(1))).status_code == int(status)


def test_lives_and_delays_can_be_made_short(service: Any) -> None:
    short = {"token-life": "5", "link-life": "2", "zip-seconds": "0", "purge-seconds": "1", "restore-seconds": "0"}
    service.world.switches.set(short)
    service.token = service.login(KEYS[0])
    record = service.one("type==summary")
    url = service.get(f"/objects/{record['id']}/content", params={"presignUrl": "true"}).json()["url"]
    name = service.start([record["id"]]).json()["zipName"]
    assert service.get(f"/bulk/download/status/{name}").json()["status"] == "DONE"
    service.call("DELETE", "/bulk", content=json.dumps([record["id"]]))
    service.call("POST", f"/objects/{service.archived()}/restore")
    service.world.clock.offset = 2
    assert service.http.get(url).status_code == 403
    assert service.get(f"/objects/{record['id']}").json()["objectState"] == "DELETED"
    service.world.clock.offset = 6
    assert service.get("/regions").status_code == 401
