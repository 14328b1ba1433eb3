"""Checking a folder against its manifest."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cloudstore_tui.archive.manifest import Manifest, fetched_entry
from cloudstore_tui.archive.verify import Finding, Found, Verification
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


def findings(folder: Path) -> dict[str, Finding]:
    return {finding.path: finding for finding in Verification(folder, folder.parent / "scratch").findings(Stop())}


def code(found: dict[str, Finding]) -> int:
    return common_code([finding.error for finding in found.values() if finding.error is not None])


def test_a_folder_that_is_as_it_was_is_good(pulled: Path) -> None:
    found = findings(pulled)
    assert {path: finding.found for path, finding in found.items()} == {
        **dict.fromkeys(BODIES, Found.GOOD),
        "z.mp3": Found.NOT_FETCHED,
    }
    assert code(found) == 0


@pytest.mark.parametrize("place", [0, 150, 299])
def test_one_flipped_byte_is_found(pulled: Path, place: int) -> None:
    file = pulled / "2024/a.mp3"
    body = bytearray(file.read_bytes())
    body[place] ^= 1
    file.write_bytes(body)
    found = findings(pulled)
    assert found["2024/a.mp3"].found is Found.CHANGED
    assert code(found) == 6


def test_a_file_of_another_length_a_missing_one_and_an_unknown_one_are_told(pulled: Path) -> None:
    (pulled / "2024/b.mp3").write_bytes(b"three")
    (pulled / "c.json").unlink()
    (pulled / "2024/new").write_bytes(b"")
    found = findings(pulled)
    assert found["2024/b.mp3"].text == "it has 5 bytes instead of 3"
    assert found["c.json"].found is Found.MISSING
    assert found["2024/new"].found is Found.EXTRA
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


def test_a_folder_without_a_manifest_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingError):
        list(Verification(tmp_path).findings(Stop()))
