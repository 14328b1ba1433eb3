"""The files of the organisation: the tree and its scopes, their contents, and the store that keeps them."""

import hashlib
import random
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from cloudstore_tui.sandbox import content
from cloudstore_tui.sandbox.blobs import StoredBlob, file_reader
from cloudstore_tui.sandbox.content import RECORDING_KINDS, CsvTable, Recording, tar, tar_gz, tar_size

# Folders, those that only v3 has, and the scopes for them


FOLDERS: tuple[str, ...] = (
    "exports/configuration/campaign/",
    "exports/configuration/interaction-management/",
    "exports/outreach/list-management/",
    "exports/reporting/enterprise-historical/",
    "exports/reporting/outreach/",
    "exports/reporting/intraday/",
    "exports/reporting-archive/enterprise-historical/",
    "exports/reporting-archive/outreach/",
    "exports/reporting-archive/intraday/",
    "exports/cxp/recordings/",
    "exports/cxp/callsre/",
    "exports/cxp/utterances/",
    "exports/aps-custom/",
    "exports/compliance/audit/",
    "exports/workforce/",
    "exports/workflow/",
    "exports/motivate/kpi/processed/",
    "exports/motivate/kpi/errors/",
    "imports/apm/aom/",
    "imports/apm/ecf/processed/",
    "imports/apm/ecf/errors/",
    "imports/configuration/campaign/",
    "imports/configuration/interaction-management/",
    "imports/outreach/exclusions/",
    "imports/outreach/list-management/",
    "imports/outreach/nanp/",
    "imports/aps-custom/",
    "imports/workforce/",
    "imports/workflow/",
    "imports/motivate/kpi/processed/",
    "imports/motivate/kpi/errors/",
)
"""The leaves of the published tree; every folder above them exists, too."""

V3_ONLY: tuple[str, ...] = (
    "exports/workforce/",
    "exports/workflow/",
    "imports/workforce/",
    "imports/workflow/",
    "imports/motivate/kpi/",
)
"""Folders that v2 does not have, with everything in them."""

PREFIX = "mediastorageapi."

SCOPES: dict[str, str] = {
    "exports": "exports/",
    "exports.reporting": "exports/reporting/",
    "exports.reporting.historical": "exports/reporting/enterprise-historical/",
    "exports.reporting.outreach": "exports/reporting/outreach/",
    "exports.configuration": "exports/configuration/",
    "exports.configuration.interaction": "exports/configuration/interaction-management/",
    "exports.configuration.campaign": "exports/configuration/campaign/",
    "exports.outreach": "exports/outreach/",
    "exports.outreach.list": "exports/outreach/list-management/",
    "exports.cxp": "exports/cxp/",
    "exports.cxp.callsre": "exports/cxp/callsre/",
    "exports.cxp.recordings": "exports/cxp/recordings/",
    "exports.cxp.utterances": "exports/cxp/utterances/",
    "exports.aps-custom": "exports/aps-custom/",
    "exports.compliance": "exports/compliance/",
    "exports.compliance.audit": "exports/compliance/audit/",
    "exports.workforce": "exports/workforce/",
    "exports.workflow": "exports/workflow/",
    "imports": "imports/",
    "imports.apm": "imports/apm/",
    "imports.apm.aom": "imports/apm/aom/",
    "imports.apm.ecf": "imports/apm/ecf/",
    "imports.apm.ecf.processed": "imports/apm/ecf/processed/",
    "imports.apm.ecf.errors": "imports/apm/ecf/errors/",
    "imports.configuration": "imports/configuration/",
    "imports.configuration.interaction": "imports/configuration/interaction-management/",
    "imports.configuration.campaign": "imports/configuration/campaign/",
    "imports.outreach": "imports/outreach/",
    "imports.outreach.list": "imports/outreach/list-management/",
    "imports.outreach.exclusions": "imports/outreach/exclusions/",
    "imports.outreach.nanp": "imports/outreach/nanp/",
    "imports.aps-custom": "imports/aps-custom/",
    "imports.workforce": "imports/workforce/",
    "imports.workflow": "imports/workflow/",
    "imports.motivate": "imports/motivate/",
    "imports.motivate.kpi": "imports/motivate/kpi/",
    "imports.motivate.kpi.processed": "imports/motivate/kpi/processed/",
    "imports.motivate.kpi.errors": "imports/motivate/kpi/errors/",
}
"""Each scope without its prefix, and the folder it opens."""


def all_folders() -> set[str]:
    """Every folder of the tree, parents included."""
    found = set()
    for leaf in FOLDERS:
        parts = leaf.rstrip("/").split("/")
        found |= {"/".join(parts[:depth]) + "/" for depth in range(1, len(parts) + 1)}
    return found


def governing_scope(key: str) -> str:
    """The scope, without its prefix, of the innermost folder around a key that has one; empty outside of all."""
    holding = [scope for scope, folder in SCOPES.items() if key.startswith(folder)]
    return max(holding, key=lambda scope: len(SCOPES[scope]), default="")


def is_allowed(key: str, scopes: frozenset[str], *, inherited: bool) -> bool:
    """Whether any of the scopes (with prefix) opens a key; parents open their children where that is inherited."""
    if not inherited:
        return PREFIX + governing_scope(key) in scopes
    known = (SCOPES.get(scope.removeprefix(PREFIX), "") for scope in scopes)
    return any(folder and key.startswith(folder) for folder in known)


# Recipes, from which files are generated when they are read


Contents = Mapping[str, tuple[CsvTable, int]]
"""The members of an archive: which table, and how many rows."""


class Recipe(msgspec.Struct, frozen=True):
    """A kind of content and how much of it: seconds of a recording, rows of anything else."""

    kind: str
    amount: int

    @classmethod
    def parse(cls, text: str) -> "Recipe":
        """The recipe that was written as text."""
        kind, _, amount = text.partition(":")
        return cls(kind, int(amount))

    def __str__(self) -> str:
        return f"{self.kind}:{self.amount}"

    def size(self, seed: str, modified: float) -> int:
        """Bytes; nothing is made to know it, except what is compressed."""
        if self.kind in RECORDING_KINDS:
            return self._recording(seed).size
        if self.kind in _TABLES:
            return _TABLES[self.kind].size(self.amount)
        if self.kind in _TARS:
            return tar_size(*(table.size(rows) for table, rows in _TARS[self.kind](self.amount).values()))
        return len(_whole(self, seed, modified))

    def read(self, seed: str, modified: float, start: int, end: int) -> bytes:
        """The bytes from `start` to before `end`; of a recording only those are made."""
        if self.kind in RECORDING_KINDS:
            return b"".join(self._recording(seed).read(start, end))
        return _whole(self, seed, modified)[start:end]

    def _recording(self, seed: str) -> Recording:
        return Recording(self.kind, self.amount, seed, seed.rsplit("/", 1)[-1])


def _extract(rows: int) -> Contents:
    return {
        "call_detail.csv": (content.CALLS, rows),
        "agent_activity.csv": (content.ACTIVITY, rows // 2),
        "campaign_summary.csv": (content.CAMPAIGNS, 48),
    }


def _outreach(rows: int) -> Contents:
    return {
        "call_results.csv": (content.CALLS, rows),
        "contacts.csv": (content.CONTACTS, rows // 2),
        "campaigns.csv": (content.CAMPAIGNS, 12),
    }


def _hourly(rows: int) -> Contents:
    return {"intervals.csv": (content.INTERVALS, 60), "call_detail.csv": (content.CALLS, rows)}


_TABLES: Mapping[str, CsvTable] = {
    "calls": content.CALLS,
    "activity": content.ACTIVITY,
    "campaigns": content.CAMPAIGNS,
    "contacts": content.CONTACTS,
    "raw": content.RAW_CONTACTS,
    "outcomes": content.OUTCOMES,
}
_TARS: Mapping[str, Callable[[int], Contents]] = {"extract": _extract, "outreach": _outreach}


@lru_cache(maxsize=16)
def _whole(recipe: Recipe, seed: str, modified: float) -> bytes:
    """Everything at once; kept for a while because a client reads it piece by piece."""
    day = datetime.fromtimestamp(modified, UTC).replace(minute=0, second=0)
    if recipe.kind in _TABLES:
        return _TABLES[recipe.kind].make(seed, recipe.amount, day)
    contents = _TARS.get(recipe.kind, _hourly)(recipe.amount)
    members = {name: table.make(f"{seed}:{name}", rows, day) for name, (table, rows) in contents.items()}
    return (tar if recipe.kind in _TARS else tar_gz)(members, modified)


# Which files there are: a month of exports, dropped lists, recordings, and some odd ones


DAYS_KEPT = 28
"""Days that the nightly extracts are kept."""

HOURS_KEPT = 48
"""Hours of intraday data."""

CROWD = 10_000
"""Recordings in the one large folder: ten pages."""

LONG = 4 * 3600
"""Seconds of the longest recording: 230 MB, to try what takes time."""


class Fixture(msgspec.Struct, frozen=True):
    """One file of the initial data."""

    key: str
    modified: float
    recipe: Recipe
    oddity: str = ""
    """A peculiarity of its entry in listings: a key of `listing.ODDITIES`."""


def fixtures(seed: int, now: datetime) -> Iterator[Fixture]:
    """All files, unordered; their ages are counted from `now`."""
    moment = now.astimezone(UTC)
    today = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    yield from _nightly(random.Random(f"{seed}:nightly"), today)
    yield from _intraday(random.Random(f"{seed}:intraday"), moment)
    yield from _drops(random.Random(f"{seed}:drops"), today)
    yield from _recordings(random.Random(f"{seed}:recordings"), today)
    yield from _oddities(today.timestamp())
    yield from _hostile(today.timestamp())


def _nightly(chance: random.Random, today: datetime) -> Iterator[Fixture]:
    for back in range(1, DAYS_KEPT + 1):
        day = today - timedelta(days=back)
        made = (day + timedelta(days=1, hours=2, minutes=7, seconds=chance.randrange(60))).timestamp()
        name = f"enterprise-historical-{day:%Y%m%d}.tar"
        calls = Recipe("extract", chance.randrange(4000, 9000) // (1 if day.weekday() < 5 else 4))
        yield Fixture(f"exports/reporting/enterprise-historical/{name}", made, calls)
        name = f"outreach-{day:%Y%m%d}.tar"
        yield Fixture(f"exports/reporting/outreach/{name}", made, Recipe("outreach", chance.randrange(900, 3000)))
    for month in range(1, 13):
        day = today - timedelta(days=30 * month)
        for folder in ("enterprise-historical", "outreach"):
            key = f"exports/reporting-archive/{folder}/{folder}-{day:%Y%m}.tar"
            yield Fixture(key, day.timestamp(), Recipe("extract", chance.randrange(6000, 9000)))


def _intraday(chance: random.Random, now: datetime) -> Iterator[Fixture]:
    for back in range(1, HOURS_KEPT + 1):
        hour = (now - timedelta(hours=back)).replace(minute=0, second=0, microsecond=0)
        key = f"exports/reporting/intraday/intraday-{hour:%Y_%m_%d_%H}.tar.gz"
        made = (hour + timedelta(hours=1, seconds=chance.randrange(60, 300))).timestamp()
        yield Fixture(key, made, Recipe("hourly", chance.randrange(40, 120)))


_DAILY = (
    ("imports/apm/ecf/processed/ecf-{}.csv", "contacts"),
    ("imports/motivate/kpi/processed/kpi-{}.csv", "activity"),
    ("exports/motivate/kpi/processed/kpi-{}.csv", "activity"),
    ("exports/compliance/audit/audit-{}.csv", "outcomes"),
    ("exports/workforce/schedule-{}.csv", "activity"),
    ("exports/workflow/steps-{}.csv", "outcomes"),
    ("exports/outreach/list-management/results-{}.csv", "calls"),
    ("imports/workforce/roster-{}.csv", "activity"),
)
_ONCE = (
    ("imports/outreach/list-management/outreach.raw", "raw"),
    ("imports/outreach/list-management/late-payments.csv", "contacts"),
    ("imports/outreach/nanp/number-plan.csv", "outcomes"),
    ("imports/outreach/exclusions/do-not-call.csv", "contacts"),
    ("imports/apm/aom/orders.csv", "outcomes"),
    ("imports/apm/ecf/errors/ecf-rejected-rows.csv", "outcomes"),
    ("exports/motivate/kpi/errors/kpi-rejected-rows.csv", "outcomes"),
    ("exports/configuration/campaign/campaigns.csv", "campaigns"),
    ("imports/configuration/interaction-management/queues.csv", "campaigns"),
    ("imports/aps-custom/partner-feed.csv", "contacts"),
)


def _drops(chance: random.Random, today: datetime) -> Iterator[Fixture]:
    for back in range(3):
        day = today - timedelta(days=back)
        for pattern, kind in _DAILY:
            made = (day + timedelta(seconds=chance.randrange(86_400))).timestamp() - 86_400
            yield Fixture(pattern.format(f"{day:%Y%m%d}"), made, Recipe(kind, chance.randrange(150, 900)))
    for key, kind in _ONCE:
        yield Fixture(key, today.timestamp(), Recipe(kind, chance.randrange(40, 600)))


def _recordings(chance: random.Random, today: datetime) -> Iterator[Fixture]:
    day = today - timedelta(days=1)
    folder = f"exports/cxp/recordings/{day:%Y-%m-%d}/"
    midnight = day.timestamp()
    for number in range(CROWD):
        second = number * 8
        clock = f"{second // 3600:02d}{second // 60 % 60:02d}{second % 60:02d}"
        key = f"{folder}{clock}-{chance.getrandbits(32):08x}.wav"
        yield Fixture(key, midnight + second, Recipe("wav", 5 + chance.getrandbits(7)))
    older = today - timedelta(days=2)
    for number in range(24):
        key = f"exports/cxp/recordings/{older:%Y-%m-%d}/{number:02d}0000-{chance.getrandbits(32):08x}.wav"
        yield Fixture(key, older.timestamp() + number * 3600, Recipe("wav", chance.randrange(20, 400)))
    for number in range(12):
        key = f"exports/cxp/utterances/{day:%Y-%m-%d}/utterance-{number:04d}.wav"
        yield Fixture(key, midnight, Recipe("wav", chance.randrange(1, 6)))
    yield Fixture(f"exports/cxp/callsre/callsre-{day:%Y%m%d}.csv", midnight, Recipe("calls", 400))
    yield Fixture(f"exports/cxp/callsre/training-{day:%Y%m%d}-4h.wav", midnight, Recipe("wav", LONG))
    yield Fixture(f"exports/cxp/callsre/training-{day:%Y%m%d}.mp3", midnight, Recipe("mp3", 754))


def _oddities(made: float) -> Iterator[Fixture]:
    names = {
        "blank-size.csv": "blank size",
        "capital-type.csv": "type with a blank",
        "date-instead-of-time.csv": "date",
        "blank-date.csv": "blank date",
        "empty-children.csv": "empty child",
        "no-type.csv": "no type",
        "links-in-the-listing.csv": "links",
    }
    for name, oddity in names.items():
        yield Fixture(f"exports/aps-custom/{name}", made, Recipe("outcomes", 60), oddity)
    # Outside the published tree, as the vendor's own samples are.
    yield Fixture("exports/data-extracts/cork/hours.wav", made, Recipe("wav", 9))


_HOSTILE_NAMES = (
    "names with blanks & signs #1 100% +plus.csv",
    "naïve café – 日本語 📞.csv",
    "cafe\u0301 NFD.csv",
    "café NFD.csv",
    "SAME.csv",
    "same.csv",
    "same.csv ",
    "[bold red]markup that never ends.csv",
    "[@click=app.quit]click me.csv",
    "in the whole key [/b] is alone.csv",
    "escape \x1b[31mred\x1b[0m \x1b]0;owned\x07.csv",
    "clipboard \x1b]52;c;cm0gLXJmIH4=\x1b\\.csv",
    "two\nlines\rOK verified.csv",
    "bidi \u202egpj.csv",
    "zero\u200bwidth\u2060.csv",
    "..\\..\\evil.csv",
    "%2e%2e%2fevil.csv",
    "-rf",
    "~root",
    ".bashrc",
    "CON.csv",
    "=1+cmd|' -c calc'!A0.csv",
    f"{'long-' * 40}name.csv",
)


def _hostile(made: float) -> Iterator[Fixture]:
    for number, name in enumerate(_HOSTILE_NAMES):
        yield Fixture(f"exports/aps-custom/odd names/{name}", made, Recipe("contacts", 20 + number))


# The store: keys in SQLite, uploads on disk, everything else generated when it is read


_LAYOUT = "3"
"""Changes whenever the tables or the fixtures do, so that a data folder of an older version is made again."""

_SCHEMA = """
CREATE TABLE entry (
    key TEXT PRIMARY KEY, parent TEXT NOT NULL, folder INTEGER NOT NULL, v3 INTEGER NOT NULL,
    modified REAL NOT NULL, size INTEGER NOT NULL, oddity TEXT NOT NULL, recipe TEXT NOT NULL, etag TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX entry_by_parent ON entry (parent, key);
CREATE TABLE origin (layout TEXT, seed INTEGER, now REAL);
"""
_UPLOAD = "upload:"
_COLUMNS = "key, folder, modified, size, oddity, recipe, etag"
_INSERT = "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


class StoredItem(msgspec.Struct, frozen=True):
    """One stored file or folder."""

    key: str
    """A folder's ends with `/`."""
    is_folder: bool
    modified: float
    size: int
    """Bytes, exactly."""
    oddity: str
    """A peculiarity of its entry in listings; see `listing.ODDITIES`."""
    recipe: str
    """Its recipe, or the name of the file with the upload."""
    etag: str


class KeySpan(msgspec.Struct, frozen=True):
    """The items of a listing."""

    start: str
    """Prefix of their keys."""
    level: str | None = None
    """Their parent folder; `None` for any depth."""
    files: bool = True
    folders: bool = False
    v3: bool = True
    """Whether to include folders that only v3 has."""

    @property
    def condition(self) -> tuple[str, tuple[str | int, ...]]:
        """As SQL with its values."""
        text = "key >= ? AND key < ? AND v3 <= ? AND folder BETWEEN ? AND ?"
        values = (self.start, self.start + "\U0010ffff", int(self.v3), int(not self.files), int(self.folders))
        if self.level is None:
            return text, values
        return f"{text} AND parent = ?", (*values, self.level)


class KeyStore:
    """Everything below the root, in the order of UTF-8 bytes."""

    def __init__(self, folder: Path, seed: int, now: datetime) -> None:
        self._uploads = folder / "uploads"
        self._uploads.mkdir(parents=True, exist_ok=True)
        self._seed = seed
        self._now = now
        self._lock = threading.Lock()
        self._database = sqlite3.connect(folder / "alvaria.sqlite", check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = OFF")
        if not self._is_filled():
            self._fill()
        self._sweep()

    def close(self) -> None:
        self._database.close()

    # Reading

    def get(self, key: str) -> StoredItem | None:
        """One file or folder by its key."""
        found = self._query(f"SELECT {_COLUMNS} FROM entry WHERE key = ?", (key,))
        return _item(found[0]) if found else None

    def file(self, key: str) -> StoredItem | None:
        item = self.get(key)
        return item if item and not item.is_folder else None

    def is_folder(self, key: str) -> bool:
        """Whether a key, with its slash, is a folder."""
        item = self.get(key)
        return item is not None and item.is_folder

    def page(self, span: KeySpan, after: str, limit: int, *, inclusive: bool = False) -> list[StoredItem]:
        """At most `limit` items with keys greater than `after`, or equal to it if `inclusive`."""
        condition, values = span.condition
        sql = f"SELECT {_COLUMNS} FROM entry WHERE {condition} AND key {'>=' if inclusive else '>'} ?"
        return [_item(row) for row in self._query(f"{sql} ORDER BY key LIMIT ?", (*values, after, limit))]

    def count(self, span: KeySpan) -> int:
        """The number of items."""
        condition, values = span.condition
        return int(self._query(f"SELECT count(*) FROM entry WHERE {condition}", values)[0][0])

    def blob(self, item: StoredItem) -> StoredBlob:
        """The bytes of a file."""
        if item.recipe.startswith(_UPLOAD):
            path = self._uploads / item.recipe.removeprefix(_UPLOAD)
            return StoredBlob(item.size, item.etag, item.modified, "binary/octet-stream", file_reader(path))
        recipe, seed = Recipe.parse(item.recipe), f"{self._seed}:{item.key}"

        def read(start: int, end: int) -> bytes:
            return recipe.read(seed, item.modified, start, end)

        return StoredBlob(item.size, item.etag, item.modified, "binary/octet-stream", read)

    # Changing

    def part(self, name: str) -> Path:
        """The file that receives an upload, before `put`."""
        return self._uploads / name

    def put(self, key: str, part: Path, md5: str, now: float) -> None:
        """Store a received upload as the file `key`, replacing any other."""
        # The old bytes stay until the next start, for clients that are reading them.
        self._change(_INSERT, _row(key, now, part.stat().st_size, "", f"{_UPLOAD}{part.name}", md5))

    def move_processed(self, result: str, before: float, now: float) -> None:
        """Move uploads from before a moment into the subfolder of this name, where there is one."""
        waiting = (
            f"SELECT {_COLUMNS} FROM entry WHERE key > 'imports/' AND key < 'imports0'"
            f" AND recipe LIKE '{_UPLOAD}%' AND modified <= ?"
            " AND EXISTS (SELECT 1 FROM entry AS folder WHERE folder.key = entry.parent || ? || '/')"
        )
        for item in [_item(row) for row in self._query(waiting, (before, result))]:
            folder, _, name = item.key.rpartition("/")
            self._change(_INSERT, _row(f"{folder}/{result}/{name}", now, item.size, "", item.recipe, item.etag))
            self.delete(item.key)

    def delete(self, key: str) -> bool:
        """Delete one file; whether it was there."""
        with self._lock:
            return self._database.execute("DELETE FROM entry WHERE key = ? AND folder = 0", (key,)).rowcount > 0

    def delete_below(self, folder: str) -> None:
        """Delete every file below a folder."""
        condition, values = KeySpan(folder).condition
        self._change(f"DELETE FROM entry WHERE {condition}", values)

    # Beginning

    @property
    def _origin(self) -> tuple[object, ...]:
        """What the data was generated from; if that differs, it is generated anew."""
        return _LAYOUT, self._seed, self._now.timestamp()

    def _is_filled(self) -> bool:
        if not self._query("SELECT 1 FROM sqlite_master WHERE name = 'origin'", ()):
            return False
        return self._query("SELECT layout, seed, now FROM origin", ()) == [self._origin]

    def _fill(self) -> None:
        files, made = list(fixtures(self._seed, self._now)), self._now.timestamp()
        folders = all_folders() | {parent for item in files for parent in _parents(item.key)}
        with self._lock:
            self._database.executescript("DROP TABLE IF EXISTS entry; DROP TABLE IF EXISTS origin;" + _SCHEMA)
            self._database.execute("BEGIN")
            self._database.executemany(_INSERT, (_row(key, made, 0, "", "", "") for key in folders))
            self._database.executemany(_INSERT, map(self._fixture_row, files))
            # Written last, so that half-filled data lacks it.
            self._database.execute("INSERT INTO origin VALUES (?, ?, ?)", self._origin)
            self._database.execute("COMMIT")

    def _fixture_row(self, item: Fixture) -> tuple[object, ...]:
        seed = f"{self._seed}:{item.key}"
        etag = hashlib.blake2b(f"{seed}:{item.modified}".encode(), digest_size=16).hexdigest()
        size = item.recipe.size(seed, item.modified)
        return _row(item.key, item.modified, size, item.oddity, str(item.recipe), etag)

    def _sweep(self) -> None:
        """Remove the files of uploads that were replaced, deleted or never finished."""
        rows = self._query("SELECT recipe FROM entry WHERE recipe LIKE 'upload:%'", ())
        wanted = {recipe.removeprefix(_UPLOAD) for (recipe,) in rows}
        for path in self._uploads.iterdir():
            if path.name not in wanted:
                path.unlink()

    def _query(self, sql: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._database.execute(sql, values).fetchall()

    def _change(self, sql: str, values: tuple[object, ...]) -> None:
        with self._lock:
            self._database.execute(sql, values)


def _item(row: tuple[Any, ...]) -> StoredItem:
    key, folder, *rest = row
    return StoredItem(key, bool(folder), *rest)


def _row(key: str, modified: float, size: int, oddity: str, recipe: str, etag: str) -> tuple[object, ...]:
    parent = key.rstrip("/").rpartition("/")[0] + "/"
    return key, parent, key.endswith("/"), key.startswith(V3_ONLY), modified, size, oddity, recipe, etag


def _parents(key: str) -> Iterator[str]:
    parts = key.split("/")[:-1]
    return ("/".join(parts[:depth]) + "/" for depth in range(1, len(parts) + 1))
