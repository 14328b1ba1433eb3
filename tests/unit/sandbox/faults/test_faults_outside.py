"""Faults and the log from outside: over HTTP, and on the command line."""

import json
import subprocess
import sys
import tomllib
from typing import Any
from urllib.parse import urlsplit

import pytest

from cloudstore_tui.cli.browser import SandboxProcess
from cloudstore_tui.sandbox.faults.plan import FaultPlan
from cloudstore_tui.sandbox.log import LoggedRequest, RequestLog, RequestTrace
from cloudstore_tui.sandbox.server import Ready, Sandbox


def test_rules_are_added_and_read_over_http(ready: Ready, ask: Any, link: str, faults: FaultPlan) -> None:
    url = f"{ready.base_url}/__sandbox__/faults"
    rules = json.dumps([{"fault": "reset-after", "after": 10, "times": 2}, "500 where=api"]).encode()
    assert ask(url, "POST", body=rules).status == 200
    ask(link)
    reply = ask(url).json
    assert [(rule["fault"], rule["matched"], rule["struck"]) for rule in reply["rules"]] == [
        ("reset-after", 1, 1),
        ("500", 0, 0),
    ]
    assert reply["rules"][0]["after"] == "10"
    assert reply["counts"] == {"reset-after": 1}
    assert ask(url, "DELETE").json == {"rules": [], "counts": {}}
    assert not faults.active


@pytest.mark.parametrize("body", [b"[5]", b"no json", b'"nonsense"', b'{"fault": "reset", "wher": "blob"}'])
def test_a_wrong_rule_from_outside_is_refused(ready: Ready, ask: Any, faults: FaultPlan, body: bytes) -> None:
    heard = ask(f"{ready.base_url}/__sandbox__/faults", "POST", body=body)
    assert heard.status == 400
    assert heard.json["error"]
    assert not faults.active


def test_what_steers_the_sandbox_never_goes_wrong(ready: Ready, ask: Any, faults: FaultPlan) -> None:
    faults.add("reset times=0")
    assert ask(f"{ready.base_url}/__sandbox__/faults").json["counts"] == {}


def entry(sandbox: Sandbox) -> LoggedRequest:
    (seen,) = sandbox.log.requests
    sandbox.log.clear()
    return seen


def test_the_log_forgets_what_was_begun_before_it_was_cleared() -> None:
    log = RequestLog()
    early, late = (RequestTrace(log, LoggedRequest(method, "", "", "", ())) for method in ("DELETE", "GET"))
    early.answered(0)
    log.clear()
    late.answered(0)
    assert log.requests == []
    RequestTrace(log, LoggedRequest("PUT", "", "", "", ())).answered(200)
    assert [seen.method for seen in log.requests] == ["PUT"]


def test_the_log_counts_bytes_and_shows_ranges_and_faults(
    link: str, ask: Any, faults: FaultPlan, sandbox: Sandbox, truth: bytes
) -> None:
    ask(link)
    seen = entry(sandbox)
    assert (seen.role, seen.status, seen.sent, seen.asked, seen.fault) == ("blob", 200, len(truth), (), "")
    faults.add("slow rate=1000000", "reset-after after=50")
    ask(link, headers={"Range": "bytes=100-199", "If-Match": "*"})
    seen = entry(sandbox)
    assert seen.asked == (("range", "bytes=100-199"), ("if-match", "*"))
    assert (seen.status, seen.sent, seen.fault) == (206, 50, "slow, reset-after")


def test_the_log_has_requests_that_got_no_answer(link: str, ask: Any, faults: FaultPlan, sandbox: Sandbox) -> None:
    sandbox.log.clear()
    faults.add("refuse", "no-length-cut after=30")
    ask(link)
    seen = entry(sandbox)
    assert (seen.status, seen.sent, seen.fault) == (0, 0, "refuse")
    ask(link)
    seen = entry(sandbox)
    assert (seen.status, seen.sent, seen.fault) == (200, 30, "no-length-cut")


def test_the_log_shows_whom_each_request_was_for(eight: Any, ask: Any, sandbox: Sandbox, alvaria: Any) -> None:
    record = eight.objects("type==summary", 1)[0]
    sandbox.log.clear()
    link = eight.link(f"/objects/{record['id']}/content")
    ask(link)
    alvaria.login()
    assert [seen.role for seen in sandbox.log.requests] == ["api", "blob", "token"]
    assert "authorization" not in sandbox.log.requests[1].headers


def test_the_command_line_takes_faults(ask: Any) -> None:
    with SandboxProcess(seed=1, objects=0, faults=("500 times=0 where=token", "slow rate=9")) as config:
        base = str(tomllib.loads(config.read_text())["profiles"]["acme"]["api_base"])
        assert ask(f"{base}/oauth/v2/token", "POST", body=b"x").status == 500
        rules = ask(f"{base}/__sandbox__/faults").json["rules"]
    assert [rule["fault"] for rule in rules] == ["500", "slow"]
    assert urlsplit(base).hostname == "127.0.0.1"


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [(["--list-faults"], 0, "reset-after after=50%"), (["--fault", "rest"], 2, "Did you mean reset?")],
)
def test_the_command_line_lists_faults_and_refuses_others(options: list[str], code: int, said: str) -> None:
    command = [sys.executable, "-m", "cloudstore_tui", "sandbox", *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == code
    assert said in ended.stdout + ended.stderr
