"""`doctor` as its user runs it: each of the mistakes that people make is named, with what to do."""

import json
import re
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.sandbox.eightbyeight import KEYS
from cloudstore_tui.sandbox.server import Ready, Sandbox
from tests.support.commands import Cloudstore, Done

SCOPES = 'scopes = ["mediastorageapi.exports", "mediastorageapi.imports"]'
READER, BARE, EXPIRED = KEYS[2:5]


def wrong(done: Done) -> str:
    """The lines that are not `ok` or `skip`, each with what to do."""
    found = re.findall(r"^(?:FAIL|warn)  .*\n(?: {20,}.*\n)?", done.out, re.M)
    return "".join(found)


Edit = Callable[[str], str]
Doctor = Callable[..., Done]


@pytest.fixture
def folder(ready: Ready, tmp_path: Path) -> Path:
    """A configuration of one's own with its secrets, to make mistakes in."""
    folder = tmp_path / "config"
    folder.mkdir()
    for path in ready.config.parent.glob("acme*.*"):
        shutil.copy2(path, folder / path.name)
    shutil.copy2(ready.config, folder / "config.toml")
    return folder


@pytest.fixture
def doctor(folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Doctor:
    def run(*arguments: str, edit: Edit = str, **variables: str) -> Done:
        config = folder / "config.toml"
        config.write_text(edit(config.read_text()))
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        environment = {"HOME": str(home), "CLOUDSTORE_CONFIG": str(config), "LANG": "C.UTF-8"}
        done = Cloudstore(capfd, environment, tmp_path, "doctor")(*arguments, **variables)
        for secret in folder.glob("*.secret"):
            value = secret.read_text().strip()
            assert len(value) < 6 or value not in done.out + done.err
        return done

    return run


@pytest.fixture
def moved_clock(sandbox: Sandbox) -> Iterator[None]:
    sandbox.world.clock.offset = 1800
    yield
    sandbox.world.clock.offset = 0


def test_where_nothing_is_wrong_everything_is_looked_at_in_order(doctor: Doctor) -> None:
    told = doctor()
    assert (told.code, wrong(told), told.err) == (0, "", "")
    titles = [line[6:30].strip() for line in told.out.splitlines() if not line.startswith(" ")]
    alvaria = ["client secret", "api key", "token", "scopes", "folders", "uploads", "clock", "permission"]
    eight = ["client secret", "token", "product", "regions", "us-east", "uk", "level", "clock", "permission"]
    machine = ["downloads", "journal", "terminal", "encoding", "clipboard"]
    wanted = ["configuration", *(f"acme {title}" for title in alvaria), *(f"acme-v2 {title}" for title in alvaria)]
    assert titles == [*wanted, *(f"acme8 {title}" for title in eight), *machine]


def test_with_json_each_finding_is_a_line(doctor: Doctor, folder: Path) -> None:
    (folder / "acme8.secret").write_text("not-the-secret\n")
    told = doctor("acme8", "--json")
    records: list[dict[str, Any]] = [json.loads(line) for line in told.out.splitlines()]
    token = next(record for record in records if record["check"] == "token")
    assert (token["profile"], token["verdict"], token["code"]) == ("acme8", "fail", 3)
    assert {record["verdict"] for record in records} == {"ok", "fail", "skip"}
    assert told.code == 3


@pytest.mark.parametrize("profile", ["acme", "acme8"])
def test_a_wrong_secret(doctor: Doctor, folder: Path, profile: str) -> None:
    (folder / f"{profile}.secret").write_text("not-the-secret\n")
    told = doctor(profile)
    assert told.code == 3
    assert re.search(rf"FAIL  {profile} token .*refuses the login.*\n +Check client_id", wrong(told))
    assert re.search("skip .*not checked: token comes first", told.out)


def test_a_wrong_api_key(doctor: Doctor, folder: Path) -> None:
    (folder / "acme.api_key").write_text("not-the-secret\n")
    told = doctor("acme")
    assert told.code == 3
    assert "does not know the api key" in wrong(told)
    assert "x-api-key" in wrong(told)


def test_a_role_or_product_that_is_missing(doctor: Doctor, folder: Path, sandbox: Sandbox) -> None:
    (folder / "acme8.secret").write_text(BARE.secret(sandbox.world))
    told = doctor("acme8", edit=lambda text: text.replace("acme8-edit", BARE.client_id))
    assert told.code == 3
    assert re.search("made for work-analytics, not for storage.*Call Recordings & Storage", wrong(told))
    assert "the role Storage API" in wrong(told)


def test_a_scope_that_is_missing(doctor: Doctor) -> None:
    told = doctor("acme", edit=lambda text: text.replace(SCOPES, 'scopes = ["mediastorageapi.secret"]'))
    assert told.code == 3
    assert re.search("the scope is missing or unknown\n +Check scopes of profile acme", wrong(told))


def test_a_wrong_region(doctor: Doctor) -> None:
    told = doctor("acme8", edit=lambda text: f'{text}regions = ["mars"]\n')
    assert told.code == 8
    assert re.search("Unknown region mars\n +The regions of acme8 are: us-east, uk", wrong(told))


@pytest.mark.parametrize(("text", "words"), [("ab\ncd\n", "holds a line break"), ("\n", "is empty"), (" x", "a blank")])
def test_a_damaged_secret(doctor: Doctor, folder: Path, text: str, words: str) -> None:
    (folder / "acme8.secret").write_text(text)
    told = doctor("acme8")
    assert told.code == 2
    assert words in wrong(told)
    assert "exactly the text that the service shows" in wrong(told)


def test_an_address_without_tls(doctor: Doctor) -> None:
    told = doctor("acme8", edit=lambda text: re.sub(r"http://127\S+/oauth", "http://api.8x8.com/oauth", text))
    assert told.code == 2
    assert re.search("token_url would send secrets unprotected\n +Write https:// instead", wrong(told))


def test_a_secret_that_others_can_read(doctor: Doctor, folder: Path) -> None:
    (folder / "acme8.secret").chmod(0o644)
    told = doctor("acme8")
    assert told.code == 2
    assert re.search("others can read it\n +Run: chmod 600 ", wrong(told))


def test_a_secret_file_that_is_not_there(doctor: Doctor, folder: Path) -> None:
    (folder / "acme8.secret").unlink()
    told = doctor("acme8")
    assert told.code == 2
    assert "the secret file cannot be read: No such file" in wrong(told)


def test_no_source_and_no_keyring(doctor: Doctor) -> None:
    told = doctor("acme8", edit=lambda text: re.sub("secret_file.*\n", "", text))
    assert told.code == 2
    assert re.search("no client secret found for profile acme8.*keyring", wrong(told))
    assert "CLOUDSTORE_ACME8_SECRET" in wrong(told)


def test_a_wrong_organisation(doctor: Doctor) -> None:
    told = doctor("acme", edit=lambda text: text.replace('org = "acme"', 'org = "nobody"'))
    assert told.code == 3
    assert re.search("unknown in this realm\n +Check client_id, the secret, org and token_host ", wrong(told))


def test_a_secret_that_has_expired(doctor: Doctor, folder: Path, sandbox: Sandbox) -> None:
    (folder / "acme8.secret").write_text(EXPIRED.secret(sandbox.world))
    told = doctor("acme8", edit=lambda text: text.replace("acme8-edit", EXPIRED.client_id))
    assert told.code == 3
    assert "expired" in wrong(told)


@pytest.mark.usefixtures("moved_clock")
@pytest.mark.parametrize("profile", ["acme", "acme8"])
def test_a_clock_that_is_off(doctor: Doctor, profile: str) -> None:
    told = doctor(profile)
    assert told.code == 1
    assert re.search(rf"FAIL  {profile} clock .*this machine's clock is 30 min behind\n +Set it", wrong(told))


def test_a_configuration_that_cannot_be_read(doctor: Doctor) -> None:
    told = doctor(edit=lambda text: text + "requests_per_minut = 5\n")
    assert told.code == 2
    assert re.search(r"FAIL  configuration .*config\.toml:\d+.*requests_per_minut", wrong(told))
    assert "requests_per_minute" in wrong(told)


def test_a_service_that_does_not_answer_ends_in_time(doctor: Doctor) -> None:
    def edit(text: str) -> str:
        return re.sub(r'(api_base|token_url) = "http://127.0.0.1:\d+', r'\1 = "http://127.0.0.1:9', text)

    told = doctor("acme8", "--timeout", "2s", edit=edit)
    assert told.code == 4
    assert "FAIL  acme8 " in wrong(told)
    assert "Check the network and the addresses in the profile." in wrong(told)


def test_a_service_that_takes_the_call_and_says_nothing_ends_in_time(doctor: Doctor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        told = doctor("acme8", "--timeout", "1s", edit=lambda text: re.sub(r"127.0.0.1:\d+", f"127.0.0.1:{port}", text))
    assert told.code == 4
    assert re.search("FAIL  acme8 .*not answer.*\n +Check the address.*a proxy or a firewall", wrong(told))


def test_an_unknown_profile_is_said(doctor: Doctor) -> None:
    told = doctor("nobody")
    assert told.code == 2
    assert "nobody" in told.err


# Doubts: what works, but not in everything


def test_a_key_that_only_reads_in_a_profile_that_may_write_is_a_warning(
    doctor: Doctor, folder: Path, sandbox: Sandbox
) -> None:
    (folder / "acme8.secret").write_text(READER.secret(sandbox.world))
    done = doctor("acme8", edit=lambda text: text.replace("acme8-edit", READER.client_id))
    assert (done.code, done.err) == (0, "")
    assert re.search(r"warn  acme8 level .*take one of the level edit\n +Make a key of the level edit", done.out)


def test_a_read_only_profile_is_not_tried_for_writing(doctor: Doctor, sandbox: Sandbox) -> None:
    sandbox.log.clear()
    done = doctor("acme8", edit=lambda text: text.replace("read_only = false", "read_only = true"))
    assert (done.code, done.err) == (0, "")
    assert "level" not in done.out
    assert {seen.method for seen in sandbox.log.requests if not seen.path.endswith("/token")} == {"GET"}


def test_without_a_scope_for_imports_nothing_can_be_uploaded(doctor: Doctor) -> None:
    done = doctor("acme", edit=lambda text: text.replace(', "mediastorageapi.imports"', ""))
    assert (done.code, done.err) == (0, "")
    assert re.search("ok    acme uploads .*nothing can be uploaded", done.out)


def test_a_clock_that_is_off_by_little_is_a_warning(doctor: Doctor, sandbox: Sandbox) -> None:
    sandbox.world.clock.offset = 90
    try:
        done = doctor("acme8")
    finally:
        sandbox.world.clock.offset = 0
    assert (done.code, done.err) == (0, "")
    assert re.search(r"warn  acme8 clock .*clock is (8|9)\d s behind\n +Set it", done.out)


def test_a_configuration_that_a_group_can_write_is_a_warning(doctor: Doctor, folder: Path) -> None:
    (folder / "config.toml").chmod(0o660)
    done = doctor("acme8")
    assert (done.code, done.err) == (0, "")
    assert re.search(r"warn  configuration .*others can write it\n +Run: chmod go-w ", done.out)
