"""Whether a folder still holds what its manifest says.

The manifest is not believed: a line that cannot be read, or that does not tell what its file has to be, is a failure of
its own, and every other line is checked all the same.
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
    Past,
    check_signature,
    check_tags,
    read_past,
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
    sidecar_of,
    sidecar_tells_of,
)
from cloudstore_tui.archive.runs import broken_off
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
    """It is as long as it has to be; its bytes are not part of the sample."""
    MISSING = "missing"
    CHANGED = "changed"
    DAMAGED = "damaged line"
    """The manifest itself cannot be read there, or does not say what its file has to be."""
    EXTRA = "extra"
    """A file that the manifest does not mention."""
    NOT_FETCHED = "not fetched"
    """The manifest says itself that it could not be fetched, or not even be listed."""
    OLDER = "older version"
    """What the object was before it was replaced at the service."""
    UNSEALED = "not sealed"
    """What came or was replaced since the folder was sealed."""
    CHAIN = "chain"
    """The past of the folder is not whole, or tells of something else than the manifest."""
    CLOCK = "clock set back"
    """The clock was set back once, which an earlier verification has told of."""
    SEAL = "seal"
    """What was sealed is not what is there, or the seal itself is not whole."""
    SEALED = "sealed"
    """The seal is whole, and so is what was sealed."""
    SIGNATURE = "signature"
    """The seal is not signed by who may sign it."""
    SIGNED = "signed"
    """The signature is good."""
    TIME_STAMP = "time stamp"
    """The seal has no time stamp of who may give one."""
    STAMPED = "stamped"
    """The time stamp is good."""


_IN_THE_MAKING = frozenset(map(beside, RESERVED))
"""What a run writes just now, or left when it was killed; the next one takes its place."""
_LOOKED_AT = (Found.GOOD, Found.UNREAD, Found.CHANGED, Found.MISSING, Found.NOT_FETCHED)


class FileFinding(msgspec.Struct, frozen=True):
    """One file of a folder or of its manifest."""

    found: Found
    path: str
    text: str = ""
    """What is wrong, as a clause."""
    error: StorageError | None = None
    """For what is missing, changed or damaged."""


class ReadSample(msgspec.Struct, frozen=True):
    """Which files are read: the same ones for the same seed."""

    part: float = 1.0
    seed: int = 0

    def has(self, path: str) -> bool:
        """Whether a file is one of them."""
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
    """Findings in the order of the manifest, then the files that it does not know, its past and its seal. Blocks.

    No file is read twice.

    Args:
        folder: one that was pulled.
        stop: asked for between two files, and while one is read.
        scratch: where a database lies meanwhile.
        sample: the files that are read; of the others only the size is looked at.
        signers: the keys of those who may sign a seal, as `ssh-keygen` has it (`allowed_signers`).
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
    """Looks through a folder."""

    def __init__(
        self, place: ArchivePlace, database: ScratchDatabase, stop: Stop, sample: ReadSample, scratch: Path | None
    ) -> None:
        self._place = place
        self._folder = PullFolder(place.payload)
        self._database = database
        self._stop = stop
        self._sample = sample
        self._scratch = scratch
        self._is_broken_off = False
        """Whether the last pull did not come to its end, and may have left files that it did not write down."""
        self._has_fetching = False
        """Whether the paths that pulls were about to fill were read: only unknown files need them."""

    def findings(self, signers: Path | None, authority: Path | None) -> Iterator[FileFinding]:
        """All of them, in that order."""
        yield from self._files_and_lines()
        is_filled = self._folder.is_filled
        if is_filled and (self._place.root / CHAIN).is_file():
            # A pull writes to both in turn, so just now they may differ.
            error = BusyError("a pull fills the folder just now", subject=CHAIN, hint="Verify it once that has ended.")
            yield FileFinding(Found.CHAIN, CHAIN, error.message, error)
            return
        for run in () if is_filled else broken_off(self._place.root):
            self._is_broken_off = True
            why = f"{shlex.join((run.command, *run.what))} did not come to its end; what is missing is not known"
            yield FileFinding(Found.NOT_FETCHED, RUNS[run.command], why)
        past = read_past(self._place, self._stop)
        yield from (_broken(Found.CHAIN, problem) for problem in past.problems)
        for problem in past.clocks:
            yield _set_back(problem, is_told=problem.where in past.told)
        if past.length:
            yield from self._contradictions()
        yield from self._evidence(past, signers, authority)

    def _evidence(self, past: Past, signers: Path | None, authority: Path | None) -> Iterator[FileFinding]:
        """What a seal proves; where there is none, that what is asked for is not there."""
        if not self._place.is_bag:
            for wanted, found, file in ((signers, Found.SIGNATURE, SIGNATURE), (authority, Found.TIME_STAMP, STAMP)):
                if wanted is not None:
                    yield _broken(found, BagProblem(file, "the folder is not sealed"))
            return
        is_whole = True
        for finding in self._seal(past):
            is_whole = is_whole and finding.found is not Found.SEAL
            yield finding
        if is_whole:
            yield FileFinding(Found.SEALED, INFO, f"on {tags_of(self._place.root).get('Bagging-Date', '?')}")
        yield from self._signature(signers)
        yield from self._stamp(authority)

    def _seal(self, past: Past) -> Iterator[FileFinding]:
        """Everything that has changed since the folder was sealed, by a pull or otherwise."""
        if past.has_later_seal:
            why = "it was sealed after that: sealing was interrupted, or an earlier seal was put back; seal it again"
            yield _broken(Found.SEAL, BagProblem(INFO, why))
        yield from (_broken(Found.SEAL, problem) for problem in check_tags(self._place.root))
        yield from self._sealed(past)

    def _files_and_lines(self) -> Iterator[FileFinding]:
        yield from self._read()
        for number, text in self._database.walk("number, line", "lines", first=0):
            line = json.loads(text)
            self._stop.check()
            if (finding := self._finding(number, line)) is not None:
                yield finding
                if finding.found in _LOOKED_AT and (beside := self._beside(line)) is not None:
                    yield beside
        yield from self._extra()

    def _read(self) -> Iterator[FileFinding]:
        """Take in the manifest; gives the lines that cannot be read."""
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
        """What was found about one line; nothing if a later one says more."""
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
        # What is here may be an older version: the object as it is now could not be fetched.
        is_lacking = "error" in line and checked.error is None
        return FileFinding(Found.NOT_FETCHED, path, str(line["error"])) if is_lacking else checked

    def _older(self, number: int, line: ManifestEntry) -> FileFinding | None:
        """About a file that another one took the place of."""
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
            # One file that cannot be read keeps no other from being checked.
            return FileFinding(Found.CHANGED, path, failure.message, failure)

    def _compared(self, path: str, line: ManifestEntry) -> FileFinding:
        relative = PurePosixPath(path)
        if refusal := self._folder.refusal(relative):
            return FileFinding(Found.CHANGED, path, refusal.message, refusal)
        found, subject = self._folder.stat(relative), str(self._folder.file(relative))
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
        """A problem with the sidecar of an object; nothing if there is none."""
        path = "" if is_superseded(line) and "sha256" not in line else sidecar_of(line)
        if not path or not _is_below(path):
            return None
        relative = PurePosixPath(path)
        subject, hint = str(self._folder.file(relative)), "Pull again with --sidecar: it is written anew."
        try:
            if self._folder.stat(relative) is None:
                error: StorageError = MissingError("it is missing beside its object", subject=subject, hint=hint)
                return FileFinding(Found.MISSING, path, error.message, error)
            told = self._folder.read(relative, MAX_SIDECAR)
        except StorageError as failure:
            return FileFinding(Found.CHANGED, path, failure.message, failure)
        if sidecar_tells_of(told, line):
            return None
        error = IntegrityError("it does not describe the object beside it", subject=subject, hint=hint)
        return FileFinding(Found.CHANGED, path, error.message, error)

    def _extra(self) -> Iterator[FileFinding]:
        for path in self._folder.files():
            known = self._database.one("SELECT 1 FROM files WHERE path = ?", (_stored(path),))
            if known is None and path not in RESERVED and path not in _IN_THE_MAKING:
                text = "the manifest does not list it"
                if asked := self._interrupted_pull(path):
                    text += f"; an interrupted pull may have brought it: {asked}. Pull that again, or remove the file"
                yield FileFinding(Found.EXTRA, path, text)

    def _interrupted_pull(self, path: str, after: int = 0) -> str:
        """What a pull asked for that was about to fill a path after an event of this number; empty if none was."""
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
        """The digest of a file, which is read at most once."""
        row = self._database.one("SELECT digest FROM digests WHERE path = ?", (_stored(path),))
        if row is not None:
            return str(row[0])
        digest = self._folder.sha256(PurePosixPath(path), self._stop)
        self._database.execute("INSERT INTO digests VALUES (?, ?)", (_stored(path), digest))
        return digest

    def _contradictions(self) -> Iterator[FileFinding]:
        """Lines of the manifest that the events do not have, and lines of the events that count and it does not."""
        self._view(NAME, lambda: read_lines(self._place), counting=False)
        self._view(CHAIN, lambda: manifest_lines(self._place.root / CHAIN), counting=True)
        only = "SELECT path FROM view WHERE side = ? AND counts AND line NOT IN (SELECT line FROM view WHERE side = ?)"
        for side, other in ((NAME, CHAIN), (CHAIN, NAME)):
            for (path,) in self._database.all(only, (side, other)):
                yield _broken(Found.CHAIN, BagProblem(json.loads(path), f"{side} says of it what {other} does not"))

    def _view(self, side: str, lines: Callable[[], Iterator[ManifestEntry]], *, counting: bool) -> None:
        """Take in the lines; `counting` if some of them count, and not all."""
        with closing(LastLines(self._scratch)) as last, self._database.transaction():
            if counting:
                last.add_all(lines())
            for number, line in enumerate(lines()):
                row = (side, _stored(path_of(line)), json.dumps(line, sort_keys=True))
                counts = line.get("event") != UNLISTED and (not counting or last.counts(number, line))
                self._database.execute("INSERT INTO view VALUES (?, ?, ?, ?)", (*row, counts))

    def _sealed(self, past: Past) -> Iterator[FileFinding]:
        """What is not as it was sealed."""
        with self._database.transaction():
            for path, digest in sealed_digests(self._place.root):
                self._database.execute("INSERT OR REPLACE INTO sealed VALUES (?, ?)", (_stored(path), digest))
        for stored, digest in self._database.walk("path, digest", "sealed"):
            path = json.loads(stored)
            if (why := self._unlike(path, str(digest))) and path in past.later:
                yield FileFinding(Found.UNSEALED, path, f"{why}, by a pull since it was sealed")
            elif why:
                yield _broken(Found.SEAL, BagProblem(path or MANIFEST, why))
        for path in self._folder.files():
            if self._database.one("SELECT 1 FROM sealed WHERE path = ?", (_stored(path),)):
                continue
            if why := self._why_later(path, past):
                yield FileFinding(Found.UNSEALED, path, why)
            else:
                why = "it was not there when the folder was sealed"
                hint = "Remove it, or if it belongs there, seal the folder again."
                yield FileFinding(Found.SEAL, path, why, IntegrityError(why, subject=path, hint=hint))

    def _why_later(self, path: str, past: Past) -> str:
        """Why a file that was not sealed may be there; empty if nothing explains it."""
        if path in past.later or self._database.one("SELECT 1 FROM files WHERE path = ?", (_stored(path),)):
            return "it came since the folder was sealed"
        if is_part_name(PurePosixPath(path).name):
            return "a transfer into it is not done"
        _digest, number = sealed_link(self._place.root)
        if self._is_broken_off or self._interrupted_pull(path, number):
            return "an interrupted pull may have brought it: seal the folder again to include it, or remove the file"
        return ""

    def _unlike(self, path: str, digest: str) -> str:
        """How a file differs from the one that was sealed; empty if it does not."""
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
    """Whether a path is one of a file below the folder, and one that a disk takes."""
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


def _set_back(problem: BagProblem, *, is_told: bool) -> FileFinding:
    """A clock that was set back is told until it is in the events that it was."""
    if is_told:
        return FileFinding(Found.CLOCK, problem.where, "an earlier verification has told of it")
    hint = "If that is all, verify again: it is recorded now, and no failure from then on."
    return FileFinding(
        Found.CHAIN, problem.where, problem.why, IntegrityError(problem.why, subject=problem.where, hint=hint)
    )


def _damaged(where: str, why: str) -> FileFinding:
    hint = "Pull again: what it is about is checked again."
    return FileFinding(Found.DAMAGED, where, why, IntegrityError(why, subject=where, hint=hint))


def _stored(path: str) -> str:
    """A path as a database takes it: names of files can hold bytes that are no text."""
    return json.dumps(path)
