"""What a file of the fixtures is made of, so that it can be made when somebody reads it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from cloudstore_tui.sandbox.content import tables
from cloudstore_tui.sandbox.content.archive import tar, tar_gz, tar_size
from cloudstore_tui.sandbox.content.recording import KINDS, Recording, recording_size
from cloudstore_tui.sandbox.content.tables import Table

Contents = Mapping[str, tuple[Table, int]]
"""The members of an archive: which table, and how many rows."""


@dataclass(frozen=True, slots=True)
class Recipe:
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
        if self.kind in KINDS:
            return recording_size(self.kind, self.amount)
        if self.kind in _TABLES:
            return _TABLES[self.kind].size(self.amount)
        if self.kind in _TARS:
            return tar_size(*(table.size(rows) for table, rows in _TARS[self.kind](self.amount).values()))
        return len(_whole(self, seed, modified))

    def read(self, seed: str, modified: float, start: int, end: int) -> bytes:
        """The bytes from `start` to before `end`; of a recording only those are made."""
        if self.kind in KINDS:
            return b"".join(self._recording(seed).read(start, end))
        return _whole(self, seed, modified)[start:end]

    def _recording(self, seed: str) -> Recording:
        return Recording(self.kind, self.amount, seed, seed.rsplit("/", 1)[-1])


def _extract(rows: int) -> Contents:
    return {
        "call_detail.csv": (tables.CALLS, rows),
        "agent_activity.csv": (tables.ACTIVITY, rows // 2),
        "campaign_summary.csv": (tables.CAMPAIGNS, 48),
    }


def _outreach(rows: int) -> Contents:
    return {
        "call_results.csv": (tables.CALLS, rows),
        "contacts.csv": (tables.CONTACTS, rows // 2),
        "campaigns.csv": (tables.CAMPAIGNS, 12),
    }


def _hourly(rows: int) -> Contents:
    return {"intervals.csv": (tables.INTERVALS, 60), "call_detail.csv": (tables.CALLS, rows)}


_TABLES: Mapping[str, Table] = {
    "calls": tables.CALLS,
    "activity": tables.ACTIVITY,
    "campaigns": tables.CAMPAIGNS,
    "contacts": tables.CONTACTS,
    "raw": tables.RAW_CONTACTS,
    "outcomes": tables.OUTCOMES,
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
