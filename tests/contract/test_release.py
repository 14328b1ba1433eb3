"""`rm --proved-by`: nothing is deleted of which the folder has no good copy, whatever happens on the way."""

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.archive.release import ProofFolder
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.core.provider import DeletionOutcome
from cloudstore_tui.sandbox.server import Ready
from tests.support.commands import Cloudstore
from tests.support.sandbox import own_sandbox

TYPE = "type:callcenterrecording"


sandbox_server = own_sandbox()


@pytest.fixture
def run(ready: Ready, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Cloudstore:
    return Cloudstore(capfd, {"CLOUDSTORE_CONFIG": str(ready.config)}, tmp_path)


@pytest.fixture
def pulled(run: Cloudstore, tmp_path: Path) -> dict[str, Path]:
    """The files of some recordings, by the addresses of their objects."""
    first = run("find", "acme8:us-east", TYPE, "--limit", "6", "--json").records[-1]["created"]
    done = run("pull", "acme8:us-east", TYPE, "--since", first, "--to", "archive")
    assert done.code == 0, done.err
    lines = map(json.loads, (tmp_path / "archive" / "manifest.jsonl").read_text().splitlines())
    return {f"acme8:{line['region']}/{line['id']}": tmp_path / "archive" / line["path"] for line in lines}


def left(run: Cloudstore, addresses: dict[str, Path]) -> set[str]:
    return {address for address in addresses if run("stat", address).code == 0 and "REVOKED" not in state(run, address)}


def state(run: Cloudstore, address: str) -> str:
    return str(run("stat", address, "--json").records[0].get("state"))


def test_objects_with_a_good_copy_are_deleted_and_the_folder_records_it(
    run: Cloudstore, pulled: dict[str, Path], tmp_path: Path
) -> None:
    assert run("rm").code == 2
    asked = run("rm", "--proved-by", "archive")
    assert (asked.code, "obody is there to confirm" in asked.err) == (2, True)
    planned = run("rm", "--proved-by", "archive", "--dry-run")
    assert (planned.code, planned.out.count("would delete")) == (0, len(pulled))
    assert left(run, pulled) == set(pulled)
    done = run("rm", "--proved-by", "archive", "--yes", "--json")
    assert (done.code, len(done.records)) == (0, len(pulled)), done.err
    assert left(run, pulled) == set()
    events = [json.loads(line) for line in (tmp_path / "archive" / "events.jsonl").read_text().splitlines()]
    released = [event for event in events if event["event"] == "released"]
    assert {event["of"] for event in released} == set(pulled)
    assert {event["outcome"] for event in released} == {DeletionOutcome.DELETED.value}
    assert run("verify", "archive").code == 0


def flip(path: Path) -> None:
    data, found = bytearray(path.read_bytes()), path.stat()
    data[7] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def swap_for_a_link(path: Path) -> None:
    shutil.move(path, path.parent.parent / "elsewhere")
    path.symlink_to(path.parent.parent / "elsewhere")


def truncate(path: Path) -> None:
    path.write_bytes(b"")


def hide(path: Path) -> None:
    path.unlink()


def forget(path: Path) -> None:
    """Take the object's line out of the manifest."""
    manifest = path.parent / "manifest.jsonl"
    lines = manifest.read_text().splitlines(keepends=True)
    manifest.write_text("".join(line for line in lines if json.loads(line)["path"] != path.name))


def unproven(path: Path) -> None:
    """Let the manifest say that the bytes were compared with nothing."""
    manifest = path.parent / "manifest.jsonl"
    lines = [json.loads(line) for line in manifest.read_text().splitlines()]
    told = [line | {"level": "size"} if line["path"] == path.name else line for line in lines]
    manifest.write_text("".join(json.dumps(line) + "\n" for line in told))


def older(path: Path) -> None:
    """Let the manifest tell of another version."""
    manifest = path.parent / "manifest.jsonl"
    lines = [json.loads(line) for line in manifest.read_text().splitlines()]
    told = [line | {"checksum": "0" * 32} if line["path"] == path.name else line for line in lines]
    manifest.write_text("".join(json.dumps(line) + "\n" for line in told))


BEFORE = (flip, swap_for_a_link, truncate, hide, forget, unproven, older)
MEANWHILE = (flip, swap_for_a_link, truncate, hide)


@pytest.mark.parametrize("number", range(6))
def test_in_every_order_of_mishaps_only_what_is_good_goes(
    run: Cloudstore, pulled: dict[str, Path], monkeypatch: pytest.MonkeyPatch, number: int, tmp_path: Path
) -> None:
    drawn = random.Random(number)
    addresses = sorted(pulled)
    drawn.shuffle(addresses)
    hit_before, hit_meanwhile = addresses[0], addresses[1]
    drawn.choice(BEFORE)(pulled[hit_before])
    damage: Callable[[Path], None] = drawn.choice(MEANWHILE)
    still_proved = ProofFolder.still_proved

    def mishap(self: ProofFolder, entry: StoredObject) -> str:
        if entry.location.address == hit_meanwhile and not pulled[hit_meanwhile].with_suffix(".hit").exists():
            damage(pulled[hit_meanwhile])
            pulled[hit_meanwhile].with_suffix(".hit").touch()
        return still_proved(self, entry)

    monkeypatch.setattr(ProofFolder, "still_proved", mishap)
    done = run("rm", "--proved-by", "archive", *addresses, "--yes", "--json")
    assert done.code in (1, 6), done.err
    assert left(run, pulled) == {hit_before, hit_meanwhile}, done.out
    kept = {record["path"]: record["error"] for record in done.records if "error" in record}
    assert set(kept) == {hit_before, hit_meanwhile}
    assert all("it is kept: " in why for why in kept.values())


def test_what_was_replaced_at_the_service_meanwhile_stays(
    run: Cloudstore, pulled: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    prove: Any = ProofFolder.prove

    def proving(self: ProofFolder, entry: StoredObject, stop: Any) -> str:
        why: str = prove(self, entry, stop)
        self._database.execute("UPDATE proved SET checksum = 'of another version'")
        return why

    monkeypatch.setattr(ProofFolder, "prove", proving)
    done = run("rm", "--proved-by", "archive", "--yes")
    assert (done.code, left(run, pulled)) == (6, set(pulled)), done.err
    assert "changed at the service meanwhile" in done.err


def test_a_folder_that_is_filled_proves_nothing(run: Cloudstore, pulled: dict[str, Path], tmp_path: Path) -> None:
    other = ProofFolder(tmp_path / "archive")
    try:
        assert run("rm", "--proved-by", "archive", "--yes").code == 10
    finally:
        other.close()
    assert run("rm", "--proved-by", "nowhere", "--yes").code == 8
    assert left(run, pulled) == set(pulled)
