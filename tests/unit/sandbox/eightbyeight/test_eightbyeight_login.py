"""Tokens and the levels of keys."""

import base64
from typing import Any

import pytest

from cloudstore_tui.sandbox.eightbyeight import KEYS

EDIT, DOWNLOAD, READ, BARE, EXPIRED = KEYS


def test_a_token_reply_holds_texts_only(service: Any) -> None:
    reply = service.ask_token(f"{EDIT.client_id}:{EDIT.secret(service.world)}").json()
    assert reply["expires_in"] == "1799"
    assert reply["token_type"] == "BearerToken"
    assert reply["issued_at"].isdigit()
    assert len(reply["issued_at"]) == 13
    assert reply["api_product_list"] == "[storage]"
    assert reply["developer.email"] == "deprecated"


@pytest.mark.parametrize("credentials", ["acme8-edit:wrong", "nobody:x", "nocolon", ":"])
def test_wrong_credentials_get_the_gateways_error(service: Any, credentials: str) -> None:
    reply = service.ask_token(credentials)
    assert reply.status_code == 401
    assert reply.json()["ErrorCode"] == "invalid_client"


def test_another_grant_or_body_is_refused(service: Any) -> None:
    credentials = f"{EDIT.client_id}:{EDIT.secret(service.world)}"
    assert service.ask_token(credentials, grant_type="password").status_code == 400
    basic = base64.b64encode(credentials.encode()).decode()
    headers = {"Authorization": f"Basic {basic}"}
    body = {"grant_type": "client_credentials"}
    assert service.http.post("/oauth/v2/token", headers=headers, json=body).status_code == 400


def test_a_token_ends_when_it_says(service: Any) -> None:
    service.world.switches.set({"token-life": "60"})
    service.token = service.login(EDIT)
    assert service.get("/regions").status_code == 200
    service.world.clock.offset = 61
    reply = service.get("/regions")
    assert reply.status_code == 401
    assert reply.json()["fault"]["detail"]["errorcode"] == "keymanagement.service.access_token_expired"


@pytest.mark.parametrize("authorization", [None, "Basic abc", "Bearer", "Bearer nonsense", "nonsense"])
def test_without_a_good_token_nothing_is_answered(service: Any, authorization: str | None) -> None:
    for path in ("/regions", "/objects", "/objects/x/content", "/bulk/download/status", "/buckets"):
        reply = service.get(path, headers={"Authorization": authorization})
        assert reply.status_code == 401
        assert reply.json()["fault"]["faultstring"]


def test_any_run_of_blanks_before_the_token_is_accepted(service: Any) -> None:
    assert service.get("/regions", headers={"Authorization": f"Bearer   {service.token}"}).status_code == 200


def test_each_level_may_do_what_it_may(service: Any) -> None:
    ids = service.summaries(1)
    finished = service.start(ids).json()["zipName"]
    service.world.clock.offset += 4
    for key, downloads, editing in ((READ, False, 403), (DOWNLOAD, True, 403), (EDIT, True, 404)):
        service.token = service.login(key)
        assert service.summaries(1) == ids
        content = service.get(f"/objects/{ids[0]}/content")
        link = service.get(f"/objects/{ids[0]}/content?presignUrl=true")
        fetched = service.get(f"/bulk/download/{finished}")
        link_to_zip = service.get(f"/bulk/download/status/{finished}?presignUrl=true")
        for reply in (content, link, fetched, link_to_zip, service.start(ids)):
            assert reply.is_success == downloads
            assert downloads or "download-only" in reply.json()["detail"]
        assert service.call("DELETE", "/bulk", content='["unknown"]').status_code == editing
        restored = service.call("POST", "/objects/unknown/restore")
        assert restored.status_code == editing
        if editing == 403:
            assert "edit" in restored.json()["detail"]


def test_a_key_without_storage_sees_no_region_and_nothing_else(service: Any) -> None:
    service.token = service.login(BARE)
    assert service.get("/regions").json() == []
    assert service.get("/objects").status_code == 403
