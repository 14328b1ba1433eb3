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


# As the switches have them


def test_e21_more_than_two_gigabytes(service: Any) -> None:
    small, huge = service.one("type==summary"), service.one("storedBytes=gt=2000000000")
    ids = [small["id"], huge["id"]]
    assert service.outcome(ids) == ("FAILED", [])
    service.world.switches.set({"E-21": "PARTIAL_DONE"})
    assert service.outcome(ids) == ("PARTIAL_DONE", [small["objectName"]])
    service.world.switches.set({"E-21": "400"})
    assert service.start(ids).status_code == 400


def test_e22_ids_that_cannot_be_packed(service: Any) -> None:
    good = service.one("type==summary")
    elsewhere = service.one("type==callrecording", region="uk")
    bad = ["unknown", elsewhere["id"], service.one("objectState==ARCHIVED")["id"]]
    assert service.outcome([good["id"], *bad]) == ("PARTIAL_DONE", [good["objectName"]])
    assert service.start(bad).status_code == 400
    service.world.switches.set({"E-22": "404"})
    assert service.start([good["id"], *bad]).status_code == 404
    assert service.start([good["id"]]).status_code == 200


def test_e23_an_id_given_twice_is_packed_once(service: Any) -> None:
    record = service.one("type==summary")
    assert service.outcome([record["id"]] * 3) == ("DONE", [record["objectName"]])


@pytest.mark.parametrize(("life", "seconds"), [("24h", 86_400), ("60s", 60)])
def test_e24_the_life_of_a_finished_zip(service: Any, life: str, seconds: int) -> None:
    service.world.switches.set({"E-24": life, "token-life": "999999"})
    service.token = service.login(KEYS[0])
    name = service.start(service.summaries(1)).json()["zipName"]
    for offset, status in ((3 + seconds - 2, 200), (3 + seconds + 2, 404)):
        service.world.clock.offset = offset
        assert service.get(f"/bulk/download/{name}").status_code == status


def test_e25_a_finished_job_cannot_be_cancelled(service: Any) -> None:
    name = service.start(service.summaries(1)).json()["zipName"]
    service.world.clock.offset = 4
    jobs = service.call("PUT", f"/bulk/download/cancel/{name}").json()
    assert {job["zipName"]: job["status"] for job in jobs}[name] == "DONE"


def test_e26_clear_removes_running_jobs_too(service: Any) -> None:
    name = service.start(service.summaries(1)).json()["zipName"]
    assert service.call("PUT", "/bulk/download/clear").json() == []
    assert service.get(f"/bulk/download/{name}").status_code == 404
    assert service.get("/bulk/download/status").json() == []


def test_e27_the_verb_of_cancel(service: Any) -> None:
    path = f"/bulk/download/cancel/{service.start(service.summaries(1)).json()['zipName']}"
    assert service.call("POST", path).status_code == 200
    service.world.switches.set({"E-27": "PUT"})
    assert service.call("POST", path).status_code == 405
    assert service.call("PUT", path).status_code == 200


def test_e28_deleting_with_unknown_ids(service: Any) -> None:
    first, second = service.summaries(2)
    service.world.switches.set({"E-28": "404"})
    assert service.call("DELETE", "/bulk", content=json.dumps([first, "unknown"])).status_code == 404
    assert service.get(f"/objects/{first}").json()["objectState"] == "AVAILABLE"
    assert service.call("DELETE", "/bulk", content=json.dumps([first])).status_code == 200
    service.world.switches.set({"E-28": "200"})
    assert service.call("DELETE", "/bulk", content=json.dumps([second, "unknown"])).status_code == 200
    assert service.get(f"/objects/{second}").json()["objectState"] == "REVOKED"
    assert service.call("DELETE", "/bulk", content=json.dumps(["unknown"])).status_code == 404


@pytest.mark.parametrize("how", ["raw", "dots", "numbered"])
def test_e29_names_in_a_zip(service: Any, how: str) -> None:
    service.world.switches.set({"E-29": how})
    call = service.one("type==transcription;sourceObjectType==callrecordingchannel")
    records = service.find(f"bucketId=={call['bucketId']};type==transcription")
    name = call["objectName"]
    assert ":" in name
    assert len(records) == 2
    expected = {
        "raw": [name, name],
        "dots": [name.replace(":", ".")] * 2,
        "numbered": [name, name.replace(".json", "(1).json")],
    }
    assert service.outcome([record["id"] for record in records]) == ("DONE", expected[how])


@pytest.mark.parametrize("status", ["200", "201", "204"])
def test_the_status_of_job_replies(service: Any, status: str) -> None:
    service.world.switches.set({"zip-reply": status})
    reply = service.start(service.summaries(1))
    assert reply.status_code == int(status)
    assert bool(reply.content) == (status != "204")
    assert len(service.get("/bulk/download/status").json()) >= 1
    assert service.call("PUT", "/bulk/download/clear").status_code == int(status)


@pytest.mark.parametrize("ending", ["DONE", "FAILED", "PARTIAL_DONE"])
def test_the_outcome_of_jobs(service: Any, ending: str) -> None:
    service.world.switches.set({"zip-outcome": ending})
    status, names = service.outcome(service.summaries(3))
    assert status == ending
    assert len(names) == {"DONE": 3, "FAILED": 0, "PARTIAL_DONE": 2}[ending]
