"""Who may come in: tokens, the api key, headers, scopes, parameters."""

from typing import Any

import pytest

from cloudstore_tui.sandbox.alvaria.access import NARROW_CLIENT_ID

FORM = {"grant_type": "client_credentials", "realm": "acme", "scope": "mediastorageapi.exports"}
HISTORICAL = "exports/reporting/enterprise-historical/"


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in FORM.items() if key != name}


def test_a_token_has_the_form_that_the_vendor_shows(api: Any) -> None:
    reply = api.ask_token(**FORM)
    assert reply.status == 200
    assert reply.json | {"access_token": ""} == {
        "access_token": "",
        "scope": "mediastorageapi.exports",
        "token_type": "Bearer",
        "expires_in": 3599,
    }


def test_the_realm_may_stand_in_the_query_alone(api: Any) -> None:
    assert api.ask_token(query="?realm=acme", **without("realm")).status == 200


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        (without("realm"), 400, "invalid_request"),
        (FORM | {"realm": "other"}, 401, "invalid_client"),
        (FORM | {"grant_type": "password"}, 400, "unsupported_grant_type"),
        (without("scope"), 400, "invalid_scope"),
        (FORM | {"scope": "mediastorageapi.exports mediastorageapi.nonsense"}, 400, "invalid_scope"),
        (FORM | {"scope": "exports"}, 400, "invalid_scope"),
        (FORM | {"secret": "wrong"}, 401, "invalid_client"),
    ],
)
def test_a_bad_token_request_is_refused(api: Any, form: dict[str, str], status: int, error: str) -> None:
    reply = api.ask_token(**form)
    assert (reply.status, reply.json["error"]) == (status, error)


def test_an_unknown_client_and_a_body_that_is_no_form_get_no_token(api: Any) -> None:
    assert api.ask_token(client="nobody", secret="x", **FORM).json["error"] == "invalid_client"
    url = f"{api.ready.base_url}/tokenservice/oauth2/access_token"
    reply = api.send("POST", url, {"Content-Type": "application/json"}, "{}")
    assert (reply.status, reply.json["error"]) == (400, "invalid_request")


def test_a_client_is_granted_only_the_scopes_it_may_have(api: Any) -> None:
    asked = "mediastorageapi.exports.reporting mediastorageapi.imports"
    reply = api.ask_token(client=NARROW_CLIENT_ID, **FORM | {"scope": asked})
    assert reply.json["scope"] == "mediastorageapi.exports.reporting"
    refused = api.ask_token(client=NARROW_CLIENT_ID, **FORM)
    assert (refused.status, refused.json["error"]) == (400, "invalid_scope")


@pytest.mark.parametrize("header", [None, "Bearer unknown", "Basic abc", "Bearer"])
def test_without_a_good_token_the_answer_is_401_and_nothing_else(api: Any, header: str | None) -> None:
    reply = api.list("exports/", headers={"Authorization": header})
    assert (reply.status, reply.body) == (401, b"")


def test_a_token_ends(api: Any) -> None:
    api.sandbox.world.clock.offset = 3598
    assert api.list("exports/").status == 200
    api.sandbox.world.clock.offset = 3600
    assert api.list("exports/").status == 401


def test_the_life_of_a_token_can_be_short(api: Any) -> None:
    api.sandbox.switches.set({"A-token-life": "5"})
    assert api.ask_token(**FORM).json["expires_in"] == 5


@pytest.mark.parametrize("key", [None, "wrong"])
@pytest.mark.parametrize(("switch", "status"), [("", 403), ("A-3=401", 401)])
def test_without_the_api_key_nobody_comes_in(api: Any, key: str | None, switch: str, status: int) -> None:
    reply = api.list("exports/", headers={"x-api-key": key}, switch=switch)
    assert (reply.status, reply.json) == (status, {"message": "Forbidden"})


@pytest.mark.parametrize(
    ("accept", "status"),
    [(None, 400), ("text/html", 400), ("*/*", 200), ("text/html, application/json;q=0.9", 200)],
)
def test_json_has_to_be_asked_for(api: Any, accept: str | None, status: int) -> None:
    assert api.list("exports/", headers={"Accept": accept}).status == status


@pytest.mark.parametrize(("switch", "status"), [("", 403), ("A-2=401", 401)])
def test_a_folder_outside_the_scopes_is_refused(api: Any, switch: str, status: int) -> None:
    api.login("exports.reporting.historical")
    assert api.list(HISTORICAL).status == 200
    reply = api.list("exports/reporting/outreach/", switch=switch)
    assert reply.status == status
    assert reply.body == b"" if status == 401 else "exports/reporting/outreach/" in reply.message


def test_parents_open_their_children_unless_the_switch_says_no(api: Any) -> None:
    api.login("exports.reporting")
    assert api.list(HISTORICAL).status == 200
    assert api.list(HISTORICAL, switch="A-4=no").status == 403
    # Intraday has no scope of its own: that of its parent is the one it needs.
    assert api.list("exports/reporting/intraday/", switch="A-4=no").status == 200


def test_an_unknown_organisation_is_not_found(api: Any) -> None:
    reply = api.list("exports/", org="other")
    assert (reply.status, reply.json["error"]["code"]) == (404, "404")


@pytest.mark.parametrize(("switch", "code"), [("", "404"), ("A-26=number", 404)])
def test_the_error_envelope_is_the_vendors(api: Any, switch: str, code: str | int) -> None:
    error = api.list("exports/nothing/", switch=switch).json["error"]
    assert (error["code"], error["message"]) == (code, "Not found")
    assert set(error["errors"][0]) == {"scope", "reason", "message"}


@pytest.mark.parametrize(
    ("version", "query"),
    [
        ("v3", {"keyType": "file"}),
        ("v3", {"key": "", "keyType": "file"}),
        ("v3", {"key": "/", "keyType": "file"}),
        ("v3", {"key": "/exports/", "keyType": "file"}),
        ("v3", {"key": "exports/"}),
        ("v3", {"key": "exports/", "keyType": "folder"}),
        ("v3", {"key": "exports/", "keyType": "signedDownloadUrl"}),
        ("v3", {"key": "exports/", "keyType": "file", "continuationToken": "x"}),
        ("v2", {"key": "exports/", "keyType": "file", "nextToken": "x"}),
        ("v2", {"key": "exports/", "objectKeysType": "file"}),
        ("v3", {"key": "exports/", "keyType": "file", "maxResults": "0"}),
        ("v3", {"key": "exports/", "keyType": "file", "maxResults": "-1"}),
        ("v3", {"key": "exports/", "keyType": "file", "maxResults": "many"}),
        ("v3", {"key": "exports/", "keyType": "file", "nextToken": "nonsense!"}),
        ("v2", {"key": "exports/", "keyType": "file", "continuationToken": "nonsense+/%="}),
        ("v2", {"key": "exports/", "keyType": "directory", "continuationToken": "nonsense"}),
    ],
)
def test_a_bad_parameter_is_refused(api: Any, version: str, query: dict[str, str]) -> None:
    reply = api.call(version=version, **query)
    assert (reply.status, reply.json["error"]["code"]) == (400, "400")


def test_other_methods_and_resources_are_refused_in_the_envelope(api: Any) -> None:
    reply = api.call(method="POST", key="exports/", keyType="file")
    assert (reply.status, reply.headers["Allow"]) == (405, "GET, DELETE")
    assert reply.json["error"]["code"] == "405"
    assert api.call("signedDownloadUrl", version="v2", key="exports/x").status == 404
    assert api.call("objects", key="exports/x").json["error"]["code"] == "404"


@pytest.mark.parametrize(("how", "wait"), [("429", None), ("429 with Retry-After", "1")])
def test_throttling_refuses_with_or_without_a_wait(api: Any, how: str, wait: str | None) -> None:
    reply = api.list("exports/", switch=f"A-25={how}")
    assert (reply.status, reply.headers["Retry-After"]) == (429, wait)
    assert reply.json["error"]["message"] == "Too many requests"


@pytest.mark.parametrize(("how", "wait"), [("without", None), ("with", "1")])
def test_throttling_can_let_every_second_request_in(api: Any, how: str, wait: str | None) -> None:
    replies = [api.list("exports/", switch=f"A-25={how}") for _ in range(4)]
    refused = [reply for reply in replies if reply.status == 429]
    assert [reply.status for reply in replies].count(200) == 2
    assert {reply.headers["Retry-After"] for reply in refused} == {wait}
