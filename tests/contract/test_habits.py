"""What people type who know other programs, forget a quote or paste something else: told in one line, with the cure."""

import json
from pathlib import Path

import pytest

from cloudstore_tui.cli import restore
from cloudstore_tui.cli.habits import COMMANDS as FOREIGN
from cloudstore_tui.cli.main import COMMANDS
from tests.support.commands import Cloudstore
from tests.support.sandbox import own_sandbox

ID = "0191acdf-3538-7e1d-9920-e80f5368aa38"
OBJECT = f"acme8:us-east/{ID}"
TAR = "acme:exports/reporting/outreach/outreach-20240901.tar"

sandbox_server = own_sandbox()


@pytest.mark.parametrize(
    ("arguments", "code", "cure"),
    [
        (("cp", TAR, "."), 2, "`get` downloads"),
        (("cat", TAR), 2, "`preview`"),
        (("sync", "acme:", "here"), 2, "`pull`"),
        (("lsl", "acme:"), 2, "`ls -R`"),
        (("mv", TAR, "acme:x"), 2, "cannot move"),
        (("presign", TAR), 2, "`url`"),
        (("configure",), 2, "`profile add`"),
        (("count", "acme8"), 2, "`find PROFILE --count`"),
        (("export", "acme8"), 2, "`find PROFILE -o FILE.csv`"),
        (("help", "ls"), 2, "`cloudstore COMMAND --help`"),
        (("zip", "create"), 2, "There are: cancel, clear, get, list, start, status."),
        (("ls", "-la", "acme"), 2, "always shown"),
        (("ls", "-r", "acme"), 2, "-R lists everything below"),
        (("get", "-r", "acme:exports/"), 2, "`pull PATH/ --to DIR`"),
        (("get", TAR, "--force"), 2, "`--on-conflict overwrite`"),
        (("get", TAR, "-o", "new.tar"), 2, "Write --to DIR"),
        (("rm", "-rf", "acme:imports/"), 2, "Only objects are deleted"),
        (("rm", "--force", TAR), 2, "-y deletes without asking"),
        (("url", TAR, "--expires", "1h"), 2, "The service decides"),
        (("find", "acme8", "--all"), 2, "All that match are listed"),
        (("find", "acme", "x"), 2, "cloudstore ls acme:FOLDER/ -R"),
        (("put", "acme:imports/outreach/nanp/", "plan.csv"), 2, "cloudstore put FILE... PROFILE:FOLDER/"),
        (("put", "plan.csv", "acme:imports/outreach/nanp"), 2, "Write acme:imports/outreach/nanp/"),
        (("watch", "acme8", "--to", "x", "--until", "today"), 2, "A watch has no end"),
        (("find", "acme8", "--csv"), 2, "`--format csv`"),
        (("find", "acme8", "--max-age", "7d"), 2, "Write --since TIME"),
        (("find", "acme8", "--min-age", "7d"), 2, "Write --until TIME"),
        (("-V",), 2, "cloudstore: no such option '-V'. See cloudstore --help."),
        (("completion",), 2, "Choose from: bash, zsh, fish."),
        (("ls", "acme", "--limit", "x"), 2, "'x' is not a valid number"),
        (("ls", "s3://acme/exports/"), 2, "is a URL"),
        (("get", "https://example.com/x"), 2, "is a URL"),
        (("stat", ID), 2, f"`cloudstore find PROFILE {ID}`"),
        (("find", "agent:Khang Glynn"), 2, "PROFILE 'agent:Khang Glynn'"),
        (("get", "  3.8 MB  2024-09-01 09:16  AVAILABLE  acme8:us-east/x"), 2, "Add --columns path"),
        (("ls", "./"), 2, "is a path on this machine"),
        (("preview", "nofile"), 2, "no such file on this machine"),
        (
            ("ls", "acme8:us-east/callcenterrecording/2024/"),
            8,
            "cloudstore find acme8:us-east type:callcenterrecording",
        ),
        (("get", "acme8:us-east/*"), 8, "Patterns are not expanded"),
        (("rm", "acme8:us-east/*", "--yes"), 8, "Patterns are not expanded"),
        (("stat", f"acme8:uk/{ID}"), 8, f"cloudstore find acme8 {ID}"),
        (("stat", f"{OBJECT}\r"), 8, "carriage return"),
        (("rm", f"{OBJECT}\r", "--yes"), 8, "carriage return"),
        (("rm", f"{OBJECT}\tfirst.mp3", "--yes"), 8, "a line of its own"),
        (("rm", f"{OBJECT},first.mp3", "--yes"), 8, "a line of its own"),
        (("rm", f"{OBJECT} {OBJECT}", "--yes"), 8, "a line of its own"),
        (("rm", "acme:imports/a.csv acme:imports/b.csv", "--yes"), 8, "a line of its own"),
        (("find", "acme8", "-o", "calls.xlsx"), 2, "End the name with .csv"),
        (("find", "acme8", "-o", "calls.csv.gz"), 2, "End the name with .csv"),
        (("find", "acme8", "-o", "-"), 2, "write ./-"),
        (("find", "acme8", "--count", "-o", "calls.csv"), 2, "--count prints the number of all matches"),
        (("find", "acme8", "--count", "--limit", "5"), 2, "--count prints the number of all matches"),
        (("ls", "-o", "profiles.csv"), 2, "without a path ls lists the profiles"),
        (("pull", "acme8", "--to", "-"), 2, "write ./-"),
        (("call", "get", OBJECT, "--to", "-"), 2, "write ./-"),
        (("ls", "acme", "--output", "json"), 2, "Write --format json"),
        (("find", "acme8", "--since", "2024-09-02", "--until", "2024-09-01"), 2, "comes before --since"),
        (("pull", "acme8", "--since", "2024-09-02", "--until", "2024-09-01", "--to", "x"), 2, "comes before --since"),
        (("zip", "get", "acme8:us-east/nope.zip"), 11, "acme8:us-east/nope.zip: "),
    ],
)
def test_the_cure_stands_in_the_one_line_that_is_said(
    cloudstore: Cloudstore, tmp_path: Path, arguments: tuple[str, ...], code: int, cure: str
) -> None:
    done = cloudstore(*arguments)
    assert (done.code, done.out) == (code, ""), done.err
    assert cure in done.err
    assert done.err.count("\n") == 1
    assert not list(tmp_path.glob("*.*")), "nothing is written"
    if not {"-o", "--output"} & set(arguments):
        (record,) = cloudstore("--json", *arguments).records
        assert record.keys() == {"error", "code", "retryable", "path"}
        assert record["code"] == code


@pytest.mark.parametrize(
    "command",
    [
        ("get", OBJECT, "--to", "{}"),
        ("call", "get", OBJECT, "--to", "{}"),
        ("zip", "get", "acme8:us-east/x.zip", "--to", "{}"),
        ("put", "{}", "acme:imports/outreach/nanp/"),
        ("find", "acme8", "-o", "{}.csv"),
        ("pull", "acme8", "type:summary", "--to", "{}"),
        ("watch", "acme8", "--to", "{}"),
        ("verify", "{}"),
        ("status", "{}"),
        ("seal", "{}"),
        ("reconcile", "{}", "--calls", "calls.csv"),
        ("rm", "--proved-by", "{}"),
        ("ls", "--config", "{}"),
        ("preview", "{}"),
        ("sandbox", "--data", "{}"),
    ],
)
def test_a_path_that_cannot_be_looked_at_is_an_error_of_the_users_and_no_crash(
    cloudstore: Cloudstore, tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "calls.csv").write_text("call id,start\nx,2024-09-01\n")
    done = cloudstore(*(word.format("x" * 5000) for word in command))
    assert done.code in (2, 5), done.err[-300:]
    assert "too long" in done.err


@pytest.mark.parametrize("command", [("pull", "acme8", "type:summary", "--to"), ("verify",)])
def test_a_run_into_a_folder_that_cannot_be_looked_at_is_reported(
    cloudstore: Cloudstore, tmp_path: Path, command: tuple[str, ...]
) -> None:
    done = cloudstore(*command, "x" * 5000, "--report", "report.json", "--on-failure", "touch hooked")
    assert done.code == 5
    assert json.loads((tmp_path / "report.json").read_text())["code"] == 5
    assert (tmp_path / "hooked").exists()


def test_no_command_of_others_is_one_of_ours() -> None:
    assert not set(FOREIGN) & set(COMMANDS)


def test_what_the_shell_took_away_is_told(cloudstore: Cloudstore) -> None:
    torn = cloudstore("find", "acme8", "agent:Khang", "Glynn", "on:2024-09-01", "--count")
    assert "put quotes around both: 'agent:Khang Glynn'" in torn.err
    for words in (("agent:Khang Glynn",), ("type:cc", "Khang"), ("on:2024-09-01", "Khang"), ("agent:Khang", "type:cc")):
        assert "quotes" not in cloudstore("find", "acme8", *words, "--count").err
    assert "need quotes: 'dur:>10m'" in cloudstore("find", "acme8", "dur:").err


def test_a_folder_to_write_to_among_the_paths_stops_a_get_before_it_fetches(
    cloudstore: Cloudstore, tmp_path: Path
) -> None:
    done = cloudstore("get", TAR, "./here")
    assert (done.code, done.out, list(tmp_path.iterdir())) == (2, "", [])
    assert "--to DIR" in done.err


@pytest.mark.parametrize("words", [("--type", "recording"), ("--type", "callrecording,callcenterrecording")])
def test_type_takes_what_the_words_take(cloudstore: Cloudstore, words: tuple[str, ...]) -> None:
    count = cloudstore("find", "acme8", "type:recording", "--count").out
    assert count == cloudstore("find", "acme8", *words, "--count").out != "0\n"
    assert "Did you mean `callcenterrecording`?" in cloudstore("find", "acme8", "--type", "callcenterrecordin").err


@pytest.mark.parametrize("words", ["phone:+1 669 555 3203", "phone:(669) 555-3203", "caller:669-555-3203"])
def test_a_number_is_found_as_people_write_it(cloudstore: Cloudstore, words: str) -> None:
    assert cloudstore("find", "acme8", words, "on:2024-09-01", "--count").out == "3\n"


def test_json_may_stand_before_the_command(cloudstore: Cloudstore) -> None:
    assert cloudstore("--json", "ls", "acme").records == cloudstore("ls", "acme", "--json").records
    assert cloudstore("call", "--json", "show", OBJECT).records == cloudstore("call", "show", OBJECT, "--json").records


def test_a_size_that_the_service_rounds_is_not_told_as_exact(cloudstore: Cloudstore, tmp_path: Path) -> None:
    (tmp_path / "small.csv").write_text("a,b\n")
    small = "acme:imports/outreach/nanp/small.csv"
    cloudstore("put", "small.csv", "acme:imports/outreach/nanp/")
    planned = cloudstore("rm", small, "--dry-run")
    assert planned.out == f"would delete  {small}  small.csv  <0.1 kB\n"
    assert planned.err.endswith("1 object of acme, <0.1 kB.\n")
    cloudstore("rm", small, "--yes")
    assert cloudstore("deletions").out.rstrip().endswith("<0.1 kB")


def test_paths_come_from_stdin_in_every_command_that_takes_several(cloudstore: Cloudstore) -> None:
    search = ("find", "acme8", "on:2024-09-01", "type:summary", "--limit", "2")
    listed, records = cloudstore(*search, "--columns", "path").out, cloudstore(*search, "--json").out
    paths = listed.split()
    for command in (("rm", "-", "-n"), ("zip", "start", "-", "-n"), ("restore", "-", "-n"), ("get", "-")):
        marked = (f"\ufeff{listed}", f"\ufeff{records}")
        for fed in (listed, records, listed.replace("\n", "\r\n"), f"\n{listed}", *marked):
            done = cloudstore(*command, "--json", stdin=fed)
            assert (done.code, [record["path"] for record in done.records]) == (0, paths)
    files = cloudstore("ls", "acme:exports/reporting/outreach/", "--limit", "2", "--json").out
    assert cloudstore("rm", "-", "-n", stdin=files).out.count("would delete  acme:exports/reporting/outreach/") == 2
    assert cloudstore("call", "get", "-", stdin=records).code == 0


@pytest.mark.parametrize(
    "command",
    [("get", "-"), ("get", "-", "--to", "-"), ("rm", "-", "--yes"), ("zip", "start", "-"), ("zip", "get", "-")],
)
def test_nothing_on_stdin_is_nothing_to_do(cloudstore: Cloudstore, command: tuple[str, ...]) -> None:
    done = cloudstore(*command)
    assert (done.code, done.out, done.err) == (0, "", "stdin holds no paths, so nothing is done.\n")


@pytest.mark.parametrize("command", [("rm", "-", "--proved-by", "proof", "--yes"), ("restore", "forget", "-")])
def test_nothing_on_stdin_is_never_everything(
    cloudstore: Cloudstore, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setattr(restore, "is_pending", lambda _request: False)
    (archived,) = cloudstore("find", "acme8:us-east", "state:archived", "--limit", "1", "--columns", "path").out.split()
    search = ("acme8", "on:2024-09-01", "type:summary")
    assert cloudstore("pull", *search, "--to", "proof").code == 0
    assert cloudstore("restore", archived).code == 0
    before = cloudstore("find", *search, "--count").out, cloudstore("restore", "list").out
    assert "nothing is done" in cloudstore(*command).err
    assert (cloudstore("find", *search, "--count").out, cloudstore("restore", "list").out) == before


def test_a_list_on_stdin_that_is_incomplete_is_told(cloudstore: Cloudstore) -> None:
    fed = cloudstore("find", "acme8", "type:summary", "--limit", "1", "--json").out
    fed += '{"error": "acme8:uk/: no permission", "code": 3, "retryable": false, "path": "acme8:uk/"}\n'
    done = cloudstore("get", "-", stdin=fed)
    assert (done.code, done.out.count("done  ")) == (1, 1)
    assert "no permission" in done.err
    assert cloudstore("get", "-", stdin='{"size": 3}\n').code == 2


def test_waiting_for_no_restore_is_told(cloudstore: Cloudstore) -> None:
    for command in (("restore", "--wait"), ("restore", "--then-get")):
        done = cloudstore(*command)
        assert (done.code, done.out) == (0, "")
        assert "No restores are pending" in done.err
