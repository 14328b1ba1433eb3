"""A sealed folder: others accept it, and whatever is done to it afterwards is found and named."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath

import pytest

from cloudstore_tui.archive.bag import seal
from cloudstore_tui.archive.folder import PullFolder
from cloudstore_tui.archive.manifest import Manifest, failed_entry, fetched_entry, read_manifest
from cloudstore_tui.archive.registry import ArchiveRegistry
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.sandbox.server import Ready
from cloudstore_tui.transfers.workers import Stop
from tests.support.commands import Cloudstore
from tests.support.environment import own_environment

WHICH = ("acme8:us-east", "type:callcenterrecording", "--since", "2024-09-01T09:00Z")
PULL = ("pull", *WHICH, "--until", "2024-09-01T09:30Z", "--to", "calls")
LATER = ("pull", *WHICH, "--until", "2024-09-01T09:50Z", "--to", "calls")


def run(*command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=cwd)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a sealed folder and a key are kept for all tests of this file."""
    return tmp_path_factory.mktemp("sealed")


@pytest.fixture
def bag(kept: Path, cloudstore: Cloudstore, ready: Ready, tmp_path: Path) -> Path:
    """A folder that was pulled, sealed and signed, and beside it who may sign."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip("there is no ssh-keygen")
    if not (kept / "calls").exists():
        assert run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", kept / "key").returncode == 0
        (kept / "signers").write_text(f"auditor@example.org {(kept / 'key.pub').read_text()}")
        done = cloudstore(*PULL, "--sidecar")
        assert done.code == 0, done.err
        done = cloudstore("seal", "calls", "--sign", str(kept / "key"))
        assert done.code == 0, done.err
        shutil.move(tmp_path / "calls", kept / "calls")
    shutil.copytree(kept / "calls", tmp_path / "calls")
    shutil.copy(kept / "signers", tmp_path)
    return tmp_path / "calls"


def recordings(bag: Path) -> list[Path]:
    return sorted((bag / "data").glob("*.mp3"))


def test_four_programs_accept_it(bag: Path, cloudstore: Cloudstore, tmp_path: Path) -> None:
    names = {path.name for path in bag.iterdir()}
    assert {"data", "bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt"} <= names
    valid = run(sys.executable, "-m", "bagit", "--validate", bag)
    assert valid.returncode == 0, valid.stderr
    assert run("sha256sum", "-c", "--quiet", "--strict", "manifest-sha256.txt", cwd=bag).returncode == 0
    assert run("sha256sum", "-c", "--quiet", "--strict", "tagmanifest-sha256.txt", cwd=bag).returncode == 0
    with (bag / "tagmanifest-sha256.txt").open("rb") as covered:
        who = ["-I", "auditor@example.org", "-f", str(tmp_path / "signers")]
        what = ["-n", "cloudstore-seal", "-s", str(bag / "tagmanifest-sha256.txt.sig")]
        signed = subprocess.run(
            ["ssh-keygen", "-Y", "verify", *who, *what],
            stdin=covered,
            capture_output=True,
            check=False,
        )
    assert signed.returncode == 0, signed.stderr
    done = cloudstore("verify", "calls", "--signers", "signers", "--json")
    assert (done.code, done.report["seal"], done.report["chain"], done.report["signed"]) == (0, 0, 0, 1), done.err
    assert done.report["good"] == len(recordings(bag)) > 3


@pytest.mark.parametrize("option", ["--signers", "--authority"])
def test_proof_that_is_asked_for_is_missing_where_there_is_no_seal(
    cloudstore: Cloudstore, tmp_path: Path, option: str
) -> None:
    (tmp_path / "trusted").write_text("")
    assert cloudstore("pull", "acme8", "type:summary", "on:2024-09-01", "--to", "plain").code == 0
    assert cloudstore("verify", "plain").code == 0
    done = cloudstore("verify", "plain", option, "trusted")
    assert (done.code, "the folder is not sealed" in done.err) == (6, True)


def test_what_a_seal_proves_is_reported_part_by_part(bag: Path, cloudstore: Cloudstore) -> None:
    def told(*options: str) -> tuple[int, str]:
        done = cloudstore("verify", "calls", "-q", *options)
        return done.code, done.out.strip()

    whole = f"{len(recordings(bag))} good; the seal and the events are whole"
    assert told("--signers", "signers") == (0, f"{whole}: signed, no time stamp")
    (bag / "tagmanifest-sha256.txt.sig").unlink()
    assert told() == (0, f"{whole}: not signed, no time stamp")
    assert told("--signers", "signers") == (6, f"{whole}: not signed as it has to be, no time stamp")
    (bag / "bagit.txt").write_text("BagIt-Version: 0.97\n")
    assert told() == (6, f"{len(recordings(bag))} good, 1 seal")


def test_what_came_after_all_is_not_missing_in_a_seal(tmp_path: Path) -> None:
    folder = tmp_path / "calls"
    folder.mkdir()
    (folder / "a.mp3").write_bytes(b"a")
    here, lost = ({"profile": "acme8", "region": "uk", "id": id_, "path": f"{id_}.mp3"} for id_ in "ab")
    digest = hashlib.sha256(b"a").hexdigest()
    manifest = Manifest(folder)
    for line in (here, lost, lost):
        manifest.append(failed_entry(line, StorageError("it did not come"), None))
    # The last run was killed before it could leave the lines that count.
    manifest.append(fetched_entry(here, (folder / "a.mp3").stat(), "md5", digest, datetime.now(UTC)))
    manifest.close()
    sealed = seal(folder, Stop(), tmp_path)
    assert (sealed.files, sealed.missing) == (2, 1)


def events(bag: Path) -> list[str]:
    return (bag / "events.jsonl").read_text().splitlines(keepends=True)


def flip(bag: Path) -> None:
    data = bytearray(recordings(bag)[0].read_bytes())
    data[1000] ^= 1
    keep_time(recordings(bag)[0], bytes(data))


def keep_time(path: Path, data: bytes) -> None:
    """Write a file so that its time does not tell."""
    found = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def swap(bag: Path) -> None:
    one, other = recordings(bag)[:2]
    one.rename(bag / "x")
    other.rename(one)
    (bag / "x").rename(other)


def truncate(bag: Path) -> None:
    keep_time(recordings(bag)[0], b"")


def link(bag: Path) -> None:
    shutil.move(recordings(bag)[0], bag.parent / "elsewhere.mp3")
    (bag / "data" / "elsewhere.mp3").symlink_to(bag.parent / "elsewhere.mp3")


def same_through_a_link(bag: Path) -> None:
    first = recordings(bag)[0]
    shutil.move(first, bag.parent / "elsewhere.mp3")
    first.symlink_to(bag.parent / "elsewhere.mp3")


def add(bag: Path) -> None:
    (bag / "data" / "added.mp3").write_bytes(b"never recorded")


def rename(bag: Path) -> None:
    recordings(bag)[0].rename(bag / "data" / "renamed.mp3")


def remove(bag: Path) -> None:
    recordings(bag)[0].unlink()


def drop_line(bag: Path) -> None:
    path = bag / "data" / "manifest.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))


def rewrite(bag: Path) -> None:
    """Other bytes, and all digests that are not signed made to fit; the events, too."""
    path, manifest = recordings(bag)[0], bag / "data" / "manifest.jsonl"
    old = hashlib.sha256(path.read_bytes()).hexdigest()
    flip(bag)
    new = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest.write_text(manifest.read_text().replace(old, new))
    refresh(bag)


def refresh(bag: Path) -> None:
    """Make the bag's own digests fit what is there."""
    lines = (bag / "manifest-sha256.txt").read_text().splitlines()
    names = [line.partition("  ")[2] for line in lines]
    digests = {name: hashlib.sha256((bag / name).read_bytes()).hexdigest() for name in names}
    (bag / "manifest-sha256.txt").write_text("".join(f"{digest}  {name}\n" for name, digest in digests.items()))
    tags = ("bag-info.txt", "bagit.txt", "manifest-sha256.txt")
    digests = {name: hashlib.sha256((bag / name).read_bytes()).hexdigest() for name in tags}
    (bag / "tagmanifest-sha256.txt").write_text("".join(f"{digest}  {name}\n" for name, digest in digests.items()))


def forget_an_event(bag: Path) -> None:
    lines = events(bag)
    (bag / "events.jsonl").write_text("".join(lines[:1] + lines[2:]))


def reorder(bag: Path) -> None:
    lines = events(bag)
    (bag / "events.jsonl").write_text("".join([lines[1], lines[0], *lines[2:]]))


def cut(bag: Path) -> None:
    (bag / "events.jsonl").write_text("".join(events(bag)[:-2]))


def chained(told: list[dict[str, object]]) -> str:
    """Events, each with the digest of the one before it."""
    before, lines = "0" * 64, []
    for number, event in enumerate(told, 1):
        text = json.dumps({**event, "n": number, "prev": before})
        before = hashlib.sha256(text.encode()).hexdigest()
        lines.append(text + "\n")
    return "".join(lines)


def another_past(bag: Path) -> None:
    """All events written anew, with digests that fit."""
    told = [json.loads(line) for line in events(bag)]
    (bag / "events.jsonl").write_text(chained([{**event, "by": "nobody"} for event in told]))


def set_the_clock_back(bag: Path) -> None:
    told = [json.loads(line) for line in events(bag)]
    told.append({**told[-1], "event": "verified", "at": "2019-01-01T00:00:00+00:00"})
    (bag / "events.jsonl").write_text(chained(told))


def other_facts(bag: Path) -> None:
    path = bag / "bag-info.txt"
    path.write_text(path.read_text().replace("Cloudstore-Missing: 0", "Cloudstore-Missing: 1"))


def other_digest(bag: Path) -> None:
    path = bag / "manifest-sha256.txt"
    path.write_text(path.read_text().replace("a", "b", 1))


def no_declaration(bag: Path) -> None:
    (bag / "bagit.txt").unlink()


def other_tags(bag: Path) -> None:
    """A seal that fits and that nobody signed."""
    other_facts(bag)
    refresh(bag)


def unsigned(bag: Path) -> None:
    (bag / "tagmanifest-sha256.txt.sig").unlink()


MUTANTS: list[tuple[Callable[[Path], None], set[str]]] = [
    (flip, {"changed", "seal"}),
    (swap, {"changed", "seal"}),
    (truncate, {"changed", "seal"}),
    (link, {"missing", "seal"}),
    (same_through_a_link, {"missing", "seal"}),
    (add, {"seal"}),
    (rename, {"missing", "seal"}),
    (remove, {"missing", "seal"}),
    (drop_line, {"chain", "seal"}),
    (rewrite, {"chain", "signature"}),
    (forget_an_event, {"chain"}),
    (reorder, {"chain"}),
    (cut, {"chain"}),
    (another_past, {"chain"}),
    (set_the_clock_back, {"chain"}),
    (other_facts, {"seal"}),
    (other_digest, {"seal"}),
    (no_declaration, {"seal"}),
    (other_tags, {"signature"}),
    (unsigned, {"signature"}),
]


@pytest.mark.parametrize(("tamper", "kinds"), MUTANTS, ids=lambda value: getattr(value, "__name__", ""))
def test_whatever_is_done_to_it_is_found_and_named(
    bag: Path, cloudstore: Cloudstore, tamper: Callable[[Path], None], kinds: set[str]
) -> None:
    tamper(bag)
    done = cloudstore("verify", "calls", "--signers", "signers", "--json")
    assert done.code in (1, 6, 8), done.out
    found = {name for name in ("changed", "missing", "chain", "seal", "signature") if done.report[name]}
    assert kinds <= found, done.out
    if kinds == {"chain"}:
        assert found == {"chain"}, done.out
    if kinds == {"signature"}:
        assert found == {"signature"}, done.out


def test_a_clock_set_back_fails_one_verification_and_is_reported_by_all(bag: Path, cloudstore: Cloudstore) -> None:
    set_the_clock_back(bag)
    first = cloudstore("verify", "calls", "--json")
    assert (first.code, first.report["chain"], "verify again" in first.err) == (6, 1, True), first.err
    assert cloudstore("status", "calls").code == 1
    second = cloudstore("verify", "calls", "--json")
    assert (second.code, second.report["chain"], second.report["clock_set_back"]) == (0, 0, 1), second.err
    assert "an earlier verification has reported it" in second.err
    assert cloudstore("status", "calls").code == 0
    # Whatever else is wrong there is no matter of a clock.
    told = [json.loads(line) for line in events(bag)]
    told[-1]["prev"] = "0" * 64
    (bag / "events.jsonl").write_text("".join(f"{json.dumps(event)}\n" for event in told))
    assert cloudstore("verify", "calls").code == 6


@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", ["bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt"])
def test_nothing_in_the_place_of_its_own_files_is_waited_for(bag: Path, cloudstore: Cloudstore, name: str) -> None:
    (bag / name).unlink()
    os.mkfifo(bag / name)
    done = cloudstore("verify", "calls", "--signers", "signers", "--json")
    assert done.code == 6, done.out
    assert done.report["seal"] or done.report["signature"], done.out
    assert cloudstore("seal", "calls").code == 0
    assert cloudstore("verify", "calls", "--json").code == 0


def watched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of all files whose bytes are read from now on."""
    read: list[str] = []
    sha256 = PullFolder.sha256

    def reading(self: PullFolder, path: PurePosixPath, stop: Stop) -> str:
        read.append(path.name)
        return sha256(self, path, stop)

    monkeypatch.setattr(PullFolder, "sha256", reading)
    return read


def test_a_pull_goes_on_and_sealing_again_reads_only_what_is_new(
    bag: Path, cloudstore: Cloudstore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = {path.name for path in recordings(bag)}
    shutil.copytree(bag, tmp_path / "earlier")
    done = cloudstore(*LATER, "--json", XDG_STATE_HOME=str(tmp_path / "state"))
    assert (done.code, done.report["had"]) == (0, len(before)), done.err
    new = {path.name for path in recordings(bag)} - before
    assert len(new) == done.report["fetched"] > 0
    assert not list(bag.glob("*.mp3"))
    done = cloudstore("verify", "calls", "--signers", "signers", "--json")
    assert (done.code, done.report["not_sealed"]) == (0, len(new) + 1), done.err
    read = watched(monkeypatch)
    done = cloudstore("seal", "calls", "--json")
    assert done.code == 0, done.err
    assert not any(name.endswith(".mp3") for name in read)
    assert run(sys.executable, "-m", "bagit", "--validate", bag).returncode == 0
    read.clear()
    done = cloudstore("verify", "calls", "--json")
    assert (done.code, done.report["not_sealed"], done.report["good"]) == (0, 0, len(before | new)), done.err
    assert len(read) == len(set(read)), "a file was read twice"
    assert before | new <= set(read)
    # The browser knows of it.
    (known,) = tmp_path.rglob("archives.json")
    (archive,) = ArchiveRegistry(known).refresh()
    assert (archive.archive.folder, archive.is_good, archive.sealed != "") == (str(bag), True, True)

    for name in ("bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", "tagmanifest-sha256.txt.sig"):
        shutil.copy(tmp_path / "earlier" / name, bag)
    done = cloudstore("verify", "calls", "--signers", "signers", "--json")
    assert (done.code, done.report["seal"], done.report["signed"]) == (6, 1, 1), done.out
    assert "an earlier seal was put back" in done.err


def test_a_pull_that_is_killed_breaks_no_seal(bag: Path, cloudstore: Cloudstore, ready: Ready, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cloudstore_tui", *LATER, "--via", "content"]
    environment = own_environment(CLOUDSTORE_CONFIG=str(ready.config), CLOUDSTORE_CRASH_AT="after_unlink")
    assert subprocess.run(command, cwd=tmp_path, env=environment, timeout=60, check=False).returncode == -9
    (bag / "data" / ".cs-0123456789ab.part").touch()
    done = cloudstore("verify", "calls", "--json")
    assert (done.code, done.report["seal"], done.report["extra"] >= 2) == (1, 0, True), done.err
    assert "did not come to its end" in done.err
    # Even where nothing but the events says so any more, and no other pull brings it.
    (bag / "last-pull.json").rename(tmp_path / "last-pull.json")
    (bag / "data" / "other.mp3").touch()
    done = cloudstore("verify", "calls")
    assert (done.code, "other.mp3: it was not there when the folder was sealed. Remove it, or" in done.err) == (6, True)
    (bag / "data" / "other.mp3").unlink()
    done = cloudstore("verify", "calls", "--json")
    assert (done.code, done.report["seal"], done.report["extra"] >= 2) == (0, 0, True), done.err
    (brought,) = [note for note in done.err.splitlines() if ": extra: " in note and "interrupted pull" in note]
    assert f"{WHICH[0]} " in brought
    assert cloudstore("seal", "calls").code == 9
    shutil.copytree(bag, tmp_path / "again", ignore=shutil.ignore_patterns(".cs-*"))
    sealed = cloudstore("seal", "again")
    assert (sealed.code, f"not list it: {brought.partition(': ')[0]}" in sealed.out) == (0, True), sealed.out
    assert cloudstore("verify", "again", "--json").report["not_sealed"] == 0
    (tmp_path / "last-pull.json").rename(bag / "last-pull.json")
    assert cloudstore(*LATER).code == 0
    # Not done yet, and no sign of a broken seal either.
    assert cloudstore("verify", "calls").code == 0
    (bag / "data" / "other.mp3").touch()
    assert cloudstore("verify", "calls").code == 6


def test_a_sample_reads_the_same_part_for_the_same_seed(
    bag: Path, cloudstore: Cloudstore, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = watched(monkeypatch)
    parts = []
    for seed in ("1", "1", "2"):
        read.clear()
        done = cloudstore("verify", "calls", "--sample", "30%", "--seed", seed, "--json")
        parts.append({name for name in read if name.endswith(".mp3")})
        numbers = [done.report[name] for name in ("good", "not_read")]
        assert (done.code, numbers) == (0, [len(parts[-1]), len(recordings(bag)) - len(parts[-1])])
    assert parts[0] == parts[1] != parts[2]
    assert 0 < len(parts[0]) < len(recordings(bag))


def test_what_is_not_what_was_fetched_is_not_sealed(bag: Path, cloudstore: Cloudstore) -> None:
    recordings(bag)[0].write_bytes(b"x")
    done = cloudstore("seal", "calls")
    assert (done.code, recordings(bag)[0].name in done.err) == (6, True)
    assert cloudstore("seal", "nowhere").code == 8


def test_a_folder_that_cannot_be_sealed_stays_as_it_was(cloudstore: Cloudstore, tmp_path: Path) -> None:
    assert cloudstore(*PULL).code == 0
    folder = tmp_path / "calls"
    for name, text, code in (("note.txt", b"", 7), (".cs-0123456789ab.part", b"", 9), ("", b"changed", 6)):
        spoilt = folder / (name or next(folder.glob("*.mp3")).name)
        before = spoilt.read_bytes() if spoilt.exists() else None
        if name == "note.txt":
            spoilt.symlink_to("/dev/null")
        else:
            spoilt.write_bytes(text)
        names = sorted(path.name for path in folder.iterdir())
        assert cloudstore("seal", "calls").code == code
        assert sorted(path.name for path in folder.iterdir()) == names
        told = cloudstore("verify", "calls", "--json").report
        assert (told["chain"], told["seal"]) == (0, 0)
        spoilt.unlink()
        if before is not None:
            spoilt.write_bytes(before)
    assert cloudstore("seal", "calls").code == 0
    assert cloudstore("verify", "calls").code == 0


def test_names_that_look_like_encoded_ones_are_sealed_as_they_are(cloudstore: Cloudstore, tmp_path: Path) -> None:
    assert cloudstore(*PULL).code == 0
    names = ("a%0Ab", "a\nb", "%250d", "%0d\r", "100%25", "%2E.txt")
    for name in names:
        (tmp_path / "calls" / name).write_text(name)
    assert cloudstore("seal", "calls").code == 0
    told = cloudstore("verify", "calls", "--json").report
    assert (told["seal"], told["chain"], told["extra"]) == (0, 0, len(names))
    lines = (tmp_path / "calls" / "manifest-sha256.txt").read_text()
    assert all(f"  data/{text}\n" in lines for text in ("a%250Ab", "a%0Ab", "100%25", "%2E.txt"))


def test_a_key_that_cannot_sign_is_reported_as_that(bag: Path, cloudstore: Cloudstore, tmp_path: Path) -> None:
    signed = (bag / "tagmanifest-sha256.txt.sig").read_bytes()
    done = cloudstore("seal", "calls", "--sign", "nokey")
    assert (done.code, "nokey: there is no such key" in done.err) == (2, True)
    assert (bag / "tagmanifest-sha256.txt.sig").read_bytes() == signed
    (tmp_path / "badkey").write_text("bad")
    done = cloudstore("seal", "calls", "--sign", "badkey")
    assert (done.code, "It is sealed, without a signature." in done.err) == (2, True)
    assert cloudstore("verify", "calls").code == 0


def test_sealing_that_was_interrupted_goes_on(bag: Path, cloudstore: Cloudstore, tmp_path: Path) -> None:
    inside = bag / ".data.new"
    (bag / "data").rename(inside)
    for path in list(inside.iterdir())[:5]:
        path.rename(bag / path.name)
    for words in (("verify", "calls"), PULL):
        assert cloudstore(*words).code == 9
    assert cloudstore("seal", "calls").code == 0
    # The pull that could not begin is made up for by another one.
    assert "did not come to its end" in cloudstore("verify", "calls").err
    assert cloudstore(*PULL).code == 0
    assert cloudstore("verify", "calls").code == 0
    assert run(sys.executable, "-m", "bagit", "--validate", bag).returncode == 0


def test_the_manifest_is_a_view_of_the_events(bag: Path, cloudstore: Cloudstore) -> None:
    manifest = bag / "data" / "manifest.jsonl"
    whole = list(read_manifest(manifest))
    manifest.unlink()
    done = cloudstore(*PULL, "--json")
    assert (done.code, done.report["fetched"], done.report["had"]) == (0, 0, len(whole)), done.err
    assert "written anew from events.jsonl" in done.err
    assert list(read_manifest(manifest)) == whole


@pytest.mark.parametrize("emptied", [False, True])
def test_a_folder_without_events_begins_them_with_its_manifest(
    bag: Path, cloudstore: Cloudstore, emptied: bool
) -> None:
    for name in ("events.jsonl", "bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt"):
        (bag / name).unlink()
    (bag / "tagmanifest-sha256.txt.sig").unlink()
    if emptied:
        (bag / "events.jsonl").touch()
    assert cloudstore(*PULL).code == 0
    assert {json.loads(line)["event"] for line in events(bag)} == {"adopted", "pulled"}
    assert cloudstore("seal", "calls").code == 0
    assert cloudstore("verify", "calls").code == 0


def test_a_folder_that_is_filled_is_verified_later(bag: Path, cloudstore: Cloudstore) -> None:
    folder = PullFolder(bag / "data")
    folder.lock()
    done = cloudstore("verify", "calls", "--json")
    assert (done.code, done.report["good"], done.report["chain"]) == (10, len(recordings(bag)), 1), done.err
    folder.unlock()
    assert cloudstore("verify", "calls").code == 0


AUTHORITY = """
[ req ]
distinguished_name = dn
[ dn ]
[ ca ]
basicConstraints = critical, CA:TRUE
[ tsa ]
default_tsa = here
[ here ]
serial = serial
signer_cert = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
[ stamps ]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Who stamps what it is asked to, by OpenSSL: its URL and its folder."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl")
    here = tmp_path_factory.mktemp("authority")
    (here / "conf").write_text(AUTHORITY)
    (here / "serial").write_text("01\n")

    def openssl(*words: str) -> None:
        done = run("openssl", *words, cwd=here)
        assert done.returncode == 0, done.stderr

    for name in ("ca", "other"):
        made = ("-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-config", "conf", "-extensions", "ca")
        openssl("req", *made, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
    wish = ("-new", "-newkey", "rsa:2048", "-nodes", "-config", "conf", "-subj", "/CN=stamps")
    openssl("req", *wish, "-keyout", "tsa.key", "-out", "tsa.csr")
    by = ("-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", "2", "-days", "30")
    openssl("x509", "-req", "-in", "tsa.csr", *by, "-extfile", "conf", "-extensions", "stamps", "-out", "tsa.pem")

    class Stamps(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["Content-Type"] == "application/timestamp-query"
            (here / "query").write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path != "/same-again":
                openssl("ts", "-reply", "-config", "conf", "-queryfile", "query", "-out", "reply")
            body = b"a web page" if self.path == "/page" else (here / "reply").read_bytes()
            self.send_response(500 if self.path == "/broken" else 200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing on the screen of the tests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Stamps)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", here
    server.shutdown()
    server.server_close()


def test_an_authority_stamps_it_and_openssl_accepts_the_stamp(
    bag: Path, cloudstore: Cloudstore, ready: Ready, authority: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, here = authority
    refused = cloudstore("seal", "calls", "--timestamp", url)
    assert (refused.code, "timestamp_hosts" in refused.err) == (2, True)
    config = ready.config.with_name("stamping.toml")
    config.write_text(f'[settings]\ntimestamp_hosts = ["127.0.0.1"]\n{ready.config.read_text()}')
    allowed = {"CLOUDSTORE_CONFIG": str(config)}
    done = cloudstore("seal", "calls", "--timestamp", url, "--json", **allowed)
    assert (done.code, [record.get("event") for record in done.records]) == (0, ["sealed", "stamped"]), done.err

    covered, stamp = bag / "tagmanifest-sha256.txt", bag / "tagmanifest-sha256.txt.tsr"
    accepted = run("openssl", "ts", "-verify", "-data", covered, "-in", stamp, "-CAfile", here / "ca.pem")
    assert (accepted.returncode, "Verification: OK" in accepted.stdout + accepted.stderr) == (0, True), accepted.stderr
    for words in ((), ("--authority", str(here / "ca.pem"))):
        done = cloudstore("verify", "calls", *words, "--json")
        assert (done.code, done.report["stamped"], done.report["time_stamp"]) == (0, 1, 0), done.err
    assert run(sys.executable, "-m", "bagit", "--validate", bag).returncode == 0

    def wrong(*words: str) -> tuple[int, set[str], str]:
        done = cloudstore("verify", "calls", *words, "--json")
        names = ("changed", "missing", "chain", "seal", "signature", "time_stamp")
        return done.code, {name for name in names if done.report[name]}, done.err

    code, kinds, told = wrong("--authority", str(here / "other.pem"))
    assert (code, kinds, "time stamp is not good" in told) == (6, {"time_stamp"}, True)
    whole = stamp.read_bytes()
    stamp.write_bytes(whole[:-20] + bytes(20))
    assert wrong("--authority", str(here / "ca.pem"))[:2] == (6, {"time_stamp"})
    stamp.write_bytes(b"no stamp")
    assert wrong()[:2] == (6, {"time_stamp"})
    stamp.unlink()
    assert wrong("--authority", str(here / "ca.pem"))[:2] == (6, {"time_stamp"})
    assert wrong()[:2] == (0, set())

    stamp.write_bytes(whole)
    assert cloudstore(*LATER).code == 0
    assert cloudstore("seal", "calls").code == 0
    assert not stamp.exists(), "a stamp of the seal before looks like a forged one"
    stamp.write_bytes(whole)
    assert wrong()[:2] == (6, {"time_stamp"})
    for path, said in (("page", "not a readable"), ("broken", "500"), ("same-again", "stamped something else")):
        done = cloudstore("seal", "calls", "--timestamp", f"{url}/{path}", **allowed)
        assert (done.code in (4, 6), said in done.err, "It is sealed" in done.err) == (True, True, True), done.err
        assert not stamp.exists()

    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    lacking = cloudstore("seal", "calls", "--timestamp", url, **allowed)
    assert (lacking.code, "cloudstore-tui[timestamp]" in lacking.err) == (2, True)
    stamp.write_bytes(whole)
    assert wrong()[:2] == (2, {"time_stamp"})


KILLED = """
import hashlib, os, shutil, sys
from datetime import UTC, datetime
from pathlib import Path
from cloudstore_tui.archive.bag import seal
from cloudstore_tui.archive.chain import Chain
from cloudstore_tui.archive.manifest import Manifest, fetched_entry
from cloudstore_tui.archive.verify import verify_folder
from cloudstore_tui.transfers.workers import Stop

start, folder = Path(sys.argv[1], "start"), Path(sys.argv[1], "calls")
names = ["a.mp3", "b.mp3", "2024/c.mp3"]
manifest, chain = Manifest(start), Chain(start)
(start / "2024").mkdir()
for name in names:
    (start / name).write_bytes(name.encode())
    line = {"profile": "acme8", "region": "uk", "id": name, "path": name}
    digest = hashlib.sha256(name.encode()).hexdigest()
    line = fetched_entry(line, (start / name).stat(), "md5", digest, datetime.now(UTC))
    chain.append([("fetched", {"line": line})])
    manifest.append(line)
manifest.close()
chain.close()
calls = ("open", "write", "fsync", "rename", "replace", "unlink", "mkdir", "ftruncate", "fchmod")
for point in range(0, 400, 3):
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(start, folder)
    if point % 2:
        seal(folder, Stop())
    if not (child := os.fork()):
        left = [point // 2]
        for name in calls:
            def counted(*given, call=getattr(os, name), **named):
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), 9)
                return call(*given, **named)
            setattr(os, name, counted)
        seal(folder, Stop())
        os._exit(0)
    ended = os.waitpid(child, 0)[1]
    there = {path.name for path in folder.rglob("*.mp3")}
    assert there == {"a.mp3", "b.mp3", "c.mp3"}, (point, there)
    seal(folder, Stop())
    errors = [finding for finding in verify_folder(folder, Stop()) if finding.error]
    assert not errors, (point, errors)
    if ended == 0 and point % 2 == 0:
        break
print("whole", point // 2)
"""


def test_wherever_sealing_is_killed_the_next_one_makes_it_whole(tmp_path: Path) -> None:
    done = run(sys.executable, "-c", KILLED, tmp_path)
    assert done.returncode == 0, done.stderr
    whole, points = done.stdout.split()
    assert (whole, int(points) > 25) == ("whole", True), done.stdout
