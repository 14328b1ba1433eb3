"""What a command could not read is an error of the command: told behind what was found, and in the exit code."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.cli import session
from cloudstore_tui.net.reply import Reply
from cloudstore_tui.sandbox.server import Ready, Sandbox
from tests.support.commands import Cloudstore
from tests.support.environment import own_environment
from tests.support.waiting import PATIENCE

RECORDINGS = ("find", "acme8:", "type:callcenterrecording", "on:2024-09-01")


@pytest.fixture
def no_uk(sandbox: Sandbox) -> None:
    """One of two regions refuses."""
    sandbox.faults.add("forbidden where=api path=/*/uk/* times=0")


@pytest.mark.usefixtures("no_uk")
def test_a_region_that_refuses_is_an_error_behind_the_objects_of_the_others(cloudstore: Cloudstore) -> None:
    done = cloudstore(*RECORDINGS, "--json")
    *found, error = done.records
    assert {record["region"] for record in found} == {"us-east"}
    assert (error["path"], error["code"]) == ("acme8:uk/", 3)
    assert done.code == 3
    assert "acme8:uk/" in done.err


@pytest.mark.usefixtures("no_uk")
@pytest.mark.parametrize(
    "options",
    [(), ("--format", "csv"), ("--columns", "id,name"), ("--limit", "5"), ("-o", "found.parquet"), ("-o", "found")],
)
def test_every_form_of_a_partial_result_ends_as_one(cloudstore: Cloudstore, options: tuple[str, ...]) -> None:
    done = cloudstore(*RECORDINGS, *options)
    assert done.code == 3
    assert "acme8:uk/" in done.err
    assert done.out or "-o" in options


def test_zip_jobs_without_a_name_are_an_error_behind_the_others(
    cloudstore: Cloudstore, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode = Reply.decode

    def nameless(self: Reply, type_: Any, *, subject: str) -> Any:
        told = decode(self, type_, subject=subject)
        named = {"zipName": "a.zip", "status": "DONE"}
        # Others that use this sandbox may have left jobs of their own.
        are_jobs = isinstance(told, list) and all("zipName" in row for row in told)
        return [named, {"status": "DONE"}] if are_jobs else told

    monkeypatch.setattr(Reply, "decode", nameless)
    done = cloudstore("zip", "list", "acme8:us-east", "--json")
    job, error = done.records
    assert (job["path"], error["code"], done.code) == ("acme8:us-east/a.zip", 4, 4)
    assert "1 record of the service cannot be read" in done.err


@pytest.mark.usefixtures("no_uk")
def test_a_count_and_a_call_tell_what_they_lack(cloudstore: Cloudstore) -> None:
    counted = cloudstore("find", "acme8:", "agent:~a", "--count", "--json")
    assert [set(record) for record in counted.records] == [{"count"}, {"error", "code", "retryable", "path"}]
    assert counted.code == 3
    by_service = cloudstore("find", "acme8:", "--count")
    assert (by_service.code, by_service.out) == (3, "")
    call = cloudstore("call", "show", "acme8:", "int-19122e2fc00-demo", "--json")
    assert call.code == 3
    assert call.records[-1]["path"] == "acme8:uk/"


def test_records_that_cannot_be_read_are_an_error_of_a_listing(cloudstore: Cloudstore, sandbox: Sandbox) -> None:
    rows = '[{"id":"x1","type":"summary"},null,7]'
    sandbox.faults.add(f"field where=api path=/*/objects* name=content value='{rows}' times=1")
    done = cloudstore("ls", "acme8:us-east/", "--json")
    assert (done.records[0]["id"], done.records[-1]["code"]) == ("x1", 4)
    assert done.code == 4
    assert "2 records of the service cannot be read" in done.err


@pytest.mark.parametrize(
    "arguments",
    [("find", "acme8:", "--json"), ("find", "acme8:", "--format", "csv"), ("ls", "acme8:us-east/", "--all"), ("keys",)],
)
@pytest.mark.parametrize("lines", [1, 120])
def test_a_reader_that_has_enough_is_no_failure(ready: Ready, arguments: tuple[str, ...], lines: int) -> None:
    environment = own_environment(CLOUDSTORE_CONFIG=str(ready.config))
    command = [sys.executable, "-m", "cloudstore_tui", *arguments]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        for _ in range(lines):
            running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == b""
    # What fits into the pipe may be written before its end is seen.
    assert running.returncode == 141 or (arguments == ("keys",) and running.returncode == 0)


@pytest.mark.parametrize(("name", "is_terminal"), [("WAIT_NOTICE_S", False), ("FIRST_WAIT_NOTICE_S", True)])
def test_a_command_that_waits_says_so_from_time_to_time(
    cloudstore: Cloudstore, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, name: str, *, is_terminal: bool
) -> None:
    monkeypatch.setattr(session, name, 0.05)
    monkeypatch.setattr("sys.stderr.isatty", lambda: is_terminal, raising=False)
    # One region holds up the rows of all.
    sandbox.faults.add("too-many retry-after=1 where=api path=/*/uk/* times=1")
    done = cloudstore("find", "acme8:", "--limit", "1", "--json")
    assert done.code == 0
    assert len(done.records) == 1
    assert "Still waiting 1 s for acme8:uk/: the service asks to" in done.err, done.err


def test_what_cannot_be_kept_is_told_where_something_failed(
    cloudstore: Cloudstore, sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "state").write_text("in the way")
    found = cloudstore("find", *RECORDINGS[1:], "--limit", "1", "--json").records[0]
    address = f"acme8:{found['region']}/{found['id']}"
    sandbox.faults.add("forbidden where=api path=*/content* times=0")
    done = cloudstore("get", address, "-q", XDG_STATE_HOME=str(tmp_path / "state"))
    assert (done.code, "so failed transfers start over" in done.err) == (3, True), done.err
    assert "start over" not in cloudstore("get", address).err


def test_files_that_the_service_tells_of_and_does_not_give_are_an_error(
    cloudstore: Cloudstore, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.faults.add("field where=api path=*/objectKeys* name=totalItems value='\"90\"' times=0")
    folder, told = "acme:exports/motivate/kpi/processed/", "the service reports 90 entries here, and gave 3"
    listed = cloudstore("ls", folder, "--json")
    assert ([record.get("code") for record in listed.records], listed.code) == ([None, None, None, 1], 1)
    assert told in listed.err
    pulled = cloudstore("pull", folder, "--to", str(tmp_path), "--json")
    assert (pulled.code, pulled.report["fetched"]) == (1, 3)
    assert [told in failure["error"] for failure in pulled.report["unlisted"]] == [True]


def test_empty_folders_that_the_service_calls_missing_are_no_loss(
    cloudstore: Cloudstore, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.switches.set({"A-7": "404"})
    pulled = cloudstore("pull", "acme:imports/configuration/", "--to", str(tmp_path), "--json")
    assert (pulled.code, pulled.report["unlisted"]) == (0, [])


def test_objects_of_another_size_than_the_service_says_are_told(
    cloudstore: Cloudstore, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.faults.add("field where=api path=*/signedDownloadUrl* name=size value='\"5370.0 KB\"' times=0")
    folder = "acme:exports/motivate/kpi/processed/"
    words = "the service says that it has about 5,498,880 bytes, and the store gave"
    first = f"acme:{cloudstore('ls', folder, '--json').records[0]['key']}"
    fetched = cloudstore("get", first, "--to", str(tmp_path))
    assert (fetched.code, words in fetched.err) == (0, True), fetched.err
    pulled = cloudstore("pull", folder, "--to", str(tmp_path / "all"))
    assert (pulled.code, words in pulled.err, "for 2 more" in pulled.err) == (0, True, True), pulled.err


def test_an_object_that_only_the_link_tells_of_is_not_replaced_unasked(
    cloudstore: Cloudstore, sandbox: Sandbox, tmp_path: Path
) -> None:
    address = "acme:imports/outreach/nanp/only-the-link.csv"
    (tmp_path / "only-the-link.csv").write_text("1,2")
    put = ("put", str(tmp_path / "only-the-link.csv"), "acme:imports/outreach/nanp/")
    # Nothing is listed by its key, as where a service lists folders only.
    sandbox.faults.add("field where=api path=*/signedUploadUrl* name=size value='\"3.5 KB\"' times=0")
    done = cloudstore(*put)
    assert (done.code, "the object exists already" in done.err) == (9, True), done.err
    assert not [seen for seen in sandbox.log.requests if seen.method == "PUT"]
    assert cloudstore(*put, "--on-conflict", "overwrite").code == 0
    assert cloudstore("rm", address, "--yes").code == 0


def test_a_new_version_that_cannot_be_noticed_is_reported(cloudstore: Cloudstore, tmp_path: Path) -> None:
    pull = ("pull", "acme:exports/aps-custom/", "--to", str(tmp_path))
    words = "1 object that is here has neither a time nor a checksum at the service"
    assert words not in cloudstore(*pull).err
    again = cloudstore(*pull)
    assert (again.code, words in again.err) == (0, True), again.err


def test_what_is_not_listed_by_its_key_is_not_said_to_be_gone(cloudstore: Cloudstore, sandbox: Sandbox) -> None:
    address = "acme:imports/outreach/nanp/number-plan.csv"
    sandbox.faults.add("field where=api path=*/objectKeys* name=objectKeys value='[]' times=0")
    done = cloudstore("rm", address, "--yes")
    assert (done.code, done.out) == (1, ""), done.out
    assert "gives a link to it" in done.err
    sandbox.faults.clear()
    assert cloudstore("stat", address).code == 0
    assert cloudstore("rm", f"{address}.old", "--yes").out.startswith("already gone")


@pytest.mark.parametrize("command", ["put", "get"])
def test_what_was_done_before_a_command_was_stopped_is_told(
    cloudstore: Cloudstore, sandbox: Sandbox, ready: Ready, tmp_path: Path, command: str
) -> None:
    folder, names = "acme:imports/outreach/nanp/", ("first.csv", "second.csv")
    for name in names:
        (tmp_path / name).write_text(name)
    if command == "get":
        assert cloudstore("put", *names, folder, "--on-conflict", "overwrite").code == 0
        words = ("get", *(f"{folder}{name}" for name in names), "--to", "to")
    else:
        words = ("put", *names, folder, "--on-conflict", "overwrite")
    sandbox.faults.add(f"stall method={command.upper()} path=*second.csv* where=blob seconds=60")
    environment = own_environment(CLOUDSTORE_CONFIG=str(ready.config))
    with subprocess.Popen(
        [sys.executable, "-m", "cloudstore_tui", *words],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        end = time.monotonic() + PATIENCE
        while "stall" not in sandbox.faults.counts or "first.csv" in cloudstore("transfers", "list").out:
            assert time.monotonic() < end
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out.count("done  "), "first.csv" in out) == (130, 1, True), err
    assert "1 transfer" in err
