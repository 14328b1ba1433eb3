"""Whether a folder still holds what its manifest says.

The manifest is not trusted: a line that is unreadable or incomplete is reported, and all others are checked.
"""

import hashlib
import json
import os
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import closing
from enum import StrEnum
from pathlib import Path, PurePosixPath

import msgspec

from cloudstore_tui.archive.bag import (
    INFO,
    MANIFEST,
    SIGNATURE,
    STAMP,
    TAG_MANIFEST,
    BagProblem,
    History,
    check_signature,
    check_tags,
    read_history,
    sealed_digests,
    sealed_link,
    tag_bytes,
    tags_of,
)
from cloudstore_tui.archive.chain import manifest_lines, paths_to_fetch, read_lines
from cloudstore_tui.archive.folder import PullFolder
from cloudstore_tui.archive.manifest import (
    CHAIN,
    MAX_SIDECAR,
    NAME,
    RESERVED,
    RUNS,
    UNLISTED,
    ArchivePlace,
    LastLines,
    ManifestEntry,
    files_of,
    is_superseded,
    key_of_entry,
    path_of,
    place_of,
    sidecar_matches,
    sidecar_of,
)
from cloudstore_tui.archive.runs import interrupted_runs, lost_events
from cloudstore_tui.archive.timestamp import check_stamp
from cloudstore_tui.core.errors import BusyError, IntegrityError, MissingError, StorageError, UnsafeError, UsageError
from cloudstore_tui.fs.whole_file import beside
from cloudstore_tui.results.scratch import ScratchDatabase
from cloudstore_tui.transfers.part_file import is_part_name
from cloudstore_tui.transfers.workers import Stop

_SCHEMA = """
CREATE TABLE lines(number INTEGER PRIMARY KEY, key TEXT, path TEXT, is_present INTEGER, line TEXT);
CREATE INDEX by_key ON lines(key, path);
CREATE INDEX by_path ON lines(path);
CREATE TABLE files(path TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE fetching(path TEXT PRIMARY KEY, number INTEGER, asked TEXT) WITHOUT ROWID;
CREATE TABLE digests(path TEXT PRIMARY KEY, digest TEXT) WITHOUT ROWID;
CREATE TABLE sealed(path TEXT PRIMARY KEY, digest TEXT) WITHOUT ROWID;
CREATE TABLE view(side TEXT, path TEXT, line TEXT, counts INTEGER);
CREATE INDEX by_line ON view(line, side);
"""
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Found(StrEnum):
    """What was found about one file."""

    GOOD = "good"
    UNREAD = "not read"
    """Its size is right; its bytes are not part of the sample."""
    MISSING = "missing"
    CHANGED = "changed"
    DAMAGED = "damaged line"
    """A line of the manifest is unreadable, or does not say what its file must be."""
    EXTRA = "extra"
    """A file that the manifest does not list."""
    NOT_FETCHED = "not fetched"
    """According to the manifest it could not be fetched or listed."""
    OLDER = "older version"
    """An earlier version of an object that was replaced at the service."""
    UNSEALED = "not sealed"
    """It was added or replaced after the folder was sealed."""
    CHAIN = "chain"
    """The events are damaged or incomplete, or contradict the manifest."""
    CLOCK = "clock set back"
    """The clock was once set back, as an earlier verification reported."""
    SEAL = "seal"
    """A sealed file has changed or is missing, or the seal itself is damaged."""
    SEALED = "sealed"
    """The seal is intact, and so is everything sealed."""
    SIGNATURE = "signature"
    """The seal has no signature of anyone who may sign it."""
    SIGNED = "signed"
    """The signature is valid."""
    TIME_STAMP = "time stamp"
    """The seal has no valid time stamp."""
    STAMPED = "stamped"
    """The time stamp is valid."""


_TEMPORARY_NAMES = frozenset(map(beside, RESERVED))
"""Files that a run is writing, or that one left when it was killed; the next run replaces them."""
_OF_PRESENT_OBJECTS = (Found.GOOD, Found.UNREAD, Found.CHANGED, Found.MISSING, Found.NOT_FETCHED)


class FileFinding(msgspec.Struct, frozen=True):
    """What was found about one file."""

    found: Found
    path: str
    text: str = ""
    """What was found, as a clause."""
    error: StorageError | None = None
    """Set where something is missing, changed or damaged."""


class ReadSample(msgspec.Struct, frozen=True):
    """A random sample of the files; the same seed gives the same files."""

    part: float = 1.0
    seed: int = 0

    def has(self, path: str) -> bool:
        """Whether a file is part of the sample."""
        drawn = hashlib.sha256(f"{self.seed}:{path}".encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(drawn[:8], "big") < self.part * 2**64


def verify_folder(
    folder: Path,
    stop: Stop,
    scratch: Path | None = None,
    *,
    sample: ReadSample | None = None,
    signers: Path | None = None,
    authority: Path | None = None,
) -> Iterator[FileFinding]:
    """Findings in the order of the manifest, then about unlisted files, the events and the seal. Blocks.

    No file is read twice.

    Args:
        folder: one that was pulled.
        stop: checked between files, and while one is read.
        scratch: the folder for a temporary database.
        sample: the files to read; of the others only the size is checked.
        signers: the keys of those who may sign a seal, in the format of `ssh-keygen` (`allowed_signers`).
        authority: the certificates of those who may stamp it (PEM).

    Raises:
        MissingError: there is no manifest.
        StorageError: the disk refuses.
    """
    place = place_of(folder)
    pulled = PullFolder(place.payload)
    if pulled.stat(PurePosixPath(NAME)) is None:
        what = f"there is no {NAME} in it" if folder.is_dir() else "there is no such folder"
        raise MissingError(what, subject=str(folder), hint="Only folders of `pull` can be verified.")
    with closing(ScratchDatabase(scratch, _SCHEMA)) as database:
        yield from _Verifier(place, database, stop, sample or ReadSample(), scratch).findings(signers, authority)


class _Verifier:
    """Verifies one folder."""

    def __init__(
        self, place: ArchivePlace, database: ScratchDatabase, stop: Stop, sample: ReadSample, scratch: Path | None
    ) -> None:
        self._place = place
        self._folder = PullFolder(place.payload)
        self._database = database
        self._stop = stop
        self._sample = sample
        self._scratch = scratch
        self._was_interrupted = False
        """Whether the last pull did not finish, and may have left files without a line."""
        self._has_fetching = False
        """Whether the table `fetching` was filled, which is needed only for files without a line."""

    def findings(self, signers: Path | None, authority: Path | None) -> Iterator[FileFinding]:
        """All findings."""
        yield from self._files_and_lines()
        is_locked = self._folder.is_locked
        if is_locked and (self._place.root / CHAIN).is_file():
            # A pull writes to the events and the manifest in turn, so they may differ now.
            error = BusyError("a pull fills the folder just now", subject=CHAIN, hint="Verify it once that has ended.")
            yield FileFinding(Found.CHAIN, CHAIN, error.message, error)
            return
        for run in () if is_locked else interrupted_runs(self._place.root):
            self._was_interrupted = True
            why = f"{shlex.join((run.command, *run.what))} did not come to its end; what is missing is not known"
            yield FileFinding(Found.NOT_FETCHED, RUNS[run.command], why)
        history = read_history(self._place, self._stop)
        yield from (_broken(Found.CHAIN, problem) for problem in history.problems)
        for problem in history.clocks:
            yield _clock_finding(problem, is_reported=problem.where in history.reported)
        if history.length:
            yield from self._contradictions()
        elif self._database.one("SELECT 1 FROM lines", ()) and (lost := lost_events(self._place)):
            why = f"it is {lost}, so what happened to the folder is not known; it begins anew with the manifest"
            yield _broken(Found.CHAIN, BagProblem(CHAIN, why))
        yield from self._evidence(history, signers, authority)

    def _evidence(self, history: History, signers: Path | None, authority: Path | None) -> Iterator[FileFinding]:
        """What a seal proves; where there is none, that what is asked for is not there."""
        if not self._place.is_bag:
            for wanted, found, file in ((signers, Found.SIGNATURE, SIGNATURE), (authority, Found.TIME_STAMP, STAMP)):
                if wanted is not None:
                    yield _broken(found, BagProblem(file, "the folder is not sealed"))
            return
        is_whole = True
        for finding in self._seal(history):
            is_whole = is_whole and finding.found is not Found.SEAL
            yield finding
        if is_whole:
            yield FileFinding(Found.SEALED, INFO, f"on {tags_of(self._place.root).get('Bagging-Date', '?')}")
        yield from self._signature(signers)
        yield from self._stamp(authority)

    def _seal(self, history: History) -> Iterator[FileFinding]:
        """Everything that has changed since the folder was sealed."""
        if history.has_later_seal:
            why = "it was sealed after that: sealing was interrupted, or an earlier seal was put back; seal it again"
            yield _broken(Found.SEAL, BagProblem(INFO, why))
        yield from (_broken(Found.SEAL, problem) for problem in check_tags(self._place.root))
        yield from self._sealed(history)

    def _files_and_lines(self) -> Iterator[FileFinding]:
        yield from self._read()
        for number, text in self._database.walk("number, line", "lines", first=0):
            line = json.loads(text)
            self._stop.check()
            if (finding := self._finding(number, line)) is not None:
                yield finding
                if finding.found in _OF_PRESENT_OBJECTS and (beside := self._beside(line)) is not None:
                    yield beside
        yield from self._extra()

    def _read(self) -> Iterator[FileFinding]:
        """Load the manifest; yields findings about the lines that cannot be read."""
        damaged: list[int] = []
        with self._database.transaction():
            for line in read_lines(self._place, damaged=damaged.append):
                self._database.execute(
                    "INSERT INTO lines(key, path, is_present, line) VALUES (?, ?, ?, ?)",
                    (key_of_entry(line), _stored(path_of(line)), not is_superseded(line), json.dumps(line)),
                )
                for path in files_of(line):
                    self._database.execute("INSERT OR IGNORE INTO files VALUES (?)", (_stored(path),))
        for number in damaged:
            yield _damaged(f"{NAME} line {number}", "this line cannot be read")

    def _finding(self, number: int, line: ManifestEntry) -> FileFinding | None:
        """The finding about one line; `None` if a later line replaces it."""
        if line.get("event") == UNLISTED:
            what = f" when this was pulled: {asked}" if (asked := line.get("asked")) else ""
            text = f"not listed{what}: {line.get('error')}"
            return FileFinding(Found.NOT_FETCHED, str(line.get("where", "")), text)
        key, path = key_of_entry(line), path_of(line)
        if is_superseded(line):
            return self._older(number, line)
        later = "SELECT 1 FROM lines WHERE key = ? AND path = ? AND is_present AND number > ?"
        if self._database.one(later, (key, _stored(path), number)):
            return None
        if "error" in line and "sha256" not in line:
            is_over = self._database.one(
                "SELECT 1 FROM lines WHERE key = ? AND is_present AND number > ?", (key, number)
            )
            return None if is_over else FileFinding(Found.NOT_FETCHED, path, str(line["error"]))
        checked = self._checked(line)
        # The file may be an older version, if the present one could not be fetched.
        is_lacking = "error" in line and checked.error is None
        return FileFinding(Found.NOT_FETCHED, path, str(line["error"])) if is_lacking else checked

    def _older(self, number: int, line: ManifestEntry) -> FileFinding | None:
        """The finding about a file that has been replaced."""
        path = path_of(line)
        text = f"replaced by {line['superseded']}"
        if "sha256" not in line or self._database.one(
            "SELECT 1 FROM lines WHERE path = ? AND NOT is_present AND number > ?", (_stored(path), number)
        ):
            return None
        has_other = self._database.one("SELECT 1 FROM lines WHERE path = ? AND is_present", (_stored(path),))
        if has_other or self._folder.stat(PurePosixPath(path)) is None:
            return FileFinding(Found.OLDER, path, text)
        checked = self._checked(line)
        if checked.error is None:
            return FileFinding(Found.OLDER, path, text)
        hint = "It is an older version, which the service does not have any more."
        return FileFinding(checked.found, path, checked.text, checked.error.with_(hint=hint))

    def _checked(self, line: ManifestEntry) -> FileFinding:
        path = path_of(line)
        if not _is_below(path):
            error: StorageError = UnsafeError("the manifest names a file outside the folder", subject=path)
            return FileFinding(Found.CHANGED, path, error.message, error)
        try:
            return self._compared(path, line)
        except StorageError as failure:
            # The other files are checked all the same.
            return FileFinding(Found.CHANGED, path, failure.message, failure)

    def _compared(self, path: str, line: ManifestEntry) -> FileFinding:
        relative = PurePosixPath(path)
        found, subject = self._folder.checked_stat(relative), str(self._folder.file(relative))
        if found is None:
            error = MissingError("the file is missing", subject=subject, hint="Pull again.")
            return FileFinding(Found.MISSING, path, error.message, error)
        size, digest = line.get("size"), line.get("sha256")
        if not isinstance(size, int) or not _SHA256.fullmatch(str(digest)):
            return _damaged(path, "its line has no valid size and digest")
        why = ""
        if found.st_size != size:
            why = f"it has {found.st_size:,} bytes instead of {size:,}"
        elif self._sample.has(path) and self._digest(path) != digest:
            why = "its bytes are not those that were fetched"
        if not why:
            return FileFinding(Found.GOOD if self._sample.has(path) else Found.UNREAD, path)
        hint = "Remove it and pull again to get it back."
        return FileFinding(Found.CHANGED, path, why, IntegrityError(why, subject=subject, hint=hint))

    def _beside(self, line: ManifestEntry) -> FileFinding | None:
        """The problem with an object's sidecar, if there is one."""
        path = "" if is_superseded(line) and "sha256" not in line else sidecar_of(line)
        if not path or not _is_below(path):
            return None
        relative = PurePosixPath(path)
        subject, hint = str(self._folder.file(relative)), "Pull again with --sidecar: it is written anew."
        try:
            if self._folder.stat(relative) is None:
                error: StorageError = MissingError("it is missing beside its object", subject=subject, hint=hint)
                return FileFinding(Found.MISSING, path, error.message, error)
            sidecar = self._folder.read(relative, MAX_SIDECAR)
        except StorageError as failure:
            return FileFinding(Found.CHANGED, path, failure.message, failure)
        if sidecar_matches(sidecar, line):
            return None
        error = IntegrityError("it does not describe the object beside it", subject=subject, hint=hint)
        return FileFinding(Found.CHANGED, path, error.message, error)

    def _extra(self) -> Iterator[FileFinding]:
        for path in self._folder.files():
            known = self._database.one("SELECT 1 FROM files WHERE path = ?", (_stored(path),))
            if known is None and path not in RESERVED and path not in _TEMPORARY_NAMES:
                text = "the manifest does not list it"
                if is_part_name(PurePosixPath(path).name):
                    text = "a transfer into it is not done"
                elif asked := self._interrupted_pull(path):
                    text += f"; an interrupted pull may have brought it: {asked}. Pull that again, or remove the file"
                yield FileFinding(Found.EXTRA, path, text)

    def _interrupted_pull(self, path: str, after: int = 0) -> str:
        """What the pull asked for that was about to write a path after an event of this number; empty if none was."""
        chain_path = self._place.root / CHAIN
        if not self._has_fetching and chain_path.is_file():
            with self._database.transaction():
                for number, target, asked in paths_to_fetch(chain_path):
                    values = (_stored(target), number, asked)
                    self._database.execute("INSERT OR REPLACE INTO fetching VALUES (?, ?, ?)", values)
        self._has_fetching = True
        # A sidecar is written before the line about its object, too.
        paths = (_stored(path), _stored(path.removesuffix(".json")), after)
        row = self._database.one("SELECT asked FROM fetching WHERE path IN (?, ?) AND number > ?", paths)
        return str(row[0]) if row else ""

    def _digest(self, path: str) -> str:
        """The SHA-256 of a file, which is read at most once."""
        row = self._database.one("SELECT digest FROM digests WHERE path = ?", (_stored(path),))
        if row is not None:
            return str(row[0])
        digest = self._folder.sha256(PurePosixPath(path), self._stop)
        self._database.execute("INSERT INTO digests VALUES (?, ?)", (_stored(path), digest))
        return digest

    def _contradictions(self) -> Iterator[FileFinding]:
        """Lines that only the manifest has, and current lines that only the events have."""
        self._view(NAME, lambda: read_lines(self._place), counting=False)
        self._view(CHAIN, lambda: manifest_lines(self._place.root / CHAIN), counting=True)
        only = "SELECT path FROM view WHERE side = ? AND counts AND line NOT IN (SELECT line FROM view WHERE side = ?)"
        for side, other in ((NAME, CHAIN), (CHAIN, NAME)):
            for (path,) in self._database.all(only, (side, other)):
                yield _broken(Found.CHAIN, BagProblem(json.loads(path), f"{side} says of it what {other} does not"))

    def _view(self, side: str, lines: Callable[[], Iterator[ManifestEntry]], *, counting: bool) -> None:
        """Load the lines of one side; with `counting`, only the current ones must be on the other side."""
        with closing(LastLines(self._scratch)) as last, self._database.transaction():
            if counting:
                last.add_all(lines())
            for number, line in enumerate(lines()):
                row = (side, _stored(path_of(line)), json.dumps(line, sort_keys=True))
                counts = line.get("event") != UNLISTED and (not counting or last.counts(number, line))
                self._database.execute("INSERT INTO view VALUES (?, ?, ?, ?)", (*row, counts))

    def _sealed(self, history: History) -> Iterator[FileFinding]:
        """What differs from what was sealed."""
        with self._database.transaction():
            for path, digest in sealed_digests(self._place.root):
                self._database.execute("INSERT OR REPLACE INTO sealed VALUES (?, ?)", (_stored(path), digest))
        for stored, digest in self._database.walk("path, digest", "sealed"):
            path = json.loads(stored)
            if (why := self._difference(path, str(digest))) and path in history.later:
                yield FileFinding(Found.UNSEALED, path, f"{why}, by a pull since it was sealed")
            elif why:
                yield _broken(Found.SEAL, BagProblem(path or MANIFEST, why))
        for path in self._folder.files():
            if self._database.one("SELECT 1 FROM sealed WHERE path = ?", (_stored(path),)):
                continue
            if why := self._why_later(path, history):
                yield FileFinding(Found.UNSEALED, path, why)
            else:
                why = "it was not there when the folder was sealed"
                hint = "Remove it, or if it belongs there, seal the folder again."
                yield FileFinding(Found.SEAL, path, why, IntegrityError(why, subject=path, hint=hint))

    def _why_later(self, path: str, history: History) -> str:
        """The legitimate reason for a file that was not sealed; empty if there is none."""
        if path in history.later or self._database.one("SELECT 1 FROM files WHERE path = ?", (_stored(path),)):
            return "it came since the folder was sealed"
        if is_part_name(PurePosixPath(path).name):
            return "a transfer into it is not done"
        _digest, number = sealed_link(self._place.root)
        if self._was_interrupted or self._interrupted_pull(path, number):
            return "an interrupted pull may have brought it: seal the folder again to include it, or remove the file"
        return ""

    def _difference(self, path: str, digest: str) -> str:
        """How a file differs from the sealed one; empty if it does not."""
        if not _is_below(path):
            return "a line of it cannot be read"
        try:
            if self._folder.stat(PurePosixPath(path)) is None:
                return "it was sealed, and is missing"
            is_read = self._sample.has(path) or path in RESERVED
            return "it is not the one that was sealed" if is_read and self._digest(path) != digest else ""
        except StorageError as failure:
            return failure.message

    def _signature(self, signers: Path | None) -> Iterator[FileFinding]:
        is_signed = (self._place.root / SIGNATURE).is_file()
        if not is_signed and signers is not None:
            yield _broken(Found.SIGNATURE, BagProblem(SIGNATURE, "the seal is not signed"))
        elif is_signed:
            try:
                yield FileFinding(Found.SIGNED, SIGNATURE, check_signature(self._place.root, signers))
            except StorageError as failure:
                yield _broken(Found.SIGNATURE, BagProblem(SIGNATURE, failure.message))

    def _stamp(self, authority: Path | None) -> Iterator[FileFinding]:
        path = self._place.root / STAMP
        if not path.is_file():
            if authority is not None:
                yield _broken(Found.TIME_STAMP, BagProblem(STAMP, "the seal has no time stamp"))
            return
        try:
            moment = check_stamp(path, tag_bytes(self._place.root, TAG_MANIFEST), authority)
        except UsageError as lack:
            yield FileFinding(Found.TIME_STAMP, STAMP, lack.message, lack)
        except StorageError as failure:
            yield _broken(Found.TIME_STAMP, BagProblem(STAMP, failure.message))
        else:
            by = "" if authority is not None else "; by whom was not checked: --authority"
            yield FileFinding(Found.STAMPED, STAMP, f"{moment:%Y-%m-%d %H:%M:%S} UTC{by}")


def _is_below(path: str) -> bool:
    """Whether a path stays below the folder and is valid on this system."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\0" in path:
        return False
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return False
    return True


def _broken(found: Found, problem: BagProblem) -> FileFinding:
    return FileFinding(found, problem.where, problem.why, IntegrityError(problem.why, subject=problem.where))


def _clock_finding(problem: BagProblem, *, is_reported: bool) -> FileFinding:
    """A clock that was set back is a failure until the events record that it was reported."""
    if is_reported:
        return FileFinding(Found.CLOCK, problem.where, "an earlier verification has reported it")
    hint = "If that is all, verify again: it is recorded now, and no failure from then on."
    return FileFinding(
        Found.CHAIN, problem.where, problem.why, IntegrityError(problem.why, subject=problem.where, hint=hint)
    )


def _damaged(where: str, why: str) -> FileFinding:
    hint = "Pull again: what it is about is checked again."
    return FileFinding(Found.DAMAGED, where, why, IntegrityError(why, subject=where, hint=hint))


def _stored(path: str) -> str:
    """A path as text that SQLite accepts: file names can hold bytes that are not UTF-8."""
    return json.dumps(path)
