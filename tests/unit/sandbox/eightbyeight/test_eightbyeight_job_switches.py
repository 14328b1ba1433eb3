"""Every answer that the sandbox can give to an open question about zip jobs and deleting."""

import json
from typing import Any

import pytest

from cloudstore_tui.sandbox.eightbyeight import KEYS


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
