"""`pull` and `verify` against the sandbox, as their users run them."""

import contextlib
import csv
import fcntl
import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.fs.disk import Disk
from cloudstore_tui.sandbox.server import Ready, Sandbox
from tests.support.commands import Cloudstore
from tests.support.environment import own_environment
from tests.support.waiting import PATIENCE

COMMAND = [sys.executable, "-m", "cloudstore_tui"]
NAMES = "{start:%Y/%m/%d}/{agentName}-{callerId}-{callId}"
RECORDINGS = ("pull", "acme8", "--type", "callcenterrecording", "--to", "calls", "--name", NAMES)
FEW = ("pull", "acme8:uk", "--type", "transcription", "--to", "calls", "--via", "content")


@pytest.fixture
def environment(ready: Ready, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    quick = ready.config.with_name("quick.toml")
    quick.write_text(f"[settings]\nzip_poll_seconds = [1]\n{ready.config.read_text()}")
    quick.chmod(0o600)
    home = tmp_path_factory.mktemp("home-of-commands")
    return own_environment(home, CLOUDSTORE_CONFIG=str(quick))


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Cloudstore:
    """Runs `cloudstore` in an empty folder with a fresh HOME and no terminal."""
    return Cloudstore(capfd, environment, tmp_path)


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """The folder that is pulled into."""
    return tmp_path / "calls"


def manifest(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def files(folder: Path) -> set[str]:
    """What is in it, without what is told of its runs."""
    there = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if not file.is_dir()}
    return there - {"events.jsonl", "last-pull.json"}


def fetches(sandbox: Sandbox) -> list[str]:
    """What was fetched: links, contents and zips."""
    return [seen.path for seen in sandbox.log.requests if seen.method == "GET" and _is_of_bytes(seen.path)]


def _is_of_bytes(path: str) -> bool:
    return "/content" in path or path.endswith(".zip") or "amazonaws" in path


def check_files(folder: Path) -> None:
    """Every line of the manifest is right about its file, and there are no others."""
    lines = manifest(folder)
    for line in lines:
        body = (folder / line["path"]).read_bytes()
        assert (line["size"], line["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())
        if line.get("checksum", "-").isalnum():
            assert hashlib.md5(body, usedforsecurity=False).hexdigest() == line["checksum"]
    assert files(folder) == {line["path"] for line in lines} | {"manifest.jsonl"}


def test_two_regions_are_pulled_by_zip_and_a_second_run_fetches_nothing(
    run: Cloudstore, calls: Path, sandbox: Sandbox
) -> None:
    sandbox.switches.set({"zip-seconds": "0.2"})
    found = int(run("find", "acme8", "--type", "callcenterrecording", "--count").out)
    first = run(*RECORDINGS, "--via", "zip", "--json")
    assert first.code == 0, first.err
    report = first.report
    assert (report["event"], report["complete"], report["missing"]) == ("report", True, 0)
    assert (report["found"], report["fetched"], report["had"]) == (found, found, 0)
    assert sum(report["levels"].values()) == found
    assert any(path.endswith(".zip") for path in fetches(sandbox))
    lines = manifest(calls)
    assert len(lines) == found
    assert {line["region"] for line in lines} == {"us-east", "uk"}
    assert all(line["tags"] and line["created"] and line["fetched"] and line["level"] for line in lines)
    check_files(calls)
    before = (calls / "manifest.jsonl").read_bytes()
    sandbox.log.clear()
    second = run(*RECORDINGS, "--via", "zip", "--json")
    assert second.code == 0
    assert (second.report["had"], second.report["fetched"]) == (found, 0)
    assert fetches(sandbox) == []
    assert (calls / "manifest.jsonl").read_bytes() == before


def test_a_region_that_is_not_named_any_more_is_no_whole_pull(run: Cloudstore, calls: Path, ready: Ready) -> None:
    few = ("acme8", "--type", "callrecording", "--to", "calls", "--via", "content")
    assert run("pull", *few).code == 0
    assert {line["region"] for line in manifest(calls)} == {"us-east", "uk"}
    narrow = ready.config.with_name("narrow.toml")
    text = ready.config.read_text()
    narrow.write_text(text.replace('provider = "8x8"', 'provider = "8x8"\nregions = ["us-east"]'))
    narrow.chmod(0o600)
    for words in (few, (*few, "--dry-run")):
        done = run("pull", *words, CLOUDSTORE_CONFIG=str(narrow))
        assert done.code == 8
        assert "acme8:uk/: it is not among the regions now, and objects of it are here" in done.err
    assert run("pull", "acme8:us-east", *few[1:], CLOUDSTORE_CONFIG=str(narrow)).code == 0


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(run: Cloudstore, calls: Path, sandbox: Sandbox) -> None:
    sandbox.log.clear()
    done = run(*RECORDINGS, "--dry-run", "--json")
    assert done.code == 0
    plan = done.report
    assert plan["event"] == "plan"
    assert plan["wanted"] == plan["found"] > 100
    assert plan["zip_jobs"] + plan["direct"] > 0
    assert all(plan[name] > 0 for name in ("size", "windows", "requests", "seconds"))
    assert len(plan["paths"]) == 5
    assert plan["paths"][0].count("/") == 3
    assert not calls.exists()
    assert fetches(sandbox) == []
    assert not [seen for seen in sandbox.log.requests if "bulk" in seen.path]
    text = run(*RECORDINGS, "--dry-run").out
    assert plan["paths"][0] in text
    assert " objects in 6 windows; 0 of them here already." in text
    single = run(*RECORDINGS, "--dry-run", "--json", "--via", "content").report
    assert (single["zip_jobs"], single["direct"]) == (0, plan["found"])


def test_objects_with_one_name_and_with_colons_are_all_there(run: Cloudstore, calls: Path, sandbox: Sandbox) -> None:
    sandbox.switches.set({"zip-seconds": "0.2"})
    query = (*("pull", "acme8:us-east", "--to", "calls", "--fiql", "type=in=(transcription,sentimentScore)"),)
    done = run(*query, "--via", "zip", "--sidecar", "--manifest", "csv", "--json")
    assert done.code == 0, done.err
    lines = manifest(calls)
    assert len({line["path"] for line in lines}) == len(lines) == done.report["found"]
    shared = [line for line in lines if f"~{line['id'][:8]}" in line["path"]]
    assert shared
    assert all(":" not in line["path"] for line in lines)
    with (calls / "manifest.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    assert {row["path"] for row in rows} == {line["path"] for line in lines}
    for line in lines:
        beside = json.loads((calls / line["sidecar"]).read_text())
        assert (beside["id"], beside["name"]) == (line["id"], line["name"])
    again = run(*query, "--via", "content", "--sidecar", "--manifest", "csv", "--json")
    assert (again.code, again.report["fetched"]) == (0, 0)
    assert run("verify", "calls").code == 0


def test_hostile_names_stay_inside_the_folder(run: Cloudstore, calls: Path, tmp_path: Path) -> None:
    done = run(
        "pull", "acme8:us-east", "--type", "agentnotes", "--to", "calls", "--name", "{agentName}/{name}", "--json"
    )
    assert done.code == 0, done.err
    assert done.report["found"] >= 10
    check_files(calls)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["calls"]


def test_verify_fails_after_one_byte_is_flipped_and_after_a_file_is_gone(run: Cloudstore, calls: Path) -> None:
    assert run(*FEW).code == 0
    assert run("verify", "calls").code == 0
    file = calls / manifest(calls)[3]["path"]
    body = bytearray(file.read_bytes())
    body[len(body) // 2] ^= 1
    file.write_bytes(body)
    flipped = run("verify", "calls", "--json")
    assert flipped.code == 6
    assert [record["path"] for record in flipped.records if "error" in record] == [str(file.relative_to(calls))]
    file.unlink()
    gone = run("verify", "calls")
    assert gone.code == 8
    assert file.name in gone.err
    again = run(*FEW, "--json")
    assert (again.code, again.report["fetched"]) == (0, 1)
    assert run("verify", "calls").code == 0
    assert run("verify", ".").code == 8


def test_an_earlier_version_that_a_killed_run_left_is_not_taken_for_the_present_one(
    run: Cloudstore, calls: Path, sandbox: Sandbox, ready: Ready, environment: dict[str, str], tmp_path: Path
) -> None:
    sandbox.switches.set({"zip-seconds": "0"})
    asked = (*FEW[:-1], "zip", "--name", "{id}")
    killed = {**environment, "CLOUDSTORE_CRASH_AT": "after_unlink:3"}
    done = subprocess.run([*COMMAND, *asked], cwd=tmp_path, env=killed, timeout=PATIENCE, check=False)
    assert done.returncode == -signal.SIGKILL
    brought = [Path(name).stem for name in files(calls) - {"manifest.jsonl"} if not name.startswith(".cs-")]
    assert len(brought) >= 3
    new, columns = b"another version", "data, sound, zeros, part, storedBytes, checksum"
    marks = ", ".join("?" * len(brought))
    with contextlib.closing(sqlite3.connect(ready.config.with_name("eightbyeight.sqlite"))) as database:
        kept = database.execute(f"SELECT {columns}, id FROM object WHERE id IN ({marks})", brought).fetchall()
        changes = (
            "UPDATE object SET data = ?, sound = ?, zeros = ?, part = ?, storedBytes = ?, checksum = ? WHERE id = ?"
        )
        digest = hashlib.md5(new, usedforsecurity=False).hexdigest()
        database.executemany(changes, [(new, 0, 0, 0, len(new), digest, name) for name in brought])
        database.commit()
        try:
            done_again = run(*asked, "--json")
            assert (done_again.code, done_again.report["complete"]) == (0, True), done_again.err
            lines = {line["id"]: line for line in manifest(calls) if "superseded" not in line}
            assert {(calls / lines[name]["path"]).read_bytes() for name in brought} == {new}
        finally:
            database.executemany(changes, kept)
            database.commit()


def test_what_a_killed_run_was_to_overwrite_is_left_alone_by_one_that_is_not(
    run: Cloudstore, calls: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    assert run(*FEW).code == 0
    names = files(calls) - {"manifest.jsonl"}
    calls.rename(tmp_path / "others")
    killed = {**environment, "CLOUDSTORE_CRASH_AT": "part_open:4"}
    command = [*COMMAND, *FEW, "--on-conflict", "overwrite"]
    done = subprocess.run(command, cwd=tmp_path, env=killed, timeout=PATIENCE, check=False)
    assert done.returncode == -signal.SIGKILL
    for name in names:
        (calls / name).write_text("precious")
    assert run(*FEW).code == 9
    assert {(calls / name).read_text() for name in names} == {"precious"}
    assert run(*FEW, "--on-conflict", "overwrite").code == 0
    assert not [name for name in files(calls) if name.startswith(".cs-")]
    check_files(calls)


def test_a_file_that_was_only_touched_is_not_fetched_again(run: Cloudstore, calls: Path, sandbox: Sandbox) -> None:
    assert run(*FEW).code == 0
    for line in manifest(calls):
        os.utime(calls / line["path"], (1, 1))
    sandbox.log.clear()
    assert run(*FEW, "--json").report["fetched"] == 0
    assert fetches(sandbox) == []
    assert all(line["mtime"] == "1970-01-01T00:00:01+00:00" for line in manifest(calls))


def test_objects_that_are_not_available_are_missing_with_their_reason(run: Cloudstore, calls: Path) -> None:
    query = "type==callcenterrecording;objectState=in=(AVAILABLE,ARCHIVED)"
    for via in ("zip", "content"):
        done = run("pull", "acme8:us-east", "--fiql", query, "--to", "calls", "--via", via, "--json")
        assert done.code == 8
        losses = [record for record in done.records if "error" in record]
        assert len(losses) == done.report["missing"] > 0
        assert all("ARCHIVED" in loss["error"] and loss["path"].startswith("acme8:us-east/") for loss in losses)
        assert done.report["had"] + done.report["fetched"] + done.report["missing"] == done.report["found"]
        failed = [line for line in manifest(calls) if "error" in line]
        assert {line["id"] for line in failed} == {loss["path"].rpartition("/")[2] for loss in losses}
        assert all(line["code"] == 8 for line in failed)
    verified = run("verify", "calls")
    assert (verified.code, f"{len(losses)} not fetched" in verified.out) == (1, True)


def test_an_object_that_is_damaged_at_the_service_is_missing_and_all_others_are_here(
    run: Cloudstore, calls: Path, sandbox: Sandbox
) -> None:
    ids = [record["id"] for record in run("find", "acme8:uk", "--type", "transcription", "--json").records]
    sandbox.faults.add({"fault": "flip", "where": "bytes", "path": f"*{ids[0]}*", "times": 0})
    try:
        done = run(*FEW, "--json")
    finally:
        sandbox.faults.clear()
    assert done.code == 6
    assert (done.report["missing"], done.report["fetched"]) == (1, len(ids) - 1)
    assert not done.report["complete"]
    repaired = run(*FEW, "--json")
    assert (repaired.code, repaired.report["fetched"], repaired.report["had"]) == (0, 1, len(ids) - 1)
    check_files(calls)


def test_another_file_in_the_way_is_left_alone_and_reported(run: Cloudstore, calls: Path) -> None:
    assert run(*FEW).code == 0
    line = manifest(calls)[0]
    (calls / line["path"]).write_text("precious")
    refused = run(*FEW, "--json")
    assert (refused.code, refused.report["missing"]) == (9, 1)
    assert (calls / line["path"]).read_text() == "precious"
    skipped = run(*FEW, "--on-conflict", "skip", "--json")
    assert (skipped.code, skipped.report["skipped"]) == (0, 1)
    both = run(*FEW, "--on-conflict", "keep-both", "--json")
    assert (both.code, both.report["fetched"]) == (0, 1)
    assert (calls / line["path"]).read_text() == "precious"
    assert run(*FEW, "--json").report["had"] == both.report["found"]
    verified = run("verify", "calls")
    assert verified.code == 0
    assert "extra" in verified.err


def test_two_pulls_into_one_folder_do_not_meet(run: Cloudstore, calls: Path) -> None:
    calls.mkdir()
    other = os.open(calls, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    busy = run(*FEW, "--json")
    os.close(other)
    assert (busy.code, busy.report["code"]) == (10, 10)
    assert files(calls) == set()
    # It has not begun, so it was not killed.
    assert not (calls / "last-pull.json").exists()
    assert run(*FEW).code == 0
    assert run("status", "calls").code == 0
    other = os.open(calls, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    assert run("pull", "acme8:us-east", "type:voicemail", "--to", "calls").code == 10
    os.close(other)
    status = run("status", "calls")
    assert status.code == 1
    assert "could not begin: acme8:us-east type:voicemail" in status.err
    assert run("verify", "calls").code == 0
    assert run("pull", "acme8:us-east", "type:voicemail", "--to", "calls").code == 0
    assert run("status", "calls").code == 0


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("acme8:uk", "--name", "{0.__class__}"), "at character 1"),
        (("acme8:uk", "--name", "{agentName!r}"), "at character 1"),
        (("acme8:uk", "--name", "../{name}"), "'..'"),
        (("acme8:uk", "--since", "whenever"), "whenever"),
        (("acme8:uk", "--newer-than", "7d"), "--since"),
        (("acme:exports/", "--since", "7d"), "--newer-than"),
        (("acme:exports/", "--via", "zip"), "has no zip jobs"),
        (("acme:exports/x.tar",), "ends with /"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused_before_anything_is_sent(
    run: Cloudstore, calls: Path, sandbox: Sandbox, arguments: tuple[str, ...], part: str
) -> None:
    sandbox.log.clear()
    done = run("pull", *arguments, "--to", "calls")
    assert done.code == 2
    assert part in done.err
    assert not calls.exists()
    assert sandbox.log.requests == []


def test_a_folder_of_a_service_with_folders_is_pulled_as_far_as_it_is_new(
    run: Cloudstore, tmp_path: Path, sandbox: Sandbox
) -> None:
    command = ("pull", "acme:exports/reporting/", "--to", "reports", "--json")
    done = run(*command, "--newer-than", "2024-08-31")
    assert done.code == 0, done.err
    found = done.report["found"]
    assert any(path.startswith("outreach/outreach-") for path in files(tmp_path / "reports"))
    check_files(tmp_path / "reports")
    sandbox.log.clear()
    again = run(*command, "--newer-than", "2024-08-31")
    assert (again.report["had"], again.report["fetched"]) == (found, 0)
    assert not [seen for seen in sandbox.log.requests if "signedUrl" in seen.path or seen.host.endswith("blob")]
    more = run(*command, "--newer-than", "2024-08-28")
    assert more.report["had"] == found
    assert more.report["fetched"] > 0
    check_files(tmp_path / "reports")
    assert run("verify", "reports").code == 0


def test_words_and_conditions_on_fetched_rows_narrow_a_pull(run: Cloudstore, calls: Path) -> None:
    done = run("pull", "acme8:uk", "type:callcenterrecording", "agent:~aiko", "--to", "calls", "--json")
    assert done.code == 0, done.err
    assert done.report["found"] == len(manifest(calls)) > 0
    assert {line["tags"]["agentName"] for line in manifest(calls)} == {"Aiko Tanaka"}


@pytest.mark.parametrize("via", ["zip", "content"])
def test_a_pull_that_is_killed_goes_on_where_it_was(
    run: Cloudstore, environment: dict[str, str], calls: Path, sandbox: Sandbox, via: str
) -> None:
    sandbox.switches.set({"zip-seconds": "0.5"})
    command = ("pull", "acme8", "--fiql", "type=in=(callcenterrecording,transcription)", "--to", "calls", "--via", via)
    sandbox.log.clear()
    for requests in (4, 14, 24, 40):
        seen_before = len(sandbox.log.requests)
        process = subprocess.Popen(
            [*COMMAND, *command],
            cwd=calls.parent,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(3_000):
            if process.poll() is not None or len(sandbox.log.requests) >= seen_before + requests:
                break
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
    done = run(*command, "--json")
    assert done.code == 0, done.err
    report = done.report
    assert report["had"] + report["fetched"] == report["found"]
    check_files(calls)
    starts = [seen for seen in sandbox.log.requests if seen.path.endswith("bulk/download/start")]
    assert len(starts) <= 6
    sandbox.log.clear()
    again = run(*command, "--json")
    assert (again.code, again.report["had"], fetches(sandbox)) == (0, report["found"], [])
    assert run("verify", "calls").code == 0


def test_ctrl_c_stops_a_pull_with_130_and_leaves_it_to_go_on(
    run: Cloudstore, environment: dict[str, str], calls: Path
) -> None:
    command = ("pull", "acme8", "--type", "callcenterrecording", "--to", "calls", "--via", "content")
    process = subprocess.Popen(
        [*COMMAND, *command], cwd=calls.parent, env=environment, stderr=subprocess.PIPE, text=True
    )
    for _ in range(3_000):
        if len(files(calls)) > 20:
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in told
    here = len(manifest(calls))
    assert here > 0
    (journal,) = Path(environment["HOME"]).rglob("journal.db")
    with contextlib.closing(sqlite3.connect(journal)) as connection:
        batches = [json.loads(text) for (text,) in connection.execute("SELECT batch FROM transfer")]
    assert {batch["id"] for batch in batches} == {batches[0]["id"]}
    done = run(*command, "--json")
    assert done.code == 0
    assert done.report["had"] >= here
    assert (batches[0]["target"], batches[0]["count"]) == (str(calls), done.report["found"])
    check_files(calls)


def test_a_store_that_is_gone_is_given_up_soon_and_everything_else_is_reported(
    run: Cloudstore, calls: Path, sandbox: Sandbox
) -> None:
    command = ("pull", "acme8:uk", "--to", "calls", "--via", "content", "--json")
    sandbox.faults.add({"fault": "refuse", "where": "bytes", "times": 0})
    begun = time.monotonic()
    try:
        done = run(*command, "--timeout", "1s")
    finally:
        sandbox.faults.clear()
    assert time.monotonic() - begun < 30
    assert done.code == 4
    assert done.report["missing"] == done.report["found"] == len(done.records) - 1
    after = run(*command)
    assert (after.code, after.report["fetched"]) == (0, done.report["found"])
    check_files(calls)


def test_objects_that_no_zip_job_brings_are_fetched_one_by_one(run: Cloudstore, calls: Path, sandbox: Sandbox) -> None:
    sandbox.switches.set({"zip-seconds": "0.2", "zip-outcome": "PARTIAL_DONE"})
    done = run("pull", "acme8:us-east", "--type", "callcenterrecording", "--to", "calls", "--json")
    assert done.code == 0, done.err
    assert done.report["fetched"] == done.report["found"] > 200
    assert any(path.endswith(".zip") for path in fetches(sandbox))
    check_files(calls)


def test_a_region_that_refuses_is_in_the_report_and_in_the_exit_code(
    run: Cloudstore, calls: Path, sandbox: Sandbox
) -> None:
    few = run("find", "acme8:us-east", "--type", "voicemail", "--count", "--json").records[0]["count"]
    sandbox.faults.add({"fault": "forbidden", "where": "api", "path": "/storage/uk/*", "times": 0})
    try:
        done = run("pull", "acme8", "--type", "voicemail", "--to", "calls", "--json")
        told = run("pull", "acme8", "--type", "voicemail", "--to", "calls")
        planned = run("pull", "acme8", "--type", "voicemail", "--to", "calls", "--dry-run", "--json")
    finally:
        sandbox.faults.clear()
    assert (done.code, told.code, planned.code) == (3, 3, 3)
    assert (done.report["fetched"], done.report["complete"]) == (few, False)
    for result in (done, planned):
        assert [lack["path"] for lack in result.report["unlisted"]] == ["acme8:uk/"]
    assert "Nothing is missing" not in told.out
    assert "Not everything could be listed: acme8:uk/." in told.out
    assert [line["where"] for line in manifest(calls) if line.get("event") == "unlisted"] == ["acme8:uk/"]
    whole = run("pull", "acme8", "--type", "voicemail", "--to", "calls", "--json")
    assert (whole.code, whole.report["complete"]) == (0, True)
    check_files(calls)


def test_what_the_service_finds_is_pulled_however_it_compares(run: Cloudstore, calls: Path, sandbox: Sandbox) -> None:
    sandbox.switches.set({"E-9": "fold"})
    query = ("acme8", "--fiql", "agentName=='khang glynn'")
    found = int(run("find", *query, "--count").out)
    assert found > 0
    done = run("pull", *query, "--to", "calls", "--json")
    assert (done.code, done.report["fetched"], done.report["left_out"]) == (0, found, 0)


def test_objects_come_one_by_one_where_every_zip_is_cleared(run: Cloudstore, calls: Path, sandbox: Sandbox) -> None:
    sandbox.switches.set({"zip-seconds": "0.2"})
    gone = {"fault": "not-found", "path": "/storage/*/bulk/download/*.zip*", "times": 0}
    sandbox.faults.add(gone)
    try:
        done = run("pull", "acme8:uk", "--type", "transcription", "--to", "calls", "--via", "zip", "--json")
    finally:
        sandbox.faults.clear()
    assert done.code == 0, done.err
    assert (done.report["missing"], done.report["complete"]) == (0, True)
    check_files(calls)


def test_objects_come_one_by_one_where_the_disk_has_no_room_for_their_zip(
    run: Cloudstore, calls: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.switches.set({"zip-seconds": "0.2"})
    monkeypatch.setattr(Disk, "room", lambda *_: (10_000, 0))
    sandbox.log.clear()
    done = run("pull", "acme8:uk", "--type", "transcription", "--to", "calls", "--via", "zip", "--json")
    assert done.code == 0, done.err
    assert done.report["fetched"] == done.report["found"] > 10
    assert any(path.endswith(".zip") for path in fetches(sandbox))
    check_files(calls)
    assert run("transfers", "list", "--json").out == ""


def test_a_disk_without_any_room_is_reported_for_each_object(
    run: Cloudstore, calls: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.switches.set({"zip-seconds": "0.2"})
    with monkeypatch.context() as full:
        full.setattr(Disk, "room", lambda *_: (100, 0))
        done = run("pull", "acme8:uk", "--type", "transcription", "--to", "calls", "--via", "zip", "--json")
    assert (done.code, done.report["fetched"], done.report["missing"]) == (5, 0, done.report["found"])
    assert len({record["path"] for record in done.records if "error" in record}) == done.report["found"]
    after = run("pull", "acme8:uk", "--type", "transcription", "--to", "calls", "--via", "zip", "--json")
    assert (after.code, after.report["missing"]) == (0, 0)
    check_files(calls)


def test_of_many_failures_of_one_kind_people_see_the_first_ones_and_the_last(
    run: Cloudstore, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Disk, "room", lambda *_: (100, 0))
    done = run("pull", "acme8:uk", "--to", "calls", "--via", "content")
    told = [line for line in done.err.splitlines() if "too full" in line]
    missing = sum("error" in line for line in manifest(calls))
    assert (done.code, len(told)) == (5, 21)
    assert missing > 40
    assert told[-1].startswith(f"And {missing - 20} more like that. The last: acme8:uk/")


def test_verify_calls_no_folder_good_that_lacks_what_a_pull_found(run: Cloudstore, calls: Path) -> None:
    archived = run("pull", "acme8", "state:archived", "--to", "calls")
    assert archived.code == 8
    assert "Resolve the errors above, then run the same command again" in archived.out
    assert run(*FEW).code == 0
    # How many are archived depends on what was restored before.
    lacking = sum("error" in line for line in manifest(calls))
    done = run("verify", "calls")
    assert done.code == 1
    assert f"calls: it is not complete: {lacking} entries of its manifest record what" in done.err
    assert run("verify", "calls", "-q").code == 1
    told = run("verify", "calls", "--json", "--report", "report.json", "--on-failure", "touch failed")
    assert (told.code, told.report["not_fetched"]) == (1, lacking)
    assert [record["code"] for record in told.records if "error" in record] == [1]
    assert json.loads(calls.with_name("report.json").read_text())["outcome"] == "incomplete"
    assert calls.with_name("failed").exists()
    # Bytes that are not those that were fetched are worse, and alone decide the code.
    next(calls.glob("*.json")).write_bytes(b"x")
    worse = run("verify", "calls")
    assert (worse.code, "it is not complete" in worse.err) == (6, True)


def test_a_pull_works_where_nothing_can_be_remembered(
    run: Cloudstore, calls: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    environment["HOME"] = str(tmp_path / "file" / "home")
    done = run(*FEW, "--json")
    assert (done.code, done.report["complete"]) == (0, True)
    assert "Until then interrupted transfers cannot be resumed." in done.err
    check_files(calls)
    assert run("verify", "calls").code == 0
