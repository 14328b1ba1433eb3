"""A sealed folder: an RFC 8493 bag around what was pulled, which others can check without this program.

The files are in `data/`, their digests in `manifest-sha256.txt`, and `bag-info.txt` names the last event, so neither
the sealed files nor their history can be changed unnoticed. Run status and events lie beside the bag's own files, since
they continue after the seal.
"""

import hashlib
import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path, PurePosixPath

import msgspec

from cloudstore_tui import __version__
from cloudstore_tui.archive.chain import (
    CHANGED,
    SEALED,
    Break,
    Chain,
    lacking_lines,
    open_chain,
    read_chain,
    read_lines,
)
from cloudstore_tui.archive.folder import PullFolder
from cloudstore_tui.archive.manifest import (
    CHAIN,
    DATA,
    DECLARATION,
    MOVING,
    NAME,
    REFUSED,
    RESERVED,
    RUNS,
    TABLE,
    ArchivePlace,
    Manifest,
    ManifestEntry,
    files_of,
    is_superseded,
    key_of_entry,
    path_of,
    place_of,
    sidecar_of,
)
from cloudstore_tui.archive.plan import LocalMatch, match_file
from cloudstore_tui.archive.runs import interrupted_runs, lost_events
from cloudstore_tui.archive.timestamp import check_answer, stamp_request
from cloudstore_tui.core.errors import (
    ConflictError,
    IntegrityError,
    LocalDiskError,
    MissingError,
    StorageError,
    UnsafeError,
    UsageError,
)
from cloudstore_tui.fs.disk import os_errors_as
from cloudstore_tui.fs.whole_file import READABLE, write_whole
from cloudstore_tui.results.scratch import ScratchDatabase
from cloudstore_tui.transfers.workers import Stop

INFO = "bag-info.txt"
MANIFEST, TAG_MANIFEST = "manifest-sha256.txt", "tagmanifest-sha256.txt"
SIGNATURE, STAMP = f"{TAG_MANIFEST}.sig", f"{TAG_MANIFEST}.tsr"
NAMESPACE = "cloudstore-seal"
"""The purpose of the signature, which is not valid for any other."""
TAGS = (DECLARATION, INFO, MANIFEST)
"""The files that signature and time stamp cover, through the tag manifest."""
_BESIDE_DATA = frozenset({*TAGS, TAG_MANIFEST, SIGNATURE, STAMP, CHAIN, REFUSED, *RUNS.values()})
"""What stays beside `data/`."""
_PART = ".cs-"
"""The beginning of the names of part files."""
_ENCODED = re.compile("%((?:25)*0(?i:[ad]))")
_DECODED = {"%0A": "\n", "%0D": "\r", "%25": "%"}
_DECLARED = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_TIMEOUT_S = 60.0
_MAX_PATHS = 20
_SCHEMA = """
CREATE TABLE files(path TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE known(path TEXT PRIMARY KEY, line TEXT) WITHOUT ROWID;
CREATE TABLE objects(object TEXT PRIMARY KEY, path TEXT) WITHOUT ROWID;
CREATE INDEX by_path ON objects(path);
"""


class Sealed(msgspec.Struct, frozen=True):
    """The result of a seal."""

    files: int
    bytes: int
    read: int
    """Files whose bytes had to be read, because the manifest does not have their digest."""
    missing: int
    """Objects that are not in it, because they could not be fetched or are gone again."""
    head: str
    """The digest of the last event."""
    extra: int = 0
    """Files in it that the manifest does not list."""
    extra_paths: tuple[str, ...] = ()
    """The first of these files."""


# Sealing


def seal(folder: Path, stop: Stop, scratch: Path | None = None, key: Path | None = None) -> Sealed:
    """Make a bag of a pulled folder, or update one. Blocks.

    Args:
        folder: one that was pulled.
        stop: checked between files, and while one is read.
        scratch: the folder for a temporary database.
        key: an SSH key to sign with: a private key, or the public key of one that an agent or a device holds.

    Raises:
        UsageError: there is no such key, and nothing was sealed; or it cannot sign, and the seal has no signature.
        MissingError: nothing was ever pulled there.
        IntegrityError: a file is not the one that was fetched.
        StorageError: the disk refuses, or another run has locked the folder.
    """
    if key is not None and not key.is_file():
        raise UsageError(
            "there is no such key", subject=str(key), hint="Name the file of an SSH key. Nothing was sealed."
        )
    place = _place_to_seal(folder)
    with ExitStack() as stack:
        locked = PullFolder(place.payload)
        locked.lock()
        stack.callback(locked.unlock)
        chain = stack.enter_context(closing(open_chain(place)))
        known = stack.enter_context(closing(ScratchDatabase(scratch, _SCHEMA)))
        sealing = _Sealing(place, locked, chain, known, stop)
        lines = sealing.lines()
        # Only now, so that a refused folder stays as it was.
        if not place.is_bag:
            stack.callback(_move_in(folder).unlock)
        return sealing.run(lines, key)


def _place_to_seal(folder: Path) -> ArchivePlace:
    """Where the parts of a folder are, after completing the move of files that an interrupted seal began."""
    if (folder / MOVING).is_dir():
        locked = PullFolder(folder)
        locked.lock()
        try:
            _move_in(folder).unlock()
        finally:
            locked.unlock()
    place = place_of(folder)
    if not (place.payload / NAME).is_file():
        what = f"there is no {NAME} in it" if folder.is_dir() else "there is no such folder"
        raise MissingError(what, subject=str(folder), hint="Only folders of `pull` can be sealed.")
    return place


def _move_in(folder: Path) -> PullFolder:
    """Move the files of a locked folder into `data/`; returns that, locked."""
    moving = folder / MOVING
    with os_errors_as(folder):
        moving.mkdir(0o700, exist_ok=True)
        for entry in sorted(folder.iterdir()):
            if entry.name not in _BESIDE_DATA and entry != moving:
                entry.rename(moving / entry.name)
        # Before it gets its name, so that nobody finds it unlocked.
        locked = PullFolder(moving)
        locked.lock()
        moving.rename(folder / DATA)
    return locked


class _Sealing:
    """The seal of one locked folder."""

    def __init__(
        self, place: ArchivePlace, folder: PullFolder, chain: Chain, known: ScratchDatabase, stop: Stop
    ) -> None:
        self._place = place
        self._folder = folder
        self._chain = chain
        self._known = known
        self._stop = stop
        self._files = self._bytes = self._read = self._missing = self._extra = 0
        self._extra_paths: list[str] = []

    def lines(self) -> str:
        """The manifest of the bag.

        Raises:
            StorageError: something in the folder cannot be sealed.
        """
        self._catch_up()
        self._load_lines()
        return "".join(f"{digest}  {DATA}/{encoded(path)}\n" for path, digest in self._digests())

    def run(self, lines: str, key: Path | None) -> Sealed:
        """Write the seal; the files are in `data/`."""
        payload = hashlib.sha256(lines.encode()).hexdigest()
        facts = {"files": self._files, "bytes": self._bytes, "missing": self._missing, "payload": payload}
        self._chain.append([(SEALED, facts)])
        self._chain.sync()
        counts = (self._files, self._bytes, self._read, self._missing)
        sealed = Sealed(*counts, self._chain.head, self._extra, tuple(self._extra_paths))
        # Those of the previous seal would look tampered with.
        for name in (SIGNATURE, STAMP):
            (self._place.root / name).unlink(missing_ok=True)
        self._write(MANIFEST, lines)
        self._write(INFO, self._info(sealed))
        self._write(DECLARATION, _DECLARED)
        tags = ((hashlib.sha256(tag_bytes(self._place.root, name)).hexdigest(), name) for name in sorted(TAGS))
        self._write(TAG_MANIFEST, "".join(f"{digest}  {name}\n" for digest, name in tags))
        if key is not None:
            sign(self._place.root, key)
        return sealed

    def _catch_up(self) -> None:
        """Add the lines that the manifest lacks because the last pull was killed."""
        if lacking := list(lacking_lines(self._place)):
            with closing(Manifest(self._place.payload)) as manifest:
                manifest.append(*lacking)

    def _load_lines(self) -> None:
        """Load from the manifest the facts of each file, and the objects without one; the last line counts."""
        with self._known.transaction():
            for line in read_lines(self._place):
                for path in files_of(line):
                    self._known.execute("INSERT OR IGNORE INTO files VALUES (?)", (json.dumps(path),))
                key = key_of_entry(line) or str(line.get("where"))
                if is_superseded(line):
                    continue
                if "sha256" in line:
                    row = (json.dumps(path_of(line)), json.dumps(_facts(line)))
                    self._known.execute("INSERT OR REPLACE INTO known VALUES (?, ?)", row)
                row = (key, json.dumps("" if "error" in line else path_of(line)))
                self._known.execute("INSERT OR REPLACE INTO objects VALUES (?, ?)", row)

    def _digests(self) -> Iterator[tuple[str, str]]:
        for path in sorted(self._folder.files()):
            self._stop.check()
            if not self._place.is_bag and path in _BESIDE_DATA:
                continue
            relative = PurePosixPath(path)
            if relative.name.startswith(_PART):
                hint = "Let it end, or drop it: cloudstore transfers list"
                raise ConflictError(
                    "a transfer into it is not done", subject=str(self._folder.file(relative)), hint=hint
                )
            if not _is_text(path):
                message = "its name is not UTF-8, and cannot be sealed"
                raise UnsafeError(message, subject=str(self._folder.file(relative)), hint="Rename it.")
            found = self._folder.stat(relative)
            if found is None:
                message = "it is a link or no file, and cannot be sealed"
                raise UnsafeError(message, subject=str(self._folder.file(relative)), hint="Take it away.")
            self._files += 1
            self._bytes += found.st_size
            if path not in RESERVED and not self._known.one("SELECT 1 FROM files WHERE path = ?", (json.dumps(path),)):
                self._extra += 1
                self._extra_paths += [path] if self._extra <= _MAX_PATHS else []
            self._known.execute("DELETE FROM objects WHERE path = ?", (json.dumps(path),))
            yield path, self._digest(relative)
        ((missing,),) = self._known.all("SELECT count(*) FROM objects")
        # It is unknown what the interrupted runs would have fetched.
        self._missing = missing + len(interrupted_runs(self._place.root))

    def _digest(self, path: PurePosixPath) -> str:
        row = self._known.one("SELECT line FROM known WHERE path = ?", (json.dumps(str(path)),))
        if row is None:
            self._read += 1
            return self._folder.sha256(path, self._stop)
        line = json.loads(row[0])
        match = match_file(self._folder, path, line, self._stop)
        self._read += match is not LocalMatch.SAME
        if match is LocalMatch.OTHER:
            hint = "Remove it and pull again to get it back, then seal."
            raise IntegrityError("it is not the file that was fetched", subject=str(self._folder.file(path)), hint=hint)
        return str(line["sha256"])

    def _info(self, sealed: Sealed) -> str:
        facts = {
            "Bagging-Date": datetime.now(UTC).date().isoformat(),
            "Bag-Software-Agent": f"cloudstore-tui {__version__}",
            "Payload-Oxum": f"{sealed.bytes}.{sealed.files}",
            "Cloudstore-Chain-Head": sealed.head,
            "Cloudstore-Chain-Length": str(self._chain.length),
            "Cloudstore-Missing": str(sealed.missing),
        }
        return "".join(f"{name}: {value}\n" for name, value in facts.items())

    def _write(self, name: str, text: str) -> None:
        write_whole(self._place.root / name, text, mode=READABLE)


def _is_text(path: str) -> bool:
    """Whether a path is valid UTF-8, as the manifest of a bag requires."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _facts(line: ManifestEntry) -> dict[str, object]:
    return {name: line.get(name) for name in ("size", "mtime", "sha256")}


def encoded(path: str) -> str:
    """A path as bag manifests have it: line ends are percent-encoded, and so is a `%` that would look like one.

    Everything else stays as it is, because that is how other tools read it.
    """
    return _ENCODED.sub(r"%25\1", path).replace("\r", "%0D").replace("\n", "%0A")


def decoded(path: str) -> str:
    """The inverse of `encoded`."""
    return re.sub("(?i)%0d|%0a|%25(?=(?:25)*0[ad])", lambda found: _DECODED[found[0].upper()], path)


def sign(root: Path, key: Path) -> None:
    """Sign the seal.

    Raises:
        UsageError: the key cannot sign.
        LocalDiskError: `ssh-keygen` is not installed.
    """
    try:
        _ssh_keygen("-Y", "sign", "-n", NAMESPACE, "-f", str(key), str(root / TAG_MANIFEST), subject=str(key))
    except IntegrityError as error:
        hint = "It is sealed, without a signature. Seal it again with another key: only what is new is read."
        raise UsageError(error.message, subject=error.subject, hint=hint) from None


class Stamping:
    """A request for a time stamp of a seal."""

    def __init__(self, folder: Path) -> None:
        """Prepare the request. Blocks.

        Raises:
            StorageError: the folder has no seal, or the library is not installed.
        """
        self._root = folder
        self._request = stamp_request(tag_bytes(folder, TAG_MANIFEST))
        self.query = self._request.as_bytes()
        """The body of the request to the authority."""

    def keep(self, answer: bytes, subject: str) -> datetime:
        """Save the answer of the authority beside the seal; returns the time of the stamp. Blocks.

        Raises:
            IntegrityError: it is not a stamp of this seal.
            StorageError: the disk refuses.
        """
        moment = check_answer(answer, self._request, subject)
        write_whole(self._root / STAMP, answer, mode=READABLE)
        return moment


def check_signature(root: Path, signers: Path | None) -> str:
    """Check a signature; returns what `ssh-keygen` says of it. Without a list of signers, anyone may have signed.

    Raises:
        IntegrityError: the signature is not valid, or not by anyone who may sign.
    """
    subject = str(root / SIGNATURE)
    covered = tag_bytes(root, TAG_MANIFEST)
    given = ("-n", NAMESPACE, "-s", subject)
    if signers is None:
        return _ssh_keygen("-Y", "check-novalidate", *given, subject=subject, stdin=covered)
    found = _ssh_keygen("-Y", "find-principals", "-s", subject, "-f", str(signers), subject=subject, stdin=covered)
    who = (found.split() or ["?"])[0]
    return _ssh_keygen("-Y", "verify", *given, "-f", str(signers), "-I", who, subject=subject, stdin=covered)


def _ssh_keygen(*arguments: str, subject: str, stdin: bytes | None = None) -> str:
    try:
        done = subprocess.run(
            ["ssh-keygen", *arguments], input=stdin, capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        hint = "Install OpenSSH 8.2 or newer."
        raise LocalDiskError("ssh-keygen cannot be run", subject=subject, hint=hint) from None
    said = (done.stdout or done.stderr).decode("utf-8", "replace").strip().splitlines()
    if done.returncode:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or [""]
        raise IntegrityError(f"ssh-keygen refuses it: {last[0][:200]}", subject=subject)
    return said[0] if said else ""


def note_verified(folder: Path, counts: Mapping[str, int], wrong: Iterable[tuple[str, str]]) -> None:
    """Add a verification to the events of a folder, if it has any or has lost them. Blocks.

    Args:
        folder: one that was pulled.
        counts: the findings.
        wrong: the paths with problems, and why.

    Raises:
        StorageError: the disk refuses, or another run has locked the folder.
    """
    place = place_of(folder)
    if not (place.root / CHAIN).is_file() and not lost_events(place):
        return
    locked = PullFolder(place.payload)
    locked.lock()
    try:
        with closing(open_chain(place)) as chain:
            chain.append((CHANGED, {"path": path, "why": why}) for path, why in wrong)
            chain.append([("verified", counts)])
    finally:
        locked.unlock()


# Checking


class BagProblem(msgspec.Struct, frozen=True):
    """A problem with the events of a folder or with its seal."""

    where: str
    why: str


class History(msgspec.Struct):
    """What the events of a folder say."""

    problems: list[BagProblem] = []
    clocks: list[BagProblem] = []
    """Where only the clock was set back."""
    reported: set[str] = set()
    """The paths of problems that earlier verifications reported."""
    length: int = 0
    has_seal: bool = False
    """Whether the event of the present seal is among them."""
    has_later_seal: bool = False
    """Whether the event of another seal follows it."""
    later: set[str] = set()
    """The paths named by the events after the seal."""


def read_history(place: ArchivePlace, stop: Stop) -> History:
    """Read the events and check that they are complete. Blocks."""
    history, path = History(), place.root / CHAIN
    if not path.is_file():
        if place.is_bag:
            history.problems.append(BagProblem(CHAIN, "it is missing, and with it what happened to the folder"))
        return history
    sealed = sealed_link(place.root)

    def broken(found: Break) -> None:
        problems = history.clocks if found.is_clock else history.problems
        problems.append(BagProblem(f"{CHAIN} line {found.number}", found.why))

    for link in read_chain(path, broken):
        stop.check()
        history.length = link.number
        line = link.event.get("line")
        if history.has_seal and isinstance(line, dict):
            history.later |= {path_of(line), sidecar_of(line), NAME, TABLE}
        if link.event.get("event") == CHANGED:
            history.reported.add(str(link.event.get("path")))
        history.has_later_seal = history.has_seal and (history.has_later_seal or link.event.get("event") == SEALED)
        history.has_seal = history.has_seal or (link.digest, link.number) == sealed
    if place.is_bag and not history.has_seal:
        why = "the event that sealed the folder is not in it: sealing did not end, or its past was cut or rewritten"
        history.problems.append(BagProblem(CHAIN, why))
    return history


def sealed_link(root: Path) -> tuple[str, int]:
    """The digest and the number of the event of the seal, according to the bag."""
    tags = tags_of(root)
    number = tags.get("Cloudstore-Chain-Length", "")
    return tags.get("Cloudstore-Chain-Head", ""), int(number) if re.fullmatch("[0-9]{1,12}", number) else 0


def tag_bytes(root: Path, name: str) -> bytes:
    """The content of one of the bag's own files."""
    with PullFolder(root).plain_file(PurePosixPath(name)) as file:
        return file.read()


def tags_of(root: Path) -> dict[str, str]:
    """The fields of `bag-info.txt`; empty if it cannot be read."""
    try:
        lines = tag_bytes(root, INFO).decode("utf-8", "replace").splitlines()
    except StorageError:
        return {}
    return dict(_pair(line, ": ") for line in lines)


def sealed_digests(root: Path) -> Iterator[tuple[str, str]]:
    """The paths below `data/` of the sealed files, with their digests; an unreadable line gives an empty path."""
    try:
        with (
            PullFolder(root).plain_file(PurePosixPath(MANIFEST)) as file,
            TextIOWrapper(file, "utf-8", "surrogateescape", "\n") as text,
        ):
            for line in text:
                digest, path = _pair(line.rstrip("\n"), "  ")
                inside = path.removeprefix(f"{DATA}/")
                yield (decoded(inside) if inside != path else ""), digest
    except StorageError:
        return


def check_tags(root: Path) -> Iterator[BagProblem]:
    """The problems with the bag's own files. Blocks."""
    try:
        lines = tag_bytes(root, TAG_MANIFEST).decode().splitlines()
        listed = {name: digest for digest, name in (_pair(line, "  ") for line in lines)}
    except (StorageError, ValueError):
        yield BagProblem(TAG_MANIFEST, "it is missing or cannot be read")
        listed = {}
    for name in TAGS:
        try:
            digest = hashlib.sha256(tag_bytes(root, name)).hexdigest()
        except StorageError:
            yield BagProblem(name, "it is missing or cannot be read")
            continue
        if listed and listed.get(name) != digest:
            yield BagProblem(name, "it is not the one that was sealed")


def _pair(text: str, mark: str) -> tuple[str, str]:
    first, _, second = text.partition(mark)
    return first, second
