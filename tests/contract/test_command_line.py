"""The command line against the sandbox, each command as its user would run it."""

import asyncio
import hashlib
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pexpect
import pytest

from cloudstore_tui.cli.session import MIN_OPEN_FILES
from cloudstore_tui.sandbox.server import Ready, Sandbox
from tests.support.commands import Cloudstore
from tests.support.environment import own_environment
from tests.support.waiting import PATIENCE, until

COMMAND = [sys.executable, "-m", "cloudstore_tui"]
FOLDER = "acme:exports/reporting/outreach/"


@pytest.fixture
def environment(ready: Ready) -> dict[str, str]:
    return own_environment(CLOUDSTORE_CONFIG=str(ready.config))


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Cloudstore:
    """Runs `cloudstore` in an empty folder with a fresh HOME and no terminal."""
    return Cloudstore(capfd, environment, tmp_path)


@pytest.fixture
def a_recording(run: Cloudstore) -> dict[str, Any]:
    """A recording with a plain MD5."""
    found = run("find", "acme8:us-east", "--type", "callcenterrecording", "--limit", "20", "--json").records
    return next(record for record in found if "-" not in record["checksum"])


def address(record: dict[str, Any]) -> str:
    if "key" in record:
        return f"{record['profile']}:{record['key']}"
    return f"{record['profile']}:{record['region']}/{record['id']}"


def test_ls_lists_folders_files_regions_and_objects(run: Cloudstore) -> None:
    assert run("ls", "acme:").out.split() == ["exports/", "imports/"]
    files = run("ls", FOLDER, "--json").records
    assert len(files) == 28
    assert files[0]["size_exact"] is False
    assert files[0]["modified"].endswith("+00:00")
    assert [record["region"] for record in run("ls", "acme8:", "--json").records] == ["us-east", "uk"]
    newest = run("ls", "acme8:us-east/")
    assert len(newest.out.splitlines()) == 100
    assert "--all" in newest.err


def test_ls_goes_down_with_r_and_stops_at_the_limit(run: Cloudstore) -> None:
    below = run("ls", "acme:exports/motivate/", "-R", "--json").records
    assert "exports/motivate/kpi/processed/" in [record["key"] for record in below]
    assert any(record["type"] == "file" for record in below)
    assert len(run("ls", "acme8:us-east/", "--limit", "7", "--json").records) == 7


def test_json_records_have_the_fields_of_the_contract_and_nothing_unknown(
    run: Cloudstore, a_recording: dict[str, Any]
) -> None:
    known = {
        *("profile", "provider", "region", "id", "key", "name", "type", "mime", "size", "size_exact", "modified"),
        *("created", "updated", "state", "checksum", "checksum_type", "bucket_id", "tags"),
    }
    assert set(a_recording) <= known
    assert a_recording["provider"] == "8x8"
    assert isinstance(a_recording["tags"], dict)
    assert all(isinstance(value, str) for value in a_recording["tags"].values())
    assert "modified" not in a_recording
    detail = run("stat", address(a_recording), "--json").records[0]
    assert detail["tag_list"][0].keys() == {"key", "value"}


def test_find_joins_its_options_by_and(run: Cloudstore) -> None:
    day = ("--since", "2024-09-01", "--until", "2024-09-02")
    assert run("find", "acme8:us-east", "--type", "callcenterrecording", *day, "--count").out.strip() == "245"
    both = run(
        "find", "acme8:us-east", "--fiql", "type==summary,type==callcenterrecording", "--type", "summary", "--json"
    )
    assert {record["type"] for record in both.records} == {"summary"}
    assert run("find", "acme8", "--count", "--json").records[0].keys() == {"count"}


def test_find_sorts_on_the_server_and_keeps_all_regions_in_order(run: Cloudstore) -> None:
    sizes = [
        record["size"]
        for record in run(
            "find", "acme8", "--type", "callcenterrecording", "--sort", "size", "--desc", "--json"
        ).records
    ]
    assert len(sizes) > 245
    assert sizes == sorted(sizes, reverse=True)


def test_get_brings_exactly_the_bytes_and_says_how_they_were_verified(
    run: Cloudstore, a_recording: dict[str, Any], tmp_path: Path
) -> None:
    got = run("get", address(a_recording), "--to", "calls", "--json")
    assert got.code == 0
    (record,) = got.records
    data = (tmp_path / record["file"]).read_bytes()
    assert len(data) == a_recording["size"]
    assert hashlib.md5(data).hexdigest() == a_recording["checksum"]
    assert record["level"] == "md5"
    assert [path.name for path in (tmp_path / "calls").iterdir()] == [Path(record["file"]).name]
    assert (tmp_path / record["file"]).stat().st_mode & 0o077 == 0


def test_get_of_what_is_there_already_is_done_and_of_something_else_is_a_conflict(
    run: Cloudstore, tmp_path: Path
) -> None:
    path = address(run("ls", FOLDER, "--json").records[0])
    assert run("get", path).code == 0
    assert run("get", path).code == 0
    (file,) = tmp_path.glob("*.tar")
    file.write_bytes(b"mine")
    refused = run("get", path, "--json")
    assert refused.code == 9
    assert refused.records[0]["code"] == 9
    assert refused.records[0]["path"] == path
    assert file.read_bytes() == b"mine"
    assert run("get", path, "--on-conflict", "skip").code == 0
    assert file.read_bytes() == b"mine"
    assert run("get", path, "--on-conflict", "keep-both").code == 0
    assert len(list(tmp_path.glob("*.tar"))) == 2
    assert run("get", path, "--on-conflict", "overwrite").code == 0
    assert file.read_bytes() != b"mine"


def test_get_to_stdout_writes_the_bytes_and_a_closed_pipe_ends_quietly(
    environment: dict[str, str], run: Cloudstore, a_recording: dict[str, Any]
) -> None:
    command = [*COMMAND, "get", address(a_recording), "--to", "-"]
    piped = subprocess.run(command, env=environment, capture_output=True, timeout=60, check=True)
    assert hashlib.md5(piped.stdout).hexdigest() == a_recording["checksum"]
    reader = subprocess.Popen([*COMMAND, "ls", "acme:exports/cxp/", "-R"], env=environment, stdout=subprocess.PIPE)
    assert reader.stdout is not None
    reader.stdout.readline()
    reader.stdout.close()
    assert reader.wait(60) == 141


def test_bytes_for_a_closed_stdout_are_an_error(environment: dict[str, str], a_recording: dict[str, Any]) -> None:
    command = shlex.join([*COMMAND, "get", address(a_recording), "--to", "-"])
    done = subprocess.run(
        ["/bin/sh", "-c", f"{command} >&-"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "stdout, which is closed" in done.stderr


def test_a_limit_of_open_files_that_is_too_low_is_refused_before_anything_is_sent(
    environment: dict[str, str], a_recording: dict[str, Any], tmp_path: Path
) -> None:
    def get(limit: int) -> subprocess.CompletedProcess[str]:
        command = shlex.join([*COMMAND, "get", address(a_recording), "--to", str(tmp_path / "calls")])
        shell = ["/bin/sh", "-c", f"ulimit -n {limit} && {command}"]
        return subprocess.run(shell, env=environment, capture_output=True, text=True, timeout=60, check=False)

    refused = get(MIN_OPEN_FILES - 1)
    assert refused.returncode == 5
    assert refused.stderr == "Only 63 files may be open at once, and 64 are needed. Raise the limit: ulimit -n 256\n"
    assert get(MIN_OPEN_FILES).returncode == 0


def test_two_objects_of_one_name_get_two_files_in_one_command(run: Cloudstore, tmp_path: Path) -> None:
    found = run("find", "acme8:us-east", "--json").records
    names = [record["name"] for record in found]
    twice = next(name for name in names if names.count(name) > 1)
    pair = [address(record) for record in found if record["name"] == twice and record["state"] == "AVAILABLE"][:2]
    got = run("get", *pair, "--to", "pair", "--json")
    assert got.code == 0, got.err
    files = [record["file"] for record in got.records]
    assert len(set(files)) == 2
    assert sum("~" in name for name in files) == 1


def test_put_url_and_rm_on_a_writable_profile(run: Cloudstore, tmp_path: Path) -> None:
    (tmp_path / "plan #1.csv").write_text("a,b\n1,2\n")
    where = "acme:imports/outreach/nanp/"
    assert run("put", "plan #1.csv", where).code == 0
    assert run("get", f"{where}plan #1.csv", "--to", "-").out == "a,b\n1,2\n"
    assert run("put", "plan #1.csv", where).code == 9
    assert run("put", "plan #1.csv", where, "--on-conflict", "overwrite").code == 0
    link = run("url", f"{where}plan #1.csv", "--json").records[0]
    assert link.keys() == {"url", "expires", "form"}
    assert run("url", f"{where}plan #1.csv", "--native", "--json").records[0]["form"] == "native"
    assert "curl --fail" in run("url", f"{where}plan #1.csv", "--curl").out
    refused = run("rm", f"{where}plan #1.csv")
    assert (refused.code, "--yes" in refused.err) == (2, True)
    assert run("rm", f"{where}plan #1.csv", "--yes", "--json").records[0]["result"] == "deleted"
    assert run("stat", f"{where}plan #1.csv").code == 8


def test_put_outside_imports_needs_yes_and_a_folder_needs_its_slash(run: Cloudstore, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a")
    assert run("put", "a.csv", "acme:exports/aps-custom/").code == 2
    assert run("put", "a.csv", "acme:imports/outreach/nanp").code == 2
    assert run("put", "missing.csv", "acme:imports/outreach/nanp/").code == 2


def test_rm_of_an_8x8_object_is_seen_afterwards(run: Cloudstore) -> None:
    path = address(run("find", "acme8:uk", "--limit", "1", "--json").records[0])
    assert run("rm", path, "--yes").code == 0
    assert run("stat", path, "--json").records[0]["state"] == "REVOKED"
    got = run("get", path)
    assert got.code == 8
    assert "REVOKED" in got.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("ls", "nowhere:x/"), 2, "no profile called nowhere"),
        (("ls", "exports/reporting/"), 2, "PROFILE:REST"),
        (("ls", "nobody"), 2, "no profile called nobody"),
        (("ls", "acme:exports/nope/"), 8, "cloudstore ls"),
        (("ls", "acme8:mars/"), 8, "us-east"),
        (("stat", "acme:exports/none.tar"), 8, "not found"),
        (("get", "acme8:us-east/"), 2, "cloudstore pull acme8:us-east/"),
        (("find", "acme", "--count"), 2, "no search"),
        (("find", "acme8:us-east", "--fiql", "a=="), 2, "^"),
        (("find", "acme8:us-east", "--fiql", "createdTime=ge=2024-09-01"), 2, "createdTime=ge=1725148800000"),
        (("find", "acme8", "--since", "2024-13-01"), 2, "2024-09-01"),
        (("find", "acme8", "--limit", "0"), 2, "1<=x"),
        (("find", "acme8", "--sort", "storedBytes"), 2, "Write size."),
        (("find", "acme8", "--sort", "checksum"), 2, "created, updated, type, name, duration, size, state"),
        (("ls", "acme:", "--timeout", "soon"), 2, "90s"),
        (("rm", "acme:imports/outreach/", "--yes"), 2, "folder"),
        (("fiql", "check", "a=in=x"), 2, "a=in=(x)"),
        (("nonsense",), 2, "no such command"),
        (("fnd", "acme8"), 2, "Did you mean 'find'?"),
        (("acme9",), 2, "'acme8'"),
        (("profile", "show", "nobody"), 2, "acme8"),
        (("ls", "acme:", "-o", "."), 9, ".: is a folder. Name a file in it."),
        (("preview", "/"), 2, "/: is a folder. Name a file in it."),
        (("reconcile", ".", "--calls", "none.csv"), 5, "none.csv: the list of calls cannot be read: no such file"),
    ],
)
def test_what_is_wrong_gets_a_sentence_with_the_cure_and_its_code(
    run: Cloudstore, arguments: tuple[str, ...], code: int, words: str
) -> None:
    result = run(*arguments)
    assert result.code == code, result.err
    assert words in result.err
    assert result.out == ""
    if "--fiql" not in arguments and arguments[0] not in ("fiql", "nonsense", "fnd", "acme9") and "-o" not in arguments:
        as_json = run(*arguments, "--json")
        assert as_json.records[-1]["code"] == code
        assert as_json.records[-1].keys() == {"error", "code", "retryable", "path"}


def test_an_option_of_every_command_that_lacks_its_value_is_named(run: Cloudstore) -> None:
    assert "'--config' requires an argument" in run("ls", "--config").err


@pytest.mark.parametrize(
    ("option", "text", "note"),
    [
        ("--sort", "agentNme", "Note: unknown field or tag agentNme. Did you mean agentName?\n"),
        ("--columns", "id,agentNme", "Note: unknown field or tag agentNme. Did you mean agentName?\n"),
        ("--columns", "id,ourTicketNumber", "Note: none of these objects has ourTicketNumber.\n"),
        ("--sort", "ourTicketNumber", "Note: none of these objects has ourTicketNumber.\n"),
        ("--columns", "id,agentName,tenantId", ""),
    ],
)
def test_a_field_that_is_mistyped_or_that_no_object_has_is_told(
    run: Cloudstore, option: str, text: str, note: str
) -> None:
    done = run("find", "acme8:us-east", "--limit", "1", option, text)
    assert (done.code, done.err) == (0, note)


def test_an_empty_list_is_said_to_be_empty(run: Cloudstore) -> None:
    assert run("zip", "list", "acme8:uk").err == "No zip jobs.\n"
    assert run("transfers", "log").err == "No waits, pauses or failures lately.\n"


def test_wrong_credentials_are_named_without_showing_them(run: Cloudstore) -> None:
    wrong = run("ls", "acme:exports/", CLOUDSTORE_ACME_SECRET="canary-secret")
    assert wrong.code == 3
    assert "client secret" in wrong.err
    wrong_key = run("ls", "acme:exports/", CLOUDSTORE_ACME_API_KEY="canary-key")
    assert wrong_key.code == 3
    assert "api key" in wrong_key.err
    assert run("ls", "acme8:us-east/", CLOUDSTORE_ACME8_SECRET="canary-secret").code == 3
    assert "canary" not in wrong.err + wrong_key.err


def test_a_read_only_profile_refuses_to_change_anything(run: Cloudstore, ready: Ready, tmp_path: Path) -> None:
    text = ready.config.read_text().replace("read_only = false", "read_only = true")
    text = text.replace('"acme', f'"{ready.config.parent}/acme').replace(f'org = "{ready.config.parent}/', 'org = "')
    text = text.replace(f'client_id = "{ready.config.parent}/', 'client_id = "')
    config = tmp_path / "config.toml"
    config.write_text(text)
    (tmp_path / "a.csv").write_text("a")
    for arguments in (("put", "a.csv", "acme:imports/outreach/nanp/"), ("rm", "acme8:us-east/x", "--yes")):
        refused = run(*arguments, CLOUDSTORE_CONFIG=str(config))
        assert refused.code == 3
        assert "read_only = false" in refused.err


def test_a_remote_name_cannot_command_a_terminal(environment: dict[str, str], tmp_path: Path) -> None:
    shown, _code = pexpect.run(
        f"{sys.executable} -m cloudstore_tui ls acme:exports/aps-custom/ -R",
        env=environment | {"TERM": "xterm"},
        cwd=str(tmp_path),
        timeout=60,
        withexitstatus=True,
    )
    assert b".csv" in shown
    text = shown.decode()
    assert not [character for character in text if not character.isprintable() and character not in "\r\n"]


def test_a_stopped_command_ends_with_the_code_of_the_signal(environment: dict[str, str], sandbox: Sandbox) -> None:
    sandbox.switches.set({"A-25": "429"})
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        sandbox.log.clear()
        running = subprocess.Popen([*COMMAND, "ls", "acme:exports/"], env=environment, stderr=subprocess.PIPE)
        asyncio.run(until(lambda: sandbox.log.requests))
        running.send_signal(number)
        _out, err = running.communicate(timeout=PATIENCE)
        assert running.returncode == code
        assert b"Traceback" not in err


def test_without_a_terminal_the_browser_says_so_in_a_few_lines(run: Cloudstore) -> None:
    for arguments in ((), ("acme:exports/",), ("demo",)):
        refused = run(*arguments)
        assert refused.code == 2
        assert 1 <= len(refused.err.splitlines()) <= 6
        assert refused.out == ""


def test_profile_shows_where_secrets_come_from_and_tests_a_login(run: Cloudstore, ready: Ready) -> None:
    assert [record["profile"] for record in run("profile", "list", "--json").records] == ["acme", "acme-v2", "acme8"]
    shown = run("profile", "show", "acme").out
    assert "acme.secret" in shown
    assert (ready.config.parent / "acme.secret").read_text().strip() not in shown
    assert run("profile", "test", "acme8").code == 0
    assert run("profile", "test", "acme", CLOUDSTORE_ACME_SECRET="wrong").code == 3


@pytest.mark.parametrize(
    "command", ["ls", "find", "stat", "get", "put", "rm", "url", "demo", "sandbox", "keys", "themes"]
)
def test_every_command_explains_itself_with_an_example(run: Cloudstore, command: str) -> None:
    shown = run(command, "--help").out
    assert "Example" in shown
    assert f"cloudstore {command}" in shown
    assert max(len(line) for line in shown.splitlines()) <= 100


def test_the_references_are_printed_for_people_and_for_programs(run: Cloudstore) -> None:
    lines = run("keys").out.splitlines()
    assert any(line.split()[:2] == ["app.quit", "q,"] for line in lines)
    assert {"id", "keys", "title", "text"} <= set(run("keys", "--json").records[0])
    assert any("cloudstore-dark" in line for line in run("themes").out.splitlines())
