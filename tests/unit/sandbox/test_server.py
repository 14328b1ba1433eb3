"""Starting and stopping a sandbox, its configuration, and what steers it from outside."""

import http.client
import json
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from cloudstore_tui.cli.commands.browser import sandbox_command
from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.sandbox import DATA_NOW
from cloudstore_tui.sandbox.alvaria.data import KeySpan
from cloudstore_tui.sandbox.server import Ready, Sandbox, SandboxOptions


def ask(
    url: str, method: str = "GET", body: str | None = None, headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    try:
        connection.request(method, parts.path, body, headers or {})
        reply = connection.getresponse()
        text = reply.read()
        return reply.status, json.loads(text) if text[:1] in (b"{", b"[") else text
    finally:
        connection.close()


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Any:
    sandbox = Sandbox(SandboxOptions(data=tmp_path_factory.mktemp("server")))
    yield sandbox, sandbox.start()
    sandbox.stop()


@pytest.fixture
def ready(started: tuple[Sandbox, Ready]) -> Any:
    yield started[1]
    started[0].switches.reset()
    started[0].world.clock.offset = 0.0


def test_stopping_leaves_nothing_behind() -> None:
    before = set(threading.enumerate())
    sandbox = Sandbox(SandboxOptions())
    ready = sandbox.start()
    folder = ready.config.parent
    idle = socket.create_connection((urlsplit(ready.base_url).hostname, urlsplit(ready.base_url).port), 5)
    assert ask(ready.base_url + "/__sandbox__/log")[0] == 200
    assert folder.is_dir()
    sandbox.stop()
    idle.close()
    assert not folder.exists()
    assert set(threading.enumerate()) <= before
    for url in (ready.base_url, ready.blob_url):
        with pytest.raises(ConnectionRefusedError):
            ask(url)


def test_a_folder_of_the_user_is_kept_with_all_that_was_stored_in_it(tmp_path: Path) -> None:
    options = SandboxOptions(data=tmp_path / "new" / "data")
    with Sandbox(options) as ready:
        config = ready.config
        sandbox_files = sorted(path.name for path in config.parent.iterdir())
    assert {"config.toml", "acme.secret", "acme.api_key", "acme8.secret"} <= set(sandbox_files)
    first = (config.parent / "acme.secret").read_text()
    sandbox = Sandbox(options)
    sandbox.start()
    try:
        assert sandbox.alvaria is not None
        sandbox.alvaria.store.delete("imports/outreach/nanp/number-plan.csv")
    finally:
        sandbox.stop()
    again = Sandbox(options)
    again.start()
    try:
        assert again.alvaria is not None
        assert again.alvaria.store.file("imports/outreach/nanp/number-plan.csv") is None
        assert again.alvaria.store.file("imports/outreach/exclusions/do-not-call.csv") is not None
    finally:
        again.stop()
    assert (config.parent / "acme.secret").read_text() == first


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", "example.com", "", "::"])
def test_no_other_machine_can_be_served(host: str) -> None:
    with pytest.raises(UsageError) as caught:
        Sandbox(SandboxOptions(host=host))
    assert "this machine only" in str(caught.value)


def test_a_port_that_is_taken_is_a_usage_error_and_leaves_nothing(started: tuple[Sandbox, Ready]) -> None:
    before = set(threading.enumerate())
    port = urlsplit(started[1].base_url).port
    assert port is not None
    with pytest.raises(UsageError) as caught:
        Sandbox(SandboxOptions(port=port)).start()
    assert str(port) in caught.value.subject
    assert set(threading.enumerate()) <= before


def test_a_port_can_be_chosen_and_taken_again_at_once() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for _ in range(2):
        with Sandbox(SandboxOptions(port=port)) as ready:
            assert ready.base_url == f"http://127.0.0.1:{port}"
            assert ask(ready.base_url + "/__sandbox__/log")[0] == 200


def test_a_switch_that_is_not_there_stops_the_start() -> None:
    with pytest.raises(UsageError):
        Sandbox(SandboxOptions(switches={"A-99": "x"}))


def test_the_configuration_names_every_profile_and_its_secrets_are_private(ready: Ready) -> None:
    profiles = tomllib.loads(ready.config.read_text())["profiles"]
    shown = {name: (profile["provider"], profile.get("api_version")) for name, profile in profiles.items()}
    assert shown == {"acme": ("alvaria", "v3"), "acme-v2": ("alvaria", "v2"), "acme8": ("8x8", None)}
    for name, profile in profiles.items():
        assert profile["read_only"] is False
        assert profile["api_base"] == ready.base_url
        for field in ("secret_file", "api_key_file")[: 2 if name != "acme8" else 1]:
            path = ready.config.parent / profile[field]
            assert path.stat().st_mode & 0o777 == 0o600
            assert path.read_text().strip() not in ready.config.read_text()


def test_switches_can_be_turned_from_outside(ready: Ready) -> None:
    url = f"{ready.base_url}/__sandbox__/switches"
    status, answers = ask(url, "POST", '{"A-14": "wrapped"}')
    assert (status, answers["A-14"], answers["A-15"]) == (200, "wrapped", "KB")
    assert ask(url, "POST", '{"A-15": "kb"}')[1]["A-14"] == "wrapped"
    assert ask(url, "DELETE")[1]["A-14"] == "bare"


@pytest.mark.parametrize("body", ['{"A-14": "warped"}', '{"A-98": "x"}', "[]", "no json"])
def test_a_wrong_switch_from_outside_is_refused(ready: Ready, body: str) -> None:
    status, answer = ask(f"{ready.base_url}/__sandbox__/switches", "POST", body)
    assert status == 400
    assert answer["error"]


def test_a_wrong_switch_of_a_request_is_refused(ready: Ready) -> None:
    url = f"{ready.base_url}/tokenservice/oauth2/access_token"
    basic = "Basic YTpi"
    headers = {"Authorization": basic, "X-Sandbox-Switch": "A-token-lif=5"}
    assert ask(url, "POST", "", headers)[0] == 400


def test_the_log_names_headers_and_never_their_values(ready: Ready) -> None:
    log = f"{ready.base_url}/__sandbox__/log"
    assert ask(log, "DELETE") == (200, [])
    path = "/via/v3/organizations/acme/mediaStorage/data/objectKeys"
    ask(ready.base_url + path, headers={"Authorization": "Bearer s3cret-value"})
    ask(f"{ready.blob_url}/s3/x")
    status, (first, second) = ask(log)
    assert status == 200
    assert (first["method"], first["path"], first["status"]) == ("GET", path, 401)
    assert "authorization" in first["headers"]
    assert second["host"] == urlsplit(ready.blob_url).netloc
    assert "s3cret-value" not in json.dumps([first, second])


def test_the_clock_can_be_moved(ready: Ready, started: tuple[Sandbox, Ready]) -> None:
    url = f"{ready.base_url}/__sandbox__/clock"
    now = ask(url)[1]["now"]
    assert 3600 <= ask(url, "POST", '{"offset": 3600}')[1]["now"] - now < 3660
    assert ask(url, "DELETE")[1]["now"] - now < 60
    assert ask(url, "POST", '{"offset": "late"}')[0] == 400


def test_the_package_itself_imports_no_server() -> None:
    code = "import sys, cloudstore_tui.sandbox; sys.exit('starlette' in sys.modules or 'uvicorn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


def test_an_answer_on_a_kept_connection_is_not_held_back(ready: Ready) -> None:
    connection = http.client.HTTPConnection(urlsplit(ready.blob_url).netloc, timeout=20)
    times = []
    for _ in range(10):
        begun = time.perf_counter()
        connection.request("GET", "/s3/x")
        connection.getresponse().read()
        times.append(time.perf_counter() - begun)
    connection.close()
    assert min(times[1:]) < 0.02


@pytest.mark.parametrize("now", [datetime(2028, 2, 29, 23, 30, tzinfo=UTC), datetime(2027, 3, 28, 2, 30, tzinfo=UTC)])
def test_the_data_counts_back_from_the_moment_it_is_given(tmp_path: Path, now: datetime) -> None:
    """And is made anew in a folder that holds that of another moment."""
    for moment in (DATA_NOW, now):
        sandbox = Sandbox(SandboxOptions(data=tmp_path, now=moment))
        with sandbox:
            assert sandbox.alvaria is not None
            span = KeySpan("exports/reporting/enterprise-historical/")
            newest = sandbox.alvaria.store.page(span, "", 100)[-1].key
        assert newest.endswith(f"enterprise-historical-{moment - timedelta(days=1):%Y%m%d}.tar")


def test_a_default_sandbox_holds_the_same_on_every_day(tmp_path: Path) -> None:
    with Sandbox(SandboxOptions(data=tmp_path)):
        pass
    database = sqlite3.connect(tmp_path / "alvaria" / "alvaria.sqlite")
    newest = datetime.fromtimestamp(database.execute("SELECT max(modified) FROM entry").fetchone()[0], UTC)
    database.close()
    assert newest.date() == DATA_NOW.date()


@pytest.mark.parametrize("text", ["soon", "2024-13-01", ""])
def test_a_moment_that_is_none_is_refused(text: str) -> None:
    done = CliRunner().invoke(sandbox_command, ["--now", text])
    assert isinstance(done.exception, UsageError)
    assert "not a date and time" in str(done.exception)
