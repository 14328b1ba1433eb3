"""The objects of one call as a small tree: one branch for each leg of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from msgspec.structs import replace

from cloudstore_tui.calls.joining import SOURCES
from cloudstore_tui.calls.part import ORDER, Part, part_of, speaker_rank, title_of
from cloudstore_tui.core.models import StoredObject, identity

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)
_HEADS = (Part.RECORDING, Part.VOICEMAIL)


class Tie(StrEnum):
    """What joins a leg to the call that was asked for."""

    SELF = "the call"
    BEFORE = "call before"
    AFTER = "call after"
    TRANSFER = "other leg"
    OTHER = "related call"


@dataclass(frozen=True, slots=True)
class Node:
    """One object of a call."""

    entry: StoredObject
    part: Part
    title: str
    """May hold remote text."""
    children: tuple["Node", ...] = ()
    """What was made of it, where that is not of the whole call."""

    def walk(self) -> Iterator["Node"]:
        """This one, then those below it."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Leg:
    """The objects of one call id."""

    call_id: str
    """Empty where no object tells."""
    tie: Tie
    nodes: tuple[Node, ...]

    def walk(self) -> Iterator[Node]:
        """All nodes from top to bottom."""
        for node in self.nodes:
            yield from node.walk()


@dataclass(frozen=True, slots=True)
class CallTree:
    """Everything that was found of a call."""

    legs: tuple[Leg, ...]
    """The one that was asked for, then the others by time; nothing if nothing was found."""

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All of all legs, from top to bottom."""
        return tuple(node for leg in self.legs for node in leg.walk())

    @property
    def entries(self) -> tuple[StoredObject, ...]:
        """All objects, from top to bottom."""
        return tuple(node.entry for node in self.nodes)

    @property
    def start(self) -> datetime | None:
        """When the first leg began, as well as that is known; objects are created at the end of a call, or later."""
        moments = [_begun(node.entry) for leg in self.legs[:1] for node in leg.walk()]
        return min((moment for moment in moments if moment is not None), default=None)

    @property
    def likeness(self) -> StoredObject | None:
        """One object with all tags that those of the first leg have: what a folder for the call is named after."""
        if not self.legs:
            return None
        entries = [node.entry for node in self.legs[0].walk()]
        tags: dict[str, str] = {}
        for key, value in (tag for entry in entries for tag in entry.tags):
            tags[key] = tags.get(key) or value
        # Of a call of 8x8 Work the user is who else would be the agent.
        tags["agentName"] = tags.get("agentName") or tags.get("userName", "")
        return replace(entries[0], tags=tuple(tags.items()))


def call_tree(entries: Iterable[StoredObject], asked: StoredObject | None = None) -> CallTree:
    """Put the objects of a call in order.

    Args:
        entries: what was found, in any order; what comes twice is taken once.
        asked: one of them, whose leg comes first; else the leg that began first does.
    """
    unique = {identity(entry): entry for entry in entries}
    groups = _by_leg(sorted(unique.values(), key=_by_time))
    if not groups:
        return CallTree(())
    first = _first(groups, asked)
    others = [call for call in groups if call != first]
    legs = [_leg(first, Tie.SELF, groups[first])]
    legs += [_leg(call, _tie(groups[first], groups[call]), groups[call]) for call in others]
    return CallTree(tuple(legs))


def _begun(entry: StoredObject) -> datetime | None:
    told = entry.tag("startTime")
    # Longer numbers are no time that a calendar knows.
    if told.isascii() and told.isdigit() and len(told) <= 14:
        return _EPOCH + timedelta(milliseconds=int(told))
    return entry.created


def _by_time(entry: StoredObject) -> tuple[datetime, str, str]:
    return (_begun(entry) or _LATEST, entry.name, entry.id)


def _by_leg(entries: Sequence[StoredObject]) -> dict[str, list[StoredObject]]:
    """Objects by call id, in order; those that tell none go with what they were made of, or with their bucket."""
    groups: dict[str, list[StoredObject]] = {}
    known: dict[tuple[str, str], str] = {}
    waiting = list(entries)
    # As many rounds as a chain of sources can be long.
    for last in (False, False, False, True):
        left = []
        for entry in waiting:
            call = entry.tag("callId") or _borrowed(entry, known)
            if not call and not last:
                left.append(entry)
                continue
            call = call or next(iter(groups), "")
            groups.setdefault(call, []).append(entry)
            known.setdefault(("id", entry.id), call)
            for key in ("bucketId", "transactionId"):
                known.setdefault((key, entry.bucket_id if key == "bucketId" else entry.tag(key)), call)
        waiting = left
    return groups


def _borrowed(entry: StoredObject, known: dict[tuple[str, str], str]) -> str:
    told = [("id", entry.tag(key)) for key in SOURCES]
    told += [("bucketId", entry.bucket_id), ("transactionId", entry.tag("transactionId"))]
    return next((known[pair] for pair in told if pair[1] and pair in known), "")


def _first(groups: dict[str, list[StoredObject]], asked: StoredObject | None) -> str:
    wanted = identity(asked) if asked is not None else ""
    for call, entries in groups.items():
        if any(identity(entry) == wanted for entry in entries):
            return call
    return next(iter(groups))


def _tie(first: Sequence[StoredObject], other: Sequence[StoredObject]) -> Tie:
    def values(entries: Sequence[StoredObject], key: str) -> set[str]:
        return {entry.tag(key) for entry in entries} - {""}

    if values(first, "originalCallId") & values(other, "callId"):
        return Tie.BEFORE
    if values(other, "originalCallId") & values(first, "callId"):
        return Tie.AFTER
    return Tie.TRANSFER if values(first, "transactionId") & values(other, "transactionId") else Tie.OTHER


def _leg(call: str, tie: Tie, entries: Sequence[StoredObject]) -> Leg:
    parents = {entry.id: entry for entry in entries if entry.id and part_of(entry) not in (*_HEADS, Part.TRANSCRIPT)}
    below: dict[str, list[StoredObject]] = {}
    top = []
    for entry in sorted(entries, key=_by_rank):
        source = next((entry.tag(key) for key in SOURCES if entry.tag(key) in parents), "")
        if part_of(entry) is Part.TRANSCRIPT and source:
            below.setdefault(source, []).append(entry)
        else:
            top.append(entry)
    return Leg(call, tie, tuple(_node(entry, below.get(entry.id, ())) for entry in top))


def _node(entry: StoredObject, below: Iterable[StoredObject]) -> Node:
    return Node(entry, part_of(entry), title_of(entry), tuple(_node(child, ()) for child in below))


def _by_rank(entry: StoredObject) -> tuple[object, ...]:
    part = part_of(entry)
    kind = entry.type if part is Part.OTHER else ""
    return (ORDER[part], kind, speaker_rank(entry), _by_time(entry))
