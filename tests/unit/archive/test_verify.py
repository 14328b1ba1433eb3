"""Checking a folder against its manifest."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import pytest
from msgspec.structs import replace

from cloudstore_tui.archive.bag import note_verified
from cloudstore_tui.archive.folder import PullFolder
from cloudstore_tui.archive.manifest import CHAIN, NAME, Manifest, failed_entry, fetched_entry, read_manifest
from cloudstore_tui.archive.runs import RunLog, RunOutcome, new_report
from cloudstore_tui.archive.verify import FileFinding, Found, verify_folder
from cloudstore_tui.core.errors import MissingError, common_code
from cloudstore_tui.transfers.workers import Stop

BODIES = {"2024/a.mp3": b"one" * 100, "2024/b.mp3": b"two", "c.json": b""}


@pytest.fixture
def pulled(tmp_path: Path) -> Path:
    """A folder with its manifest; one object could not be fetched."""
    folder = tmp_path / "calls"
    manifest = Manifest(folder)
    for path, body in BODIES.items():
        file = folder / path
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(body)
        line = {"profile": "acme8", "region": "uk", "id": path, "path": path}
        manifest.append(line | {"size": 1, "sha256": "of an earlier pull"})
        digest = hashlib.sha256(body).hexdigest()
        manifest.append(fetched_entry(line, file.stat(), "md5", digest, datetime.now(UTC)))
    manifest.append({"profile": "acme8", "region": "uk", "id": "z", "path": "z.mp3", "error": "z: gone.", "code": 8})
    manifest.close()
    return folder


def findings(folder: Path) -> dict[str, FileFinding]:
    return {finding.path: finding for finding in verify_folder(folder, Stop(), folder.parent / "scratch")}


def code(found: dict[str, FileFinding]) -> int:
    return common_code([finding.error for finding in found.values() if finding.error is not None])


def test_a_folder_that_is_as_it_was_is_good(pulled: Path) -> None:
    found = findings(pulled)
    assert {path: finding.found for path, finding in found.items()} == {
        **dict.fromkeys(BODIES, Found.GOOD),
        "z.mp3": Found.NOT_FETCHED,
    }
    assert code(found) == 0


@pytest.mark.parametrize("lost", ["empty", "missing"])
def test_lost_events_are_a_failure_once_and_begin_anew(pulled: Path, lost: str) -> None:
    if lost == "empty":
        (pulled / CHAIN).touch()
    else:
        run = replace(new_report("pull", pulled, ["acme8"]), outcome=RunOutcome.INCOMPLETE)
        RunLog(pulled, "pull").end(run)
    wrong = [(path, finding.text) for path, finding in findings(pulled).items() if finding.error]
    assert [path for path, _text in wrong] == [CHAIN]
    assert f"it is {lost}" in wrong[0][1]
    note_verified(pulled, {"good": 3, "chain": 1}, wrong)
    assert code(findings(pulled)) == 0
    events = [json.loads(line) for line in (pulled / CHAIN).read_text().splitlines()]
    assert [event["event"] for event in events] == ["adopted"] * 7 + ["changed", "verified"]
    assert events[-2]["path"] == CHAIN


@pytest.mark.parametrize("place", [0, 150, 299])
def test_one_flipped_byte_is_found(pulled: Path, place: int) -> None:
    file = pulled / "2024/a.mp3"
    body = bytearray(file.read_bytes())
    body[place] ^= 1
    file.write_bytes(body)
    found = findings(pulled)
    assert found["2024/a.mp3"].found is Found.CHANGED
    assert code(found) == 6


def test_a_file_of_another_length_a_missing_one_and_an_unlisted_one_are_reported(pulled: Path) -> None:
    (pulled / "2024/b.mp3").write_bytes(b"three")
    (pulled / "c.json").unlink()
    (pulled / "2024/new").write_bytes(b"")
    (pulled / "2024/.cs-0123456789ab.part").write_bytes(b"")
    found = findings(pulled)
    assert found["2024/b.mp3"].text == "it has 5 bytes instead of 3"
    assert found["c.json"].found is Found.MISSING
    assert found["2024/new"].found is Found.EXTRA
    assert found["2024/.cs-0123456789ab.part"].text == "a transfer into it is not done"
    assert code(found) == 1
    (pulled / "2024/b.mp3").write_bytes(BODIES["2024/b.mp3"])
    assert code(findings(pulled)) == 8


def test_files_are_never_looked_at_through_a_link(pulled: Path) -> None:
    (pulled / "2024").rename(pulled.parent / "elsewhere")
    (pulled / "2024").symlink_to(pulled.parent / "elsewhere")
    found = findings(pulled)
    assert found["2024/a.mp3"].error is not None
    assert found["2024/a.mp3"].error.code == 7
    assert found["2024"].found is Found.EXTRA


def test_a_manifest_cannot_name_files_outside_the_folder(pulled: Path) -> None:
    (pulled.parent / "secret").write_bytes(b"x")
    manifest = Manifest(pulled)
    for number, path in enumerate(("../secret", str(pulled.parent / "secret"), "2024/../../secret", "", ".")):
        line = {"profile": "acme8", "region": "uk", "id": f"evil{number}", "path": path, "sha256": "0" * 64, "size": 1}
        manifest.append(line)
    manifest.close()
    errors = [finding.error for finding in findings(pulled).values() if finding.error is not None]
    assert [error.code for error in errors] == [6, 7, 7, 7, 7]


def test_a_folder_without_a_manifest_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MissingError):
        list(verify_folder(tmp_path, Stop()))


@pytest.fixture
def tampered(tmp_path: Path) -> Path:
    """A folder of three objects; a byte of the first file is another one."""
    folder = tmp_path / "calls"
    manifest = Manifest(folder)
    for name in "abc":
        (folder / f"{name}.mp3").write_bytes(f"the bytes of {name}".encode())
        digest = hashlib.sha256((folder / f"{name}.mp3").read_bytes()).hexdigest()
        line = {"profile": "acme8", "region": "uk", "id": f"id-{name}", "path": f"{name}.mp3"}
        manifest.append(fetched_entry(line, (folder / f"{name}.mp3").stat(), "md5", digest, datetime.now(UTC)))
    manifest.close()
    (folder / "a.mp3").write_bytes(b"The bytes of a")
    return folder


def test_no_byte_of_the_manifest_hides_a_file_that_was_changed(tampered: Path) -> None:
    path = tampered / "manifest.jsonl"
    whole = path.read_bytes()
    for place in range(0, len(whole), 3):
        byte = (whole[place] ^ 1, ord("b"), ord("\n"), ord('"'), 0)[place % 5]
        path.write_bytes(whole[:place] + bytes([byte]) + whole[place + 1 :])
        errors = [finding.error for finding in verify_folder(tampered, Stop()) if finding.error]
        assert common_code(errors) != 0, (place, byte)


def test_no_byte_of_the_manifest_hides_a_file_that_is_gone(tampered: Path) -> None:
    (tampered / "a.mp3").unlink()
    path = tampered / "manifest.jsonl"
    whole = path.read_bytes()
    for place in range(0, len(whole), 3):
        path.write_bytes(whole[:place] + bytes([ord("b")]) + whole[place + 1 :])
        errors = [finding.error for finding in verify_folder(tampered, Stop()) if finding.error]
        assert common_code(errors) != 0, place


def test_a_line_that_cannot_be_read_is_a_failure_and_the_rest_is_checked(pulled: Path) -> None:
    path = pulled / "manifest.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], lines[3].replace(b'"path"', b'"pbth"'), *lines[4:]]))
    (pulled / "c.json").write_bytes(b"x")
    found = findings(pulled)
    assert found["manifest.jsonl line 4"].found is Found.DAMAGED
    assert found["c.json"].found is Found.CHANGED
    assert found["2024/a.mp3"].found is Found.GOOD
    assert code(found) == 6


@pytest.mark.parametrize(
    "path", ["x\0y", "\ud800", "a/\0/b", "x" * 5000, "d/" * 3000 + "x", "2024", "2024/a.mp3/x", "c.json/"]
)
def test_an_odd_path_is_a_failure_and_the_rest_is_checked(pulled: Path, path: str) -> None:
    manifest = Manifest(pulled)
    facts = {"path": path, "size": 1, "sha256": "0" * 64, "sidecar": path}
    manifest.append({"profile": "acme8", "region": "uk", "id": "odd", **facts})
    manifest.close()
    found = findings(pulled)
    assert code(found) != 0
    assert found["2024/a.mp3"].found is Found.GOOD


def test_a_file_from_before_is_checked_although_its_new_version_could_not_be_fetched(pulled: Path) -> None:
    line = next(line for line in read_manifest(pulled / NAME) if line["path"] == "2024/b.mp3" and "mtime" in line)
    manifest = Manifest(pulled)
    manifest.append(failed_entry(line, MissingError("it is gone"), line))
    manifest.close()
    found = findings(pulled)
    assert (found["2024/b.mp3"].found, found["2024/b.mp3"].text) == (Found.NOT_FETCHED, "It is gone.")
    (pulled / "2024/b.mp3").write_bytes(b"tw0")
    found = findings(pulled)
    assert (found["2024/b.mp3"].found, code(found)) == (Found.CHANGED, 6)


def test_a_line_without_a_digest_is_a_failure(pulled: Path) -> None:
    (pulled / "new").write_bytes(b"x")
    manifest = Manifest(pulled)
    manifest.append({"profile": "acme8", "region": "uk", "id": "n", "path": "new", "size": 1})
    manifest.close()
    assert findings(pulled)["new"].found is Found.DAMAGED


RECORD = {"profile": "acme8", "region": "uk", "id": "s", "checksum": "abc"}


@pytest.mark.parametrize(
    ("beside", "found"),
    [
        (json.dumps(RECORD | {"tags": {"a": "b"}}), None),
        (None, Found.MISSING),
        ("", Found.CHANGED),
        ('{"profile": "acme8"', Found.CHANGED),
        ("[" * 100_000, Found.CHANGED),
        (json.dumps(RECORD | {"id": "of another object"}), Found.CHANGED),
        (json.dumps(RECORD | {"checksum": "of another version"}), Found.CHANGED),
        ("7", Found.CHANGED),
    ],
)
def test_a_sidecar_must_describe_its_object(pulled: Path, beside: str | None, found: Found | None) -> None:
    file = pulled / "2024/s.mp3"
    file.write_bytes(b"sound")
    manifest = Manifest(pulled)
    line = RECORD | {"path": "2024/s.mp3", "sidecar": "s.mp3.json"}
    digest = hashlib.sha256(b"sound").hexdigest()
    manifest.append(fetched_entry(line, file.stat(), "md5", digest, datetime.now(UTC)))
    manifest.close()
    if beside is not None:
        (pulled / "2024/s.mp3.json").write_text(beside)
    listed = findings(pulled)
    assert listed["2024/s.mp3"].found is Found.GOOD
    finding = listed.get("2024/s.mp3.json")
    assert (finding.found if finding else None) == found
    assert (code(listed) != 0) == (found is not None)


def test_a_folder_that_is_swapped_for_a_link_between_look_and_read_is_never_left(
    pulled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = pulled.parent / "outside"
    outside.mkdir()
    (outside / "a.mp3").write_bytes(BODIES["2024/a.mp3"])
    sha256 = PullFolder.sha256

    def swapping(self: PullFolder, path: PurePosixPath, stop: Stop) -> str:
        if not (pulled / "2024").is_symlink():
            (pulled / "2024").rename(pulled.parent / "moved")
            (pulled / "2024").symlink_to(outside)
        return sha256(self, path, stop)

    monkeypatch.setattr(PullFolder, "sha256", swapping)
    assert findings(pulled)["2024/a.mp3"].found is Found.CHANGED
