"""Zip jobs, deleting and restoring."""

import hashlib
import io
import json
import zipfile
from typing import Any

import pytest

from cloudstore_tui.sandbox.eightbyeight import KEYS

DAY = "type==callcenterrecording;createdTime=ge=1725148800000;createdTime=lt=1725235200000"


def _md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def _start(service: Any, ids: list[str], **more: Any) -> Any:
    return service.call("POST", "/bulk/download/start", content=json.dumps(ids), **more)


def _status(service: Any, name: str) -> str:
    return str(service.get(f"/bulk/download/status/{name}").json()["status"])


def test_a_zip_job_goes_through_its_states_and_gives_raw_names(service: Any) -> None:
    call = service.one(f"{DAY};agentName=='Khang Glynn';queueName=='Level 3'")
    records = service.find(f"bucketId=={call['bucketId']}")
    records += [service.one("type==callrecording")]
    job = _start(service, [record["id"] for record in records]).json()
    assert job["status"] == "NOT_STARTED"
    name = job["zipName"]
    assert name.endswith(".zip")
    assert service.get(f"/bulk/download/{name}").status_code == 404
    service.world.clock.offset = 2
    assert _status(service, name) == "IN_PROGRESS"
    service.world.clock.offset = 4
    assert _status(service, name) == "DONE"
    reply = service.get(f"/bulk/download/{name}")
    assert reply.headers["content-type"] == "application/octet-stream"
    with zipfile.ZipFile(io.BytesIO(reply.content)) as file:
        assert [member.filename for member in file.infolist()] == [record["objectName"] for record in records]
        for member, record in zip(file.infolist(), records, strict=True):
            data = file.read(member)
            assert len(data) == record["storedBytes"]
            assert "-" in record["checksum"] or _md5(data) == record["checksum"]
    part = service.get(f"/bulk/download/{name}", headers={"Range": "bytes=0-3"})
    assert part.status_code == 206
    assert part.content == b"PK\x03\x04"


def test_a_finished_zip_can_be_fetched_by_a_presigned_link(service: Any) -> None:
    job = _start(service, [service.one("type==summary")["id"]]).json()
    path = f"/bulk/download/status/{job['zipName']}"
    assert "url" not in service.get(path, params={"presignUrl": "true"}).json()
    service.world.clock.offset = 4
    url = service.get(path, params={"presignUrl": "true"}).json()["url"]
    assert service.http.get(url).content == service.get(f"/bulk/download/{job['zipName']}").content


def test_jobs_are_listed_cancelled_and_cleared(service: Any) -> None:
    ids = [service.one("type==summary")["id"]]
    first, second = (_start(service, ids).json()["zipName"] for _ in range(2))
    listed = {job["zipName"]: job["status"] for job in service.get("/bulk/download/status").json()}
    assert listed[first] == listed[second] == "NOT_STARTED"
    jobs = service.call("PUT", f"/bulk/download/cancel/{first}").json()
    assert {job["zipName"]: job["status"] for job in jobs}[first] == "CANCELLED"
    assert service.get("/bulk/download/status", region="uk").json() == []
    assert service.call("PUT", "/bulk/download/clear").json() == []
    assert service.get(f"/bulk/download/status/{second}").status_code == 404


def test_a_job_of_another_region_is_unknown(service: Any) -> None:
    name = _start(service, [service.one("type==summary")["id"]]).json()["zipName"]
    assert service.get(f"/bulk/download/status/{name}", region="uk").status_code == 404
    assert service.call("PUT", f"/bulk/download/cancel/{name}", region="uk").status_code == 404


@pytest.mark.parametrize("body", ["", "{}", "[]", "[1]", '"x"', "[", "null", "[" * 100_000])
def test_a_start_needs_a_list_of_ids(service: Any, body: str) -> None:
    assert service.call("POST", "/bulk/download/start", content=body).status_code == 400
    assert service.call("DELETE", "/bulk", content=body).status_code == 400


def test_bodies_must_say_that_they_are_json(service: Any) -> None:
    ids = [service.one("type==summary")["id"]]
    assert _start(service, ids, headers={"Content-Type": "text/plain"}).status_code == 400
    reply = service.call("DELETE", "/bulk", content=json.dumps(ids), headers={"Content-Type": "text/plain"})
    assert reply.status_code == 400


def test_deleted_objects_are_revoked_and_later_purged(service: Any) -> None:
    fixture = service.one("type==summary")
    generated = service.find("type==callcenterrecording;createdTime=lt=1725148800000", sortDirection="ASC")[5]
    for record in (fixture, generated):
        assert service.call("DELETE", "/bulk", content=json.dumps([record["id"]])).status_code == 200
        path = f"/objects/{record['id']}"
        revoked = service.get(path).json()
        assert revoked["objectState"] == "REVOKED"
        assert {**revoked, "objectState": "", "updatedTime": ""} == {**record, "objectState": "", "updatedTime": ""}
        assert service.find(f"id=={record['id']}") == []
        assert service.find(f"id=={record['id']};objectState==REVOKED") == [revoked]
        assert service.get(f"{path}/content").status_code == 403
    service.world.clock.offset = 1700
    service.world.clock.offset = 3601
    service.token = service.login(KEYS[0])
    assert service.get(f"/objects/{generated['id']}").json()["objectState"] == "DELETED"
    again = service.call("DELETE", "/bulk", content=json.dumps([fixture["id"], generated["id"]]))
    assert again.status_code == 404


def test_an_archived_object_comes_back_for_some_days(service: Any) -> None:
    record = service.one("objectState==ARCHIVED")
    path = f"/objects/{record['id']}"
    reply = service.call("POST", f"{path}/restore", content='{"expirationDays": 2}')
    assert reply.json() == {"expirationDays": 2}
    assert service.get(path).json()["objectState"] == "ARCHIVED"
    assert service.get(f"{path}/content").status_code == 403
    service.world.clock.offset = 31
    assert service.get(path).json()["objectState"] == "AVAILABLE"
    assert len(service.get(f"{path}/content").content) == record["storedBytes"]
    service.world.clock.offset = 31 + 2 * 86_400
    service.token = service.login(KEYS[0])
    assert service.get(path).json()["objectState"] == "ARCHIVED"


@pytest.mark.parametrize(
    "body", ['{"expirationDays": 0}', '{"expirationDays": 11}', '{"expirationDays": "7"}', "[]", "x"]
)
def test_bad_days_are_refused(service: Any, body: str) -> None:
    record = service.one("objectState==ARCHIVED")
    assert service.call("POST", f"/objects/{record['id']}/restore", content=body).status_code == 400


def test_without_a_body_an_object_comes_back_for_a_week(service: Any) -> None:
    record = service.find("objectState==ARCHIVED")[1]
    reply = service.call("POST", f"/objects/{record['id']}/restore", headers={"Content-Type": None})
    assert reply.json() == {"expirationDays": 7}


def test_only_archived_objects_can_be_restored(service: Any) -> None:
    record = service.one("type==meeting")
    assert service.call("POST", f"/objects/{record['id']}/restore").status_code == 400
    assert service.call("POST", "/objects/unknown/restore").status_code == 404
